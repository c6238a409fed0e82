"""Small histories to retain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from selfedit.config.retention import Retention
from selfedit.retain import Learned, Past
from selfedit.types import Sequence


@dataclass(frozen=True)
class Named:
    """An adapter, or moments, of which only the name matters."""

    hash: str


NEW = ("The limit is 700 euros.", Sequence("Which limit?", " 700 euros"), "Travel is signed off by Isaura.")


def commit(name: str, rows: int = 6, **given: Any) -> Learned:
    made = tuple(
        f"{name} says {at}." if at % 2 else Sequence(f"What says {name} {at}?", f" {at}")
        for at in range(rows)
    )
    return Learned(name, made, adapter=Named(f"adapter {name}"), **given)


def past(*learned: Learned, **given: Any) -> Past:
    return Past(learned or tuple(commit(name) for name in "abcd"), **given)


def settings(*strategies: str, **numbers: Any) -> Retention:
    return Retention.model_validate({"strategies": strategies, **numbers})
