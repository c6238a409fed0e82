"""When live commits are rebuilt as one, and of what."""

from __future__ import annotations

from selfedit.retain import Learned, joint_rows, planned
from selfedit.types import Sequence

from .histories import NEW, commit, past, settings


def rebuilt(*learned: Learned, **numbers: float) -> tuple[str, ...]:
    course = planned(past(*learned), NEW, settings("consolidation", consolidation=numbers))
    assert course.rows == NEW
    return course.rebuilt


def test_many_commits_are_rebuilt_the_new_one_counted() -> None:
    four = tuple(commit(name) for name in "abcd")
    assert rebuilt(*four, every=6) == ()
    assert rebuilt(*four, every=5) == ("a", "b", "c", "d")


def test_commits_that_have_faded_are_rebuilt() -> None:
    def two(now: float) -> tuple[Learned, ...]:
        return (
            commit("a", right_then=1.0, right_now=now),
            commit("b", right_then=1.0, right_now=1.0),
            commit("c"),
        )

    assert rebuilt(*two(0.5), fading=0.3) == ()
    assert rebuilt(*two(0.4), fading=0.3) == ("a", "b", "c")
    assert rebuilt(commit("a"), commit("b"), fading=0.3) == ()


def test_joint_rows_are_those_of_the_commits_each_once_in_order() -> None:
    known = past(
        Learned("a", ("one", "two")),
        Learned("b", ("two", Sequence("q", "a"))),
        Learned("c", ("three", "one")),
    )
    assert joint_rows(known, ("c", "a")) == ("one", "two", "three")
    assert joint_rows(known, ("a", "b", "c")) == ("one", "two", Sequence("q", "a"), "three")
    assert joint_rows(known, ()) == ()
