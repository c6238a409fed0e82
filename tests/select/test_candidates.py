"""Candidates and their plain means."""

from __future__ import annotations

import math

import pytest

from selfedit.errors import UsageError
from selfedit.select import Candidate, means


def test_the_mean_is_over_the_seeds() -> None:
    assert means([Candidate("t", "a", (1.0, 2.0)), Candidate("u", "b", (-3.0,))]) == {"a": 1.5, "b": -3.0}
    assert means([]) == {}


@pytest.mark.parametrize("rewards", [(), (1.0, math.nan), (math.inf,)])
def test_what_failed_is_no_candidate(rewards: tuple[float, ...]) -> None:
    with pytest.raises(UsageError, match="leave out what failed"):
        Candidate("t", "a", rewards)


def test_an_edit_comes_once() -> None:
    with pytest.raises(UsageError, match="edit a comes twice"):
        means([Candidate("t", "a", (1.0,)), Candidate("u", "a", (2.0,))])
