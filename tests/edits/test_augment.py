"""Transforms of grids against numpy, their inverses, and the group that the turns and mirrorings form."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.augment import (
    BASIC,
    CHAIN,
    FAMILIES,
    IDENTITY,
    NAMES,
    REPEAT,
    SIZE,
    inverse,
    transform,
    translation,
)
from selfedit.errors import UsageError
from selfedit.types import Grid

Array = np.ndarray[Any, np.dtype[np.int64]]

GRID: Grid = ((1, 2, 3), (4, 5, 6))

ORACLE: dict[str, Callable[[Array], Array]] = {
    "identity": lambda a: a,
    "rotate_90": lambda a: np.rot90(a, 1),
    "rotate_180": lambda a: np.rot90(a, 2),
    "rotate_270": lambda a: np.rot90(a, 3),
    "flip_0": lambda a: np.flip(a, 0),
    "flip_1": lambda a: np.flip(a, 1),
    "transpose": lambda a: a.T,
    "reflect_0": lambda a: np.concatenate([a, np.flip(a, 0)], 0),
    "reflect_0_reversed": lambda a: np.concatenate([np.flip(a, 0), a], 0),
    "reflect_1": lambda a: np.concatenate([a, np.flip(a, 1)], 1),
    "reflect_1_reversed": lambda a: np.concatenate([np.flip(a, 1), a], 1),
    "increase_resolution_2": lambda a: np.kron(a, np.ones((2, 2), dtype=np.int64)),
    "increase_height_2": lambda a: np.repeat(a, 2, 0),
    "increase_width_2": lambda a: np.repeat(a, 2, 1),
    "repeat_0_2": lambda a: np.tile(a, (2, 1)),
    "repeat_1_2": lambda a: np.tile(a, (1, 2)),
    "repeat_2_2": lambda a: np.tile(a, (2, 2)),
}


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    rows, columns = draw(st.integers(1, 7)), draw(st.integers(1, 7))
    row = st.tuples(*[st.integers(0, 9)] * columns)
    return draw(st.tuples(*[row] * rows))


offsets = st.builds(translation, st.integers(-40, 40), st.integers(-40, 40))
plain = st.sampled_from(NAMES) | offsets
turns = st.sampled_from(["rotate_90", "rotate_180", "rotate_270", "flip_0", "flip_1", "transpose"]) | offsets
chains = st.lists(turns, min_size=1, max_size=4).map("+".join)


def colours(grid: Grid) -> Counter[int]:
    return Counter(cell for row in grid for cell in row)


def test_every_name_has_an_oracle() -> None:
    assert set(NAMES) == set(ORACLE)


@given(st.sampled_from(sorted(ORACLE)), grids())
def test_transforms_are_numpys(name: str, grid: Grid) -> None:
    wanted = ORACLE[name](np.array(grid))
    assert transform(name, grid) == tuple(map(tuple, wanted.tolist()))


@given(st.integers(-40, 40), st.integers(-40, 40), grids())
def test_translation_is_a_cyclic_move_of_rows_then_columns(down: int, right: int, grid: Grid) -> None:
    wanted = np.roll(np.array(grid), (down, right), axis=(0, 1))
    assert transform(f"translate_{down}_{right}", grid) == tuple(map(tuple, wanted.tolist()))


def test_by_hand() -> None:
    assert transform("rotate_90", GRID) == ((3, 6), (2, 5), (1, 4))
    assert transform("flip_0", GRID) == ((4, 5, 6), (1, 2, 3))
    assert transform("reflect_0", GRID) == ((1, 2, 3), (4, 5, 6), (4, 5, 6), (1, 2, 3))
    assert transform("translate_1_0", GRID) == ((4, 5, 6), (1, 2, 3))
    assert transform("translate_0_1", GRID) == ((3, 1, 2), (6, 4, 5))
    assert transform("rotate_90+increase_width_2", GRID) == ((3, 3, 6, 6), (2, 2, 5, 5), (1, 1, 4, 4))


def test_lists_come_back_as_lists() -> None:
    grid = [[1, 2], [3, 4]]
    assert transform("transpose", grid) == [[1, 3], [2, 4]]
    assert transform(IDENTITY, grid) is not grid


@given(chains, grids())
def test_inverse_undoes(name: str, grid: Grid) -> None:
    back = inverse(name)
    assert back is not None
    assert transform(back, transform(name, grid)) == grid
    assert transform(name, transform(back, grid)) == grid
    assert transform(inverse(back) or "", grid) == transform(name, grid)


@pytest.mark.parametrize("name", [*SIZE, *CHAIN, *REPEAT, *(n for n in BASIC if n.startswith("reflect"))])
def test_what_changes_the_number_of_cells_has_no_inverse(name: str) -> None:
    assert inverse(name) is None
    assert inverse(f"rotate_90+{name}") is None
    assert sum(colours(transform(name, GRID)).values()) > 6


@given(chains, grids())
def test_turns_keep_shape_and_colours(name: str, grid: Grid) -> None:
    changed = transform(name, grid)
    turned = sum(part in ("rotate_90", "rotate_270", "transpose") for part in name.split("+")) % 2
    shape = (len(grid), len(grid[0]))
    assert (len(changed), len(changed[0])) == (shape[::-1] if turned else shape)
    assert colours(changed) == colours(grid)


@given(st.sampled_from([*SIZE, *REPEAT, *(n for n in BASIC if n.startswith("reflect"))]), grids())
def test_growth_multiplies_every_colour(name: str, grid: Grid) -> None:
    changed = transform(name, grid)
    times = len(changed) * len(changed[0]) // (len(grid) * len(grid[0]))
    assert times == (4 if name in ("increase_resolution_2", "repeat_2_2") else 2)
    assert colours(changed) == Counter({colour: times * count for colour, count in colours(grid).items()})


@given(plain, plain, grids())
def test_a_chain_is_one_after_the_other(first: str, second: str, grid: Grid) -> None:
    assert transform(f"{first}+{second}", grid) == transform(second, transform(first, grid))


D4 = {
    "identity": ((1, 0), (0, 1)),
    "rotate_90": ((0, -1), (1, 0)),
    "rotate_180": ((-1, 0), (0, -1)),
    "rotate_270": ((0, 1), (-1, 0)),
    "flip_0": ((-1, 0), (0, 1)),
    "flip_1": ((1, 0), (0, -1)),
    "transpose": ((0, 1), (1, 0)),
    "rotate_180+transpose": ((0, -1), (-1, 0)),
}
"""Where each takes a cell, as a matrix on (row, column) from the middle: another way to the group's table."""


