"""Self-edits as JSON, as runs.db keeps them, and what a format is to those who key them by it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, cast

from selfedit.edits import get_format
from selfedit.types import Failure, SelfEdit, Sequence


class Owner(Protocol):
    """What self-edits are written for: a passage, or a task of demonstrations."""

    @property
    def id(self) -> str: ...


def as_json(edit: SelfEdit | Failure) -> dict[str, Any]:
    """A self-edit as it is kept."""
    if isinstance(edit, Failure):
        return {"failure": edit.what, "where": edit.where}
    lines = [x if isinstance(x, str) else [x.prompt, x.completion, x.weight] for x in edit.lines]
    return {"format": edit.format, "text": edit.text, "lines": lines, "settings": dict(edit.settings)}


def from_json(task: Owner, value: Mapping[str, Any]) -> SelfEdit | Failure:
    """The self-edit that was kept."""
    if "failure" in value:
        return Failure(value["where"], value["failure"])
    lines = tuple(x if isinstance(x, str) else Sequence(*cast(list[Any], x)) for x in value["lines"])
    return SelfEdit(task.id, value["format"], value["text"], lines, value["settings"])


def format_id(name: str) -> list[Any]:
    """What is in a format: a template file counts by its text, not by its name."""
    form = get_format(name)
    return [form.name, form.instruction, form.opening, form.max_tokens, form.grammar]
