"""Transforms of grids, by name, and their inverses. Knows nothing of tasks, chance or bounds on size.

Rotations are counter-clockwise, as `numpy.rot90`. Axis 0 runs along rows, top to bottom, and 1 along columns:
`flip_0` mirrors top to bottom, `reflect_0` puts the grid above its mirror image (`_reversed`: below it),
`increase_height_2` doubles each row in place, `repeat_0_2` stacks two copies, `repeat_2_2` tiles two by two.
`translate_2_1` moves the cells 2 rows down and 1 column right, those that leave come in again on the other
side; offsets may be negative. `a+b` is first `a`, then `b`. The families are those of the paper (SEAL, arXiv
2506.10943, section 3.2, after Akyürek et al. 2024); in them, a bare `translate` stands for one whose offsets
are drawn for each task.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from functools import lru_cache
from typing import cast, overload

import regex

from selfedit.errors import UsageError
from selfedit.types import Grid

IDENTITY = "identity"
TRANSLATE = "translate"

BASIC = (
    *("rotate_90", "rotate_180", "rotate_270", "flip_0", "flip_1"),
    *("reflect_0", "reflect_0_reversed", "reflect_1", "reflect_1_reversed"),
    *(TRANSLATE, "transpose"),
)
SIZE = ("increase_resolution_2", "increase_height_2", "increase_width_2")
CHAIN = tuple(
    f"{turn}+increase_resolution_2"
    for turn in ("rotate_90", "rotate_180", "rotate_270", "flip_0", "flip_1", "transpose")
)
REPEAT = ("repeat_0_2", "repeat_1_2", "repeat_2_2")
FAMILIES: Mapping[str, tuple[str, ...]] = {"basic": BASIC, "size": SIZE, "chain": CHAIN, "repeat": REPEAT}

_Transform = Callable[[Grid], Grid]


@overload
def transform(name: str, grid: Grid) -> Grid: ...
@overload
def transform(name: str, grid: list[list[int]]) -> list[list[int]]: ...
def transform(name: str, grid: Items[Items[int]]) -> Grid | list[list[int]]:
    """The grid transformed: a grid of lists comes back as lists. `UsageError` for a name that is none.

    Never bounds the size; whoever builds tasks drops what has become too large.
    """
    rows = tuple(map(tuple, grid))
    if not rows or not rows[0] or any(len(row) != len(rows[0]) for row in rows):
        raise UsageError(f"{name}: rows of {sorted({len(row) for row in rows})} cells; give a full rectangle")
    for step in _steps(name):
        rows = step(rows)
    return [list(row) for row in rows] if isinstance(grid, list) else rows


def inverse(name: str) -> str | None:
    """The name that takes `transform(name, ...)` back, or None where the result has another size.

    `UsageError` for a name that is none.
    """
    _steps(name)
    back = [_inverse_of(part) for part in reversed(name.split("+"))]
    return None if None in back else "+".join(cast("list[str]", back))


def translation(down: int, right: int) -> str:
    """The name that moves the cells so many rows down and columns to the right."""
    return f"{TRANSLATE}_{down}_{right}"


# -- the transforms ---------------------------------------------------------------------------------


def _rotated(grid: Grid) -> Grid:
    return tuple(zip(*grid, strict=True))[::-1]


def _upside_down(grid: Grid) -> Grid:
    return grid[::-1]


def _mirrored(grid: Grid) -> Grid:
    return tuple(row[::-1] for row in grid)


def _transposed(grid: Grid) -> Grid:
    return tuple(zip(*grid, strict=True))


def _tall(grid: Grid) -> Grid:
    return tuple(row for row in grid for _ in range(2))


def _wide(grid: Grid) -> Grid:
    return tuple(tuple(cell for cell in row for _ in range(2)) for row in grid)


def _stacked(upper: Grid, lower: Grid) -> Grid:
    return upper + lower


def _beside(left: Grid, right: Grid) -> Grid:
    return tuple(a + b for a, b in zip(left, right, strict=True))


def _moved(down: int, right: int) -> _Transform:
    def move(grid: Grid) -> Grid:
        rows, columns = -down % len(grid), -right % len(grid[0])
        return tuple(row[columns:] + row[:columns] for row in grid[rows:] + grid[:rows])

    return move


_BY_NAME: dict[str, _Transform] = {
    IDENTITY: lambda grid: grid,
    "rotate_90": _rotated,
    "rotate_180": lambda grid: _mirrored(_upside_down(grid)),
    "rotate_270": lambda grid: _transposed(grid[::-1]),
    "flip_0": _upside_down,
    "flip_1": _mirrored,
    "transpose": _transposed,
    "reflect_0": lambda grid: _stacked(grid, _upside_down(grid)),
    "reflect_0_reversed": lambda grid: _stacked(_upside_down(grid), grid),
    "reflect_1": lambda grid: _beside(grid, _mirrored(grid)),
    "reflect_1_reversed": lambda grid: _beside(_mirrored(grid), grid),
    "increase_resolution_2": lambda grid: _tall(_wide(grid)),
    "increase_height_2": _tall,
    "increase_width_2": _wide,
    "repeat_0_2": lambda grid: _stacked(grid, grid),
    "repeat_1_2": lambda grid: _beside(grid, grid),
    "repeat_2_2": lambda grid: _stacked(_beside(grid, grid), _beside(grid, grid)),
}
_INVERSES = {
    **{name: name for name in (IDENTITY, "rotate_180", "flip_0", "flip_1", "transpose")},
    "rotate_90": "rotate_270",
    "rotate_270": "rotate_90",
}
_OFFSETS = regex.compile(rf"{TRANSLATE}_(-?[0-9]{{1,4}})_(-?[0-9]{{1,4}})")
NAMES = tuple(_BY_NAME)
"""All but the translations, of which there is one for every pair of offsets."""


@lru_cache(maxsize=4096)
def _steps(name: str) -> tuple[_Transform, ...]:
    return tuple(_step(part, name) for part in name.split("+"))


def _step(part: str, name: str) -> _Transform:
    if part in _BY_NAME:
        return _BY_NAME[part]
    if found := _OFFSETS.fullmatch(part):
        return _moved(int(found.group(1)), int(found.group(2)))
    if part == TRANSLATE:
        raise UsageError(f"transform {name!r}: translate takes its offsets in the name, as translate_2_1")
    known = ", ".join((*NAMES, "translate_R_C"))
    raise UsageError(f"transform {name!r}: {part!r} is not known; choose among {known}, joined by +")


def _inverse_of(part: str) -> str | None:
    if found := _OFFSETS.fullmatch(part):
        return translation(-int(found.group(1)), -int(found.group(2)))
    return _INVERSES.get(part)
