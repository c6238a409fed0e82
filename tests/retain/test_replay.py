"""Which earlier rows are trained on again: how many, how often, and that chance is an argument."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.retain import Learned, Past, planned
from selfedit.retain.drawing import budget, drawn
from selfedit.retain.replay import commit_weights
from selfedit.types import Sequence

from .histories import NEW, commit, past, settings


def replayed(known: Past, seed: int = 0, new: Any = NEW, **numbers: Any) -> tuple[Any, ...]:
    course = planned(known, new, settings("replay", replay=numbers), seed)
    assert course.new == tuple(new)
    assert (course.held, course.objective, course.constraint) == ((), None, None)
    return course.replayed


def test_the_budget_is_a_share_of_the_new_rows() -> None:
    assert [budget(share, NEW) for share in (0.1, 0.2, 0.5, 1.0, 2.0)] == [0, 1, 2, 3, 6]
    for share in (0.2, 1.0, 4.0):
        assert len(replayed(past(), share=share)) == budget(share, NEW)
    assert len(replayed(past(), share=16)) == 24


def test_rows_come_as_they_were_each_once_and_in_order() -> None:
    known = past()
    every = [row for learned in known.learned for row in learned.rows]
    found = replayed(known, share=3)
    assert list(found) == [row for row in every if row in found]
    assert len(set(found)) == len(found)
    assert list(replayed(known, share=16)) == every


def test_what_is_new_is_not_replayed() -> None:
    known = past(Learned("a", (NEW[0], Sequence("Which limit?", " 700 euros", 0.5), "Old.")))
    assert replayed(known, share=16) == ("Old.",)


def test_draws_hang_on_the_seed_and_the_history_alone() -> None:
    known = past()
    assert replayed(known) == replayed(known)
    assert len({replayed(known, seed) for seed in range(20)}) > 5
    longer = [past(*known.learned, commit(f"more {n}", rows=0)) for n in range(20)]
    assert len({replayed(each) for each in longer}) > 5


def test_age_and_fading_weigh_a_commit() -> None:
    known = past(
        commit("a", right_then=0.8, right_now=0.2),
        commit("b", right_then=0.8, right_now=0.9),
        commit("c"),
    )
    chosen = settings("replay", replay={"age": 2, "fading": 4}).replay
    assert commit_weights(known, chosen) == pytest.approx({"a": 1 + 2 + 3, "b": 1 + 1, "c": 1})
    assert commit_weights(past(commit("a")), chosen) == {"a": 1}


@pytest.mark.parametrize(
    ("then", "now", "fading"),
    [(None, 1, None), (0.0, 0.0, None), (0.5, None, None), (0.5, 0.5, 0), (0.5, 0.25, 0.5), (0.5, 0.0, 1)],
)
def test_fading_is_the_share_that_is_lost(
    then: float | None, now: float | None, fading: float | None
) -> None:
    assert commit("a", right_then=then, right_now=now).fading == fading


def counted(known: Past, **numbers: Any) -> Counter[str]:
    """By commit, how many of its rows were drawn over many seeds."""
    owner = {row: learned.commit for learned in known.learned for row in learned.rows}
    found = (row for seed in range(400) for row in replayed(known, seed, share=1 / 3, **numbers))
    return Counter(owner[row] for row in found)


def test_chances_are_in_proportion_to_the_weights() -> None:
    """One row a time: 400 draws, and four standard errors of the expected share."""
    known = past(commit("a", right_then=1.0, right_now=0.0), commit("b", rows=60), commit("c", rows=2))
    for numbers, shares in (
        ({"age": 0, "fading": 0}, {"a": 1 / 3, "b": 1 / 3, "c": 1 / 3}),
        ({"age": 0, "fading": 2}, {"a": 3 / 5, "b": 1 / 5, "c": 1 / 5}),
        ({"age": 4, "fading": 0}, {"a": 5 / 9, "b": 3 / 9, "c": 1 / 9}),
    ):
        found = counted(known, **numbers)
        for name, share in shares.items():
            assert abs(found[name] / 400 - share) < 4 * (share * (1 - share) / 400) ** 0.5


@given(
    weights=st.lists(st.floats(0, 100), max_size=12),
    count=st.integers(-1, 14),
    seed=st.integers(0, 5),
)
def test_any_weights_give_so_many_different_rows(weights: list[float], count: int, seed: int) -> None:
    rows: dict[Any, float] = {f"row {at}": weight for at, weight in enumerate(weights)}
    found = drawn(rows, count, seed)
    able = [row for row, weight in rows.items() if weight > 0]
    assert len(found) == min(max(count, 0), len(able))
    assert list(found) == [row for row in able if row in set(found)]