@pytest.mark.parametrize(("first", "second"), list(product(D4, D4)))
def test_the_turns_and_mirrorings_multiply_as_the_dihedral_group(first: str, second: str) -> None:
    matrix = np.array(D4[second]) @ np.array(D4[first])
    (third,) = [name for name, each in D4.items() if np.array_equal(np.array(each), matrix)]
    assert transform(f"{first}+{second}", GRID) == transform(third, GRID)


def test_the_eight_are_different() -> None:
    assert len({transform(name, GRID) for name in D4}) == 8


@given(st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9), st.integers(-9, 9), grids())
def test_translations_add_up(a: int, b: int, c: int, d: int, grid: Grid) -> None:
    assert transform(f"translate_{a}_{b}+translate_{c}_{d}", grid) == transform(
        translation(a + c, b + d), grid
    )


def test_the_families_are_those_of_the_paper() -> None:
    assert {name: len(members) for name, members in FAMILIES.items()} == {
        "basic": 11,
        "size": 3,
        "chain": 6,
        "repeat": 3,
    }
    assert all(
        transform(name, GRID) for family in FAMILIES.values() for name in family if name != "translate"
    )


@pytest.mark.parametrize(
    "name", ["rotate_45", "", "translate", "rotate_90+", "translate_1", "translate_1_2_3"]
)
def test_unknown_names_are_named(name: str) -> None:
    for call in (lambda: transform(name, GRID), lambda: inverse(name)):
        with pytest.raises(UsageError) as caught:
            call()
        assert "\n" not in str(caught.value)
        assert "translate" in str(caught.value)


def test_a_ragged_grid_is_refused() -> None:
    with pytest.raises(UsageError, match="full rectangle"):
        transform("transpose", ((1, 2), (3,)))
