"""A test asked in several guises, and each answer taken back to the plain one. Generates and judges nothing.

The guises keep all demonstrations and can be undone, so that the answers to all of them may be voted on
(SEAL, arXiv 2506.10943, section 3.2; `rewards.voting`). The first query is the task as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Generic, final

from selfedit.edits.augment import IDENTITY, inverse, transform
from selfedit.edits.few_shot import SPACED
from selfedit.edits.notation import Notation, read_grid, read_text
from selfedit.edits.rewording import Renaming, rename, renaming, unrenaming
from selfedit.edits.variants import mapped, permuted_colours, recolour, shown_id, shuffled, undone
from selfedit.errors import UsageError
from selfedit.types import Failure, FewShot, Grid, Value

INVERTIBLE = (
    *(IDENTITY, "rotate_90", "rotate_180", "rotate_270", "flip_0", "flip_1", "transpose"),
    "rotate_180+transpose",
)
"""All turns and mirrorings of a grid."""


@final
@dataclass(frozen=True, slots=True)
class Query(Generic[Value]):
    """One input asked in one guise."""

    guise: str
    """What was done to the values; copies of one guise differ in order, and in colours or symbols."""
    prompt: str
    stop: tuple[str, ...]
    """What ends an answer."""
    do: Callable[[Value], Value]
    """From a plain value to the guise's."""
    read: Callable[[str], Value | Failure]
    """From what the model wrote to the plain answer."""
    notation: Notation = SPACED

    def completion(self, output: Value) -> str:
        """How the plain `output` is answered in this guise: the completion whose likelihood is scored."""
        return self.notation.completion(self.do(output))


def grid_queries(
    task: FewShot[Grid],
    test: int = 0,
    *,
    names: tuple[str, ...] = INVERTIBLE,
    copies: int = 1,
    seed: int = 0,
    notation: Notation = SPACED,
) -> tuple[Query[Grid], ...]:
    """The test under each of the named transforms; `UsageError` for one that has no inverse.

    The first copy of each keeps order and colours; each further one has demonstrations shuffled and colours
    permuted.
    """
    asked = replace(task, tests=(task.tests[test],))
    return tuple(
        _grid_query(asked, name, (seed, shown_id(task), test, name, copy) if copy else (), notation)
        for copy in range(copies)
        for name in names
    )


def _grid_query(task: FewShot[Grid], name: str, key: tuple[object, ...], notation: Notation) -> Query[Grid]:
    back = inverse(name)
    if back is None:
        raise UsageError(f"query {name!r}: the transform cannot be undone; choose one that has an inverse")
    colours = permuted_colours(*key) if key else tuple(range(10))
    original = undone(colours)

    def do(grid: Grid) -> Grid:
        return recolour(transform(name, grid), colours)

    def read(text: str) -> Grid | Failure:
        grid = read_grid(text)
        return grid if isinstance(grid, Failure) else transform(back, recolour(grid, original))

    return _query(task, name, key, notation, do, read)


def text_queries(
    task: FewShot[str],
    test: int = 0,
    *,
    renamed: bool = False,
    copies: int = 1,
    seed: int = 0,
    notation: Notation = SPACED,
) -> tuple[Query[str], ...]:
    """The test as it is; further copies have demonstrations shuffled and, if `renamed`, symbols exchanged."""
    asked = replace(task, tests=(task.tests[test],))
    keys = ((seed, shown_id(task), test, copy) if copy else () for copy in range(copies))
    return tuple(_text_query(asked, key, renamed, notation) for key in keys)


def _text_query(task: FewShot[str], key: tuple[object, ...], renamed: bool, notation: Notation) -> Query[str]:
    new: Renaming = renaming(_without_outputs(task), *key) if renamed and key else {}
    original = unrenaming(new)
    one_line = not any("\n" in example.output for example in task.demonstrations)

    def do(text: str) -> str:
        return rename(text, new)

    def read(text: str) -> str | Failure:
        answer = read_text(text, one_line=one_line)
        return answer if isinstance(answer, Failure) else rename(answer, original)

    return _query(task, "rename" if new else IDENTITY, key, notation, do, read)


def _without_outputs(task: FewShot[str]) -> FewShot[str]:
    """Without the tests' outputs, by which nothing that is asked may be chosen."""
    return replace(task, tests=tuple(replace(example, output="") for example in task.tests))


def _query(
    task: FewShot[Value],
    guise: str,
    key: tuple[object, ...],
    notation: Notation,
    do: Callable[[Value], Value],
    read: Callable[[str], Value | Failure],
) -> Query[Value]:
    changed = mapped(task, do)
    changed = shuffled(changed, *key) if key else changed
    prompt = notation.prompt(changed, changed.tests[0].input)
    return Query(guise, prompt, notation.stop(changed), do, read, notation)
