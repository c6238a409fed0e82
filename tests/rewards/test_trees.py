"""Boosted trees against values by hand, and their file."""

from __future__ import annotations

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.rewards.trees import Tree, Trees, load_trees, log_odds, probability

STUMP = Tree((0, -1, -1), (0.5, 0.0, 0.0), (1, 0, 0), (2, 0, 0), (0.0, -1.0, 2.0))
DEEPER = Tree(
    feature=(1, -1, 0, -1, -1),
    threshold=(3.0, 0, 0.25, 0, 0),
    left=(1, 0, 3, 0, 0),
    right=(2, 0, 4, 0, 0),
    value=(0, 0.5, 0, 1, -4),
)
HELD = Trees(("a", "b"), 0.25, (STUMP, DEEPER))


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ((0.5, 3.0), 0.25 - 1 + 0.5),
        ((0.6, 3.0), 0.25 + 2 + 0.5),
        ((0.2, 9.0), 0.25 - 1 + 1),
        ((1.0, 9.0), 0.25 + 2 - 4),
    ],
)
def test_the_sum_of_the_leaves(x: tuple[float, float], y: float) -> None:
    assert HELD(x) == pytest.approx(y)


def test_trees_are_read_as_they_were_written() -> None:
    assert load_trees(json.dumps(HELD.as_json()), ("a", "b")) == HELD


def test_trees_of_other_features_are_refused() -> None:
    with pytest.raises(UsageError, match="fit them again"):
        load_trees(json.dumps(HELD.as_json()), ("b", "a"))


@given(st.floats(-700, 700))
def test_probabilities_are_in_bounds_and_rise(x: float) -> None:
    assert 0 <= probability(x) <= probability(x + 1) <= 1


@given(st.floats(-10, 10))
def test_log_odds_are_the_inverse(x: float) -> None:
    assert log_odds(probability(x)) == pytest.approx(x, abs=1e-6)


def test_log_odds_have_ends() -> None:
    assert math.isfinite(log_odds(0.0))
    assert math.isfinite(log_odds(1.0))
