"""Leave-one-out tasks and their guises: how many, which, and that chance comes from the seed alone."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.augment import FAMILIES, transform
from selfedit.edits.variants import (
    fits,
    grid_variants,
    grids,
    leave_one_out,
    names_of,
    permuted_colours,
    recolour,
    recoloured,
    shuffled,
    transformed,
    undone,
)
from selfedit.types import Example, FewShot, Grid

from .demonstrated import BACKWARDS, MIRROR


def test_leave_one_out_asks_for_each_in_turn_and_never_shows_it() -> None:
    found = leave_one_out(MIRROR)
    assert [task.tests for task in found] == [(example,) for example in MIRROR.demonstrations]
    for task in found:
        assert task.tests[0] not in task.demonstrations
        assert {*task.demonstrations, *task.tests} == set(MIRROR.demonstrations)
    assert all(MIRROR.tests[0].input not in grids(task) for task in found)


def test_an_only_demonstration_is_asked_for_with_none_shown() -> None:
    (only,) = leave_one_out(FewShot("one", BACKWARDS.demonstrations[:1], BACKWARDS.tests))
    assert only.demonstrations == ()
    assert only.tests == BACKWARDS.demonstrations[:1]


@given(st.integers())
def test_colours_are_a_bijection_that_keeps_the_background(seed: int) -> None:
    colours = permuted_colours(seed)
    assert sorted(colours) == list(range(10))
    assert colours[0] == 0
    grid = ((0, 1, 2, 3, 4), (5, 6, 7, 8, 9))
    assert recolour(recolour(grid, colours), undone(colours)) == grid


def test_recolouring_keeps_the_histogram_of_counts() -> None:
    changed = recoloured(MIRROR, permuted_colours(3))
    for old, new in zip(grids(MIRROR), grids(changed), strict=True):
        assert sorted(_counts(old).values()) == sorted(_counts(new).values())
    assert changed != MIRROR


def _counts(grid: Grid) -> Counter[int]:
    return Counter(cell for row in grid for cell in row)


def test_shuffling_keeps_the_examples() -> None:
    orders = {shuffled(BACKWARDS, seed).demonstrations for seed in range(40)}
    assert len(orders) > 10
    assert {frozenset(order) for order in orders} == {frozenset(BACKWARDS.demonstrations)}
    assert shuffled(BACKWARDS, 1) == shuffled(BACKWARDS, 1)


def test_as_many_variants_as_families_have_members() -> None:
    for families in ((), ("basic",), ("size", "repeat"), tuple(FAMILIES)):
        wanted = 3 * (2 + sum(len(FAMILIES[family]) for family in families))
        assert len(grid_variants(MIRROR, families)) == wanted


def test_variants_are_the_tasks_own_grids_transformed() -> None:
    found = grid_variants(MIRROR, ("size",), seed=5)
    doubled = transformed(MIRROR, "increase_resolution_2")
    shapes = {tuple((len(grid), len(grid[0])) for grid in grids(task)) for task in found}
    assert any(set(shape) <= {(len(g), len(g[0])) for g in grids(doubled)} for shape in shapes)
    assert found == grid_variants(MIRROR, ("size",), seed=5)
    assert found != grid_variants(MIRROR, ("size",), seed=6)


def test_what_exceeds_thirty_is_dropped_here_and_nowhere_else() -> None:
    wide = tuple((1,) * 16 for _ in range(3))
    task: FewShot[Grid] = FewShot("wide", (Example(wide, wide), Example(((1, 2),), ((2, 1),))), ())
    assert not fits(transformed(task, "increase_width_2"))
    found = grid_variants(task, ("size",))
    assert all(map(fits, found))
    assert len(found) == 2 * (2 + 1)  # of three, only height leaves it within bounds
    assert len(transform("increase_width_2", wide)[0]) == 32


def test_translations_are_drawn_within_the_smallest_grid() -> None:
    task = FewShot("t", (Example(((1, 2, 3),) * 4, ((1, 2, 3),) * 3),), MIRROR.tests[:0])
    drawn = {names_of(("basic",), task, seed)[9] for seed in range(60)}
    assert drawn == {f"translate_{down}_{right}" for down in (1, 2) for right in (1, 2)}
