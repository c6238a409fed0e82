"""What selection chooses among: an edit, and a reward for each seed that it was tried with."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.errors import UsageError


@final
@dataclass(frozen=True, slots=True)
class Candidate:
    """A self-edit and what it earned. What failed is no candidate."""

    task: str
    """Id of the task."""
    edit: str
    """Id of the self-edit."""
    rewards: tuple[float, ...]
    """One for each seed that was tried, in the seeds' order."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "rewards", tuple(self.rewards))
        if not self.rewards:
            raise UsageError(f"edit {self.edit} has no reward; leave out what failed or was not tried")
        if not all(map(math.isfinite, self.rewards)):
            raise UsageError(f"edit {self.edit} has a reward that is no number; leave out what failed")

    @property
    def mean(self) -> float:
        return math.fsum(self.rewards) / len(self.rewards)


Values = Mapping[str, float]
"""Edit id → how good it is held to be."""

Valued = Values | Callable[[Items[Candidate]], Values]
"""The values themselves, or what makes them of the candidates."""


def by_task(candidates: Items[Candidate]) -> dict[str, list[Candidate]]:
    """Task id → its candidates, in order. Raises UsageError where an edit comes twice."""
    found: dict[str, list[Candidate]] = {}
    seen: set[str] = set()
    for candidate in candidates:
        if candidate.edit in seen:
            raise UsageError(f"edit {candidate.edit} comes twice; give all its rewards in one candidate")
        seen.add(candidate.edit)
        found.setdefault(candidate.task, []).append(candidate)
    return found


def means(candidates: Items[Candidate]) -> dict[str, float]:
    """Edit id → its mean reward."""
    return {each.edit: each.mean for mine in by_task(candidates).values() for each in mine}


def values_of(candidates: Items[Candidate], value: Valued) -> Values:
    """The value of every candidate. Raises UsageError where one has none."""
    values = value(candidates) if callable(value) else value
    for each in candidates:
        if each.edit not in values:
            raise UsageError(f"edit {each.edit} has no value; make the values of all candidates")
    return values


def standardised(values: Items[float]) -> list[float]:
    """How many standard deviations (n - 1 in the denominator) each lies above the mean.

    All 0 where they are equal but for rounding, or alone: rounding must not be blown up to size 1.
    """
    middle = math.fsum(values) / len(values)
    spread = math.sqrt(math.fsum((value - middle) ** 2 for value in values) / max(1, len(values) - 1))
    if spread <= 1e-9 * max(map(abs, values)):
        return [0.0] * len(values)
    return [(value - middle) / spread for value in values]
