"""The signs through which commits read one sum."""

from __future__ import annotations

import pytest

from selfedit.retain import signs


def test_a_commit_sees_itself_as_it_is() -> None:
    assert signs("a", "a", "layer", 100) == [1] * 100


def test_signs_are_drawn_once_and_for_all() -> None:
    assert signs("a", "b", "layer", 12) == [1, 1, 1, 1, -1, 1, -1, 1, 1, 1, 1, -1]


def test_two_see_each_other_alike_and_a_third_is_consistent() -> None:
    ab, bc, ac = (signs(*pair, "layer", 500) for pair in ("ab", "bc", "ac"))
    assert ab == signs("b", "a", "layer", 500)
    assert [x * y for x, y in zip(ab, bc, strict=True)] == ac


@pytest.mark.parametrize(
    "other", [signs("a", "c", "layer", 10_000), signs("a", "b", "other", 10_000)], ids=["commit", "layer"]
)
def test_every_commit_and_layer_has_signs_of_its_own_which_even_out(other: list[int]) -> None:
    these = signs("a", "b", "layer", 10_000)
    assert set(these) == {1, -1}
    assert abs(sum(these)) < 400, "four deviations of fair coins"
    assert abs(sum(x * y for x, y in zip(these, other, strict=True))) < 400
