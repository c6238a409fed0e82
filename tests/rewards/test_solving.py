"""Tests as they were solved → what a trial earns."""

from __future__ import annotations

import math

import pytest

from selfedit.errors import UsageError
from selfedit.rewards import Attempted, Ballot, solving, solving_needs, vote
from selfedit.types import Failure, Reward

FIRST = vote([Ballot("a"), Ballot("a"), Ballot("b")])
TESTS = [Attempted("a", FIRST, -1.0), Attempted("b", FIRST, -3.0), Attempted("c", FIRST, -2.0)]


@pytest.mark.parametrize(
    ("weights", "value"),
    [
        ({"solved": 1.0}, 2 / 3),
        ({"first": 1.0}, 1 / 3),
        ({"likelihood": 1.0}, -2.0),
        ({"solved": 3.0, "likelihood": 0.5}, 1.0),
    ],
)
def test_means_over_tests_are_weighted(weights: dict[str, float], value: float) -> None:
    outcome = solving(TESTS, weights)
    assert isinstance(outcome, Reward)
    assert outcome.value == pytest.approx(value)
    assert outcome.parts["tests"] == 3


@pytest.mark.parametrize("tests", [[], [Attempted("a", FIRST, None)], [Attempted("a", FIRST, -math.inf)]])
def test_what_has_no_finite_figure_is_a_failure(tests: list[Attempted]) -> None:
    assert isinstance(solving(tests, {"likelihood": 1.0}), Failure)


def test_needs() -> None:
    assert solving_needs({"solved": 1.0, "first": 0.1}) == {"count"}
    assert solving_needs({"likelihood": 1.0, "first": 0.1}) == {"count", "logprob"}
    with pytest.raises(UsageError, match="no reward 'recall' of tests; choose among likelihood"):
        solving_needs({"recall": 1.0})
