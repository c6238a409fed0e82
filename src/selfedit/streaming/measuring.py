"""A stream in a memory's store, from the recipe to the table: the page to read first.

    for every sequence of documents
        every document's self-edit is written once         (documents.documents)
        the base is asked, as it is                        (alone.base)
        every method learns one document after another     (merged, routed, superposed)
            and after each step is asked about all of them (life.Life.measure)
        one adapter learns them all at once                (alone.joint)
    all that was kept comes to a table                     (tabulating.table)

A step is kept when it has ended: broken off, the next call goes on, and nothing is computed twice. The
store's own commits play no part: what is measured stands on its base.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from selfedit.config import PAIRS
from selfedit.config.streaming import BASE, JOINT, StreamRecipe
from selfedit.errors import StoreError, UsageError
from selfedit.lessons import Watch, unwatched
from selfedit.memory import Memory
from selfedit.policies import shipped
from selfedit.settled import settle
from selfedit.store import Store
from selfedit.streaming import alone, merged, routed, superposed
from selfedit.streaming.documents import documents, grader
from selfedit.streaming.drawing import drawn, some_canaries
from selfedit.streaming.life import Life, base_canaries
from selfedit.streaming.shelf import Shelf
from selfedit.streaming.study import Document, Lived, Series, Study, Sung
from selfedit.streaming.tabulating import StreamRow, table
from selfedit.workers import Worker
from selfedit.workers.lazy import LazyWorker

KIND = "stream"
"""Of the report that a table is kept as; its subject is the recipe's id."""


@final
@dataclass(frozen=True)
class Wanted:
    """What is to be measured: a recipe, the folder of its data, and how much of it."""

    recipe: StreamRecipe
    data: Path | None = None
    methods: tuple[str, ...] = ()
    """By name; none: all of the recipe, and `joint` where it has that. The base is always asked."""
    sequences: int | None = None
    """Only the first so many."""

    def check(self) -> tuple[tuple[str, ...], tuple[Series, ...]]:
        """The rows that are asked for, and the sequences. Loads no model.

        Raises UsageError or DocumentError for methods, sequences and data that there are not.
        """
        names = self.methods or self.recipe.names
        for name in names:
            if name not in (BASE, *self.recipe.names):
                known = ", ".join(self.recipe.names)
                raise UsageError(f"--methods: {name!r}: no such method; choose among {known}")
        return (BASE, *(name for name in self.recipe.names if name in names)), self.series

    @property
    def series(self) -> tuple[Series, ...]:
        return drawn(self.recipe, self.data, self.sequences)


@final
@dataclass(frozen=True)
class StreamTable:
    """The rows, the base first, then the methods in the recipe's order, then `joint`."""

    rows: tuple[StreamRow, ...]


def stream(memory: Memory, wanted: Wanted, *, watch: Watch = unwatched) -> StreamTable:
    """The table of a recipe, measured in the memory's store, which it holds while it works.

    Methods of the recipe that are not asked for are in it where all of their steps are kept already. Raises
    UsageError, StoreError and their kin in one line.
    """
    names, series = wanted.check()
    how = memory.access
    with Store.open(
        memory.path, write=True, verb="stream", wait=how.wait, waiting=how.waiting, journal=how.journal
    ) as store:

        def hire() -> Worker:
            watch("loading the model", 0, 0)
            store.check_weights(memory.worker.base)
            if memory.worker.dtype != store.dtype:
                raise StoreError(f"{store.path}: computes in {store.dtype}, not in {memory.worker.dtype}")
            settle(store, memory.worker, f"stream {wanted.recipe.id}")
            return memory.worker

        worker = LazyWorker(hire, store.weights, store.dtype)
        return _measured(_study(store, worker, wanted.recipe, series, watch), names)


def _study(
    store: Store, worker: Worker, recipe: StreamRecipe, series: tuple[Series, ...], watch: Watch
) -> Study:
    policy = shipped(worker)
    return Study(
        recipe,
        store,
        worker,
        series,
        some_canaries(recipe),
        Shelf(store.path),
        worker.head([policy]) if policy and recipe.write.format == PAIRS else None,
        watch,
        policy,
    )


def _measured(study: Study, names: Items[str]) -> StreamTable:
    study.shelf.sweep()
    canaries = base_canaries(study) if study.canaries.prompts else Sung((), (), ())
    known = tuple(at for at, right in zip(canaries.asked, canaries.right or (), strict=True) if right)
    written: dict[int, tuple[Document, ...]] = {}
    for series in study.series:
        written[series.number] = documents(study, series)
        lives = [life_of(study, name, series, written[series.number]) for name in names]
        for at, life in enumerate(lives):
            _live(life, known)
            later = {key for each in lives[at + 1 :] for key in each.shelf_keys}
            study.shelf.drop(key for key in life.shelf_keys if key not in later)
    study.shelf.sweep()
    held = {name: _held(study, name, written) for name in (BASE, *study.recipe.names)}
    whole = {name: each for name, each in held.items() if each is not None}
    study.watch(f"grading by {study.recipe.grader}", 0, 0)
    rows = table(study, whole, written, canaries, grader(study))
    _keep(study, rows)
    return StreamTable(tuple(rows))


def life_of(study: Study, name: str, series: Series, written: tuple[Document, ...]) -> Life:
    """A row on a sequence."""
    method = next((each for each in study.recipe.methods if each.name == name), None)
    return Life(study, name, series, written, method)


def _live(life: Life, known: Items[int]) -> None:
    ways: Mapping[str, Callable[[Life, Items[int]], None]] = {BASE: alone.base, JOINT: alone.joint}
    way = merged.live
    if life.method and life.method.routed:
        way = superposed.live if life.retention.superposed else routed.live
    ways.get(life.row, way)(life, known)


def _held(study: Study, name: str, written: Mapping[int, tuple[Document, ...]]) -> list[Lived] | None:
    """A row on every sequence as it is kept; None where any of it is missing."""
    found: list[Lived] = []
    for series in study.series:
        life = life_of(study, name, series, written[series.number])
        numbers = range(life.last + 1) if life.method else (life.last,)
        if life.missing(numbers):
            return None
        steps = tuple(step for number in numbers if (step := life.read(number)) is not None)
        found.append(Lived(name, series, steps, life.sung() if study.canaries.prompts else None, life.method))
    return found


def _keep(study: Study, rows: Items[StreamRow]) -> None:
    """The table in the journal, as the newest of this recipe."""
    value: dict[str, Any] = {
        "recipe": study.recipe.model_dump(mode="json"),
        "dtype": study.worker.dtype,
        "titles": [[task.title for task in series.tasks] for series in study.series],
        "rows": [asdict(row) for row in rows],
    }
    same = json.loads(json.dumps(value))
    if study.store.report(KIND, study.recipe.id) != same:
        study.store.keep_report(KIND, study.recipe.id, value)
