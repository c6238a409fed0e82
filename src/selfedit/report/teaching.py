"""Training sequences as the page tells them: what the passage says itself is only counted."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import yaml

from selfedit.edits.tools import headed
from selfedit.report.found import Taught
from selfedit.types import Sequence


def taught(title: str, passage: str, sequences: Iterable[str | Sequence]) -> Taught:
    """The sequences, less those that repeat the passage or a part of it under its title."""
    head = headed(title, "")
    rows: list[tuple[str, str]] = []
    own = 0
    for each in sequences:
        if isinstance(each, Sequence):
            rows.append((each.prompt, each.completion))
        elif each.removeprefix(head) in passage:
            own += 1
        else:
            rows.append(("", each.removeprefix(head)))
    return Taught(tuple(rows), own)


def as_yaml(value: Any) -> str:
    """Settings as a recipe has them: a group a line, lists within the line."""
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True, default_flow_style=None, width=100)
