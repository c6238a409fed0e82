"""Rules of selection on the same trials, against choices worked out by hand."""

from __future__ import annotations

import pytest

from selfedit.reinforcing.checking import checked
from selfedit.reinforcing.rules import RULES, compared
from selfedit.select import Candidate

TRIED = [
    Candidate("a", "a1", (0.0, 0.3)),
    Candidate("a", "a2", (0.9, 0.0)),
    Candidate("a", "a3", (0.5, 0.8)),
    Candidate("a", "a4", (0.4, 1.0)),
]
"""The first seed prefers a2, both together a4, and a race that lets two go on a3."""
AGAIN = {"a1": (0.1,), "a2": (0.2,), "a3": (0.3,), "a4": (0.6,)}


def test_each_rule_is_worth_what_its_choice_earns_elsewhere() -> None:
    found = compared(checked(TRIED, AGAIN), 1)
    assert list(found) == list(RULES)
    worth = {name: each["held_out"] for name, each in found.items()}
    mean = 0.3
    assert worth == pytest.approx(
        {
            "mean of all seeds": 0.6 - mean,
            "halving": 0.3 - mean,
            "first seed": 0.2 - mean,
            "as written": 0.1 - mean,
        }
    )
    assert {name: each["trials"] for name, each in found.items()} == {
        "mean of all seeds": 8,
        "halving": 6,
        "first seed": 4,
        "as written": 0,
    }
    looked = {name: each["looked"] for name, each in found.items()}
    assert max(looked, key=looked.__getitem__) == "mean of all seeds"


def test_several_may_be_kept() -> None:
    found = compared(checked(TRIED, AGAIN), 2)
    assert found["mean of all seeds"]["held_out"] == pytest.approx((0.3 + 0.6) / 2 - 0.3)
    assert found["as written"]["held_out"] == pytest.approx((0.1 + 0.2) / 2 - 0.3)


def test_after_a_race_nothing_is_said_of_other_rules() -> None:
    raced = [TRIED[0], Candidate("a", "a2", (0.9,))]
    assert compared(checked(raced, AGAIN), 1) == {}
    assert compared([], 1) == {}
