"""Tasks of demonstrations in other guises: one left out, shuffled, transformed, recoloured. Pure functions.

Chance comes from `rng_for` alone: the same task and seed give the same variants on every machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from selfedit.edits.augment import FAMILIES, IDENTITY, TRANSLATE, transform, translation
from selfedit.types import MOST_SIDE, Example, FewShot, Grid, Value, rng_for

Colours = tuple[int, ...]
"""The new colour of each of the ten."""


def leave_one_out(task: FewShot[Value]) -> tuple[FewShot[Value], ...]:
    """For each demonstration, the task of the others that asks for it.

    A task's only demonstration is asked for with none shown. The tests take no part.
    """
    shown = task.demonstrations
    return tuple(
        replace(task, demonstrations=shown[:i] + shown[i + 1 :], tests=(asked,))
        for i, asked in enumerate(shown)
    )


def mapped(task: FewShot[Value], change: Callable[[Value], Value]) -> FewShot[Value]:
    """The task with every input and output changed alike."""
    shown, asked = (
        tuple(Example(change(example.input), change(example.output)) for example in part)
        for part in (task.demonstrations, task.tests)
    )
    return replace(task, demonstrations=shown, tests=asked)


def shuffled(task: FewShot[Value], *seed: object) -> FewShot[Value]:
    """The task with its demonstrations in an order drawn by `seed`."""
    order = list(task.demonstrations)
    rng_for("shuffle", *seed).shuffle(order)
    return replace(task, demonstrations=tuple(order))


def shown_id(task: FewShot[Value]) -> str:
    """An id of what the task shows: chance hangs on it where nothing may depend on the tests."""
    return replace(task, tests=()).id


# -- grids ------------------------------------------------------------------------------------------


def transformed(task: FewShot[Grid], name: str) -> FewShot[Grid]:
    """The task with every grid transformed, whatever size that gives."""
    return mapped(task, lambda grid: transform(name, grid))


def permuted_colours(*seed: object) -> Colours:
    """The colours 1 to 9 in an order drawn by `seed`; 0, the background by convention, stays."""
    rest = list(range(1, 10))
    rng_for("colours", *seed).shuffle(rest)
    return (0, *rest)


def recolour(grid: Grid, colours: Colours) -> Grid:
    """Each cell in its new colour."""
    return tuple(tuple(map(colours.__getitem__, row)) for row in grid)


def undone(colours: Colours) -> Colours:
    """The colours that take `recolour` back."""
    return tuple(colours.index(old) for old in range(len(colours)))


def recoloured(task: FewShot[Grid], colours: Colours) -> FewShot[Grid]:
    """The task with every grid in the new colours."""
    return mapped(task, lambda grid: recolour(grid, colours))


def fits(task: FewShot[Grid], most: int = MOST_SIDE) -> bool:
    """Whether no grid has more than `most` rows or columns."""
    return all(len(grid) <= most and len(grid[0]) <= most for grid in grids(task))


def grids(task: FewShot[Value]) -> Iterator[Value]:
    """All inputs and outputs, the tests' too."""
    for example in (*task.demonstrations, *task.tests):
        yield example.input
        yield example.output


def names_of(families: Iterable[str], task: FewShot[Grid], *seed: object) -> tuple[str, ...]:
    """The transforms of the families, a translation with the offsets that `seed` draws for the task."""
    named = (name for family in families for name in FAMILIES[family])
    return tuple(_drawn(task, *seed) if name == TRANSLATE else name for name in named)


def _drawn(task: FewShot[Grid], *seed: object) -> str:
    """Within the smallest grid, so that it comes out whole in none unless that has but one cell a side."""
    rng = rng_for("translate", *seed)
    heights, widths = ([*sizes] for sizes in zip(*((len(g), len(g[0])) for g in grids(task)), strict=True))
    down, right = (rng.randint(1, max(1, min(sides) - 1)) for sides in (heights, widths))
    return translation(down, right)


def grid_variants(task: FewShot[Grid], families: Iterable[str] = (), *, seed: int = 0) -> list[FewShot[Grid]]:
    """What a task of grids is trained on: each demonstration asked for in turn, in many guises.

    As it is; with colours permuted and demonstrations shuffled; and so under every transform of the families.
    What exceeds 30×30 is dropped.
    """
    families = tuple(families)
    found: list[FewShot[Grid]] = []
    for plain in leave_one_out(task):
        key = (seed, plain.id)
        found.append(plain)
        for name in (IDENTITY, *names_of(families, plain, *key)):
            changed = transformed(plain, name)
            if fits(changed):
                found.append(shuffled(recoloured(changed, permuted_colours(*key, name)), *key, name))
    return found
