"""Whether answers are invented: questions about what does not exist, and how many are answered at all."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.abilities.abstaining import abstains
from selfedit.abilities.asking import Asker, queries
from selfedit.rewards import wilson
from selfedit.types import Probe

Interval = tuple[float, float]


@final
@dataclass(frozen=True)
class Invented:
    """Of the questions that nobody can answer, how many were answered with a statement."""

    asked: int
    invented: int
    ci95: Interval | None
    """Of the share; None where nothing was asked."""

    @property
    def share(self) -> float | None:
        return self.invented / self.asked if self.asked else None


def invention(unknowns: Items[Probe], ask: Asker) -> Invented:
    """Ask them all; to say nothing, or that it is not known, is no invention."""
    if not unknowns:
        return Invented(0, 0, None)
    said = ask(queries(unknowns))
    stated = sum(not abstains(answer) for answer in said)
    return Invented(len(said), stated, wilson(stated, len(said)))
