"""What a choice was worth, against figures worked out by hand."""

from __future__ import annotations

import pytest

from selfedit.reinforcing.checking import checked, choice
from selfedit.select import Candidate


def test_the_winner_by_luck_gains_nothing_where_it_was_not_chosen() -> None:
    tried = [
        Candidate("a", "a1", (1.0,)),
        Candidate("a", "a2", (0.0,)),
        Candidate("b", "b1", (0.4,)),
        Candidate("b", "b2", (0.8,)),
        Candidate("b", "b3", (0.6,)),
    ]
    again = {"a1": (0.2,), "a2": (0.6,), "b1": (0.5,), "b2": (0.5, 0.7), "b3": (0.1,)}
    found = choice(checked(tried, again), {"a1", "b2"})
    assert found is not None
    assert (found["passages"], found["edits"]) == (2, 5)
    assert found["looked"] == pytest.approx((0.5 + 0.2) / 2)
    assert found["held_out"] == pytest.approx((-0.2 + 0.2) / 2)
    low, high = found["held_out_ci95"]
    assert low == pytest.approx(-0.2)
    assert high == pytest.approx(0.2)


def test_correlation_is_within_passages() -> None:
    """Passages that differ as a whole say nothing of how edits rank."""
    tried = [
        Candidate(task, f"{task}{at}", (base + at,)) for task, base in (("a", 0), ("b", 9)) for at in (0, 1)
    ]
    follows = {each.edit: each.rewards for each in tried}
    against = {"a0": (1.0,), "a1": (0.0,), "b0": (10.0,), "b1": (9.0,)}
    up, down = (choice(checked(tried, again), {"a1", "b1"}) for again in (follows, against))
    assert up is not None
    assert down is not None
    assert up["correlation"] == pytest.approx(1.0)
    assert down["correlation"] == pytest.approx(-1.0)
    assert down["held_out"] == pytest.approx(-0.5)


def test_a_lone_edit_and_a_failed_one_are_left_out() -> None:
    tried = [Candidate("a", "a1", (1.0,)), Candidate("b", "b1", (1.0,)), Candidate("b", "b2", (0.0,))]
    assert choice(checked(tried, {"a1": (1.0,), "b1": (1.0,)}), {"a1", "b1"}) is None
