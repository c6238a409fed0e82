"""What a trial on a task of demonstrations earns: tests solved by vote, and how likely the right outputs are.

The log-probability needs no decoding and tells apart what solves nothing yet. Knows nothing of models:
whoever asked and scored hands over the evidence.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.errors import UsageError
from selfedit.rewards.voting import Count
from selfedit.types import Failure, Outcome, Reward

COUNT, LOGPROB = "count", "logprob"


@final
@dataclass(frozen=True, slots=True)
class Attempted:
    """One test of a task as an adapter did on it; what was not asked for is None."""

    expected: Any
    count: Count[Any] | None = None
    """The answers to the test in all its guises."""
    logprob: float | None = None
    """Mean log-probability of the right output's tokens over all guises, in nats."""

    def solved(self, most: int) -> float:
        """1 where one of so many attempts is right."""
        return float(self.count is not None and self.count.solved(self.expected, most))


@final
@dataclass(frozen=True, slots=True)
class Solving:
    """A figure of a test, larger is better, and the field of `Attempted` that it reads."""

    needs: str
    value: Callable[[Attempted], float]


SOLVING: Mapping[str, Solving] = {
    "likelihood": Solving(LOGPROB, lambda test: math.nan if test.logprob is None else test.logprob),
    "solved": Solving(COUNT, lambda test: test.solved(2)),
    "first": Solving(COUNT, lambda test: test.solved(1)),
}
"""`solved` is within two attempts, `first` at the first."""


def solving_needs(weights: Mapping[str, float]) -> frozenset[str]:
    """The fields of `Attempted` that these rewards read. Raises UsageError for a name that is none."""
    unknown = sorted(weights.keys() - SOLVING.keys())
    if unknown:
        raise UsageError(f"rewards: no reward {unknown[0]!r} of tests; choose among {', '.join(SOLVING)}")
    return frozenset(SOLVING[name].needs for name in weights)


def solving(tests: Items[Attempted], weights: Mapping[str, float]) -> Outcome:
    """The weighted sum over measures, each a mean over the tests and a part of it.

    A Failure where a test has no finite figure.
    """
    parts = {
        name: math.fsum(map(SOLVING[name].value, tests)) / max(1, len(tests)) if tests else math.nan
        for name in weights
    }
    total = math.fsum(weights[name] * value for name, value in parts.items())
    if not math.isfinite(total):
        return Failure("judge", "no test with a finite figure")
    return Reward(total, {**parts, "tests": float(len(tests))})
