"""A recipe's table in a memory's store, whatever its tasks are: the page to read first.

A kind of task says how a table comes about (`MEASURES`): of passages `tabulating`, of tasks of demonstrations
`competing`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, final

from pydantic import ValidationError

from selfedit.config import FEW_SHOT_ROWS, ROWS, Recipe, Reporting
from selfedit.errors import StoreError, UsageError
from selfedit.evaluating.competing import SolvedTable, competition
from selfedit.evaluating.tabulating import Table, tabulation
from selfedit.lessons import Watch, unwatched
from selfedit.memory import Memory
from selfedit.settled import settle
from selfedit.store import Store
from selfedit.workers import Worker
from selfedit.workers.lazy import LazyWorker


class Measure(Protocol):
    """Measures tasks that were read already, in a store that is open for writing."""

    def __call__(self, store: Store, worker: Worker, watch: Watch) -> Table | SolvedTable: ...


class Reading(Protocol):
    """Reads what is to be measured on. Raises UsageError or DocumentError; loads no model."""

    def __call__(
        self, recipe: Recipe, data: Path | None, rows: tuple[str, ...], limit: int | None
    ) -> Measure: ...


MEASURES: Mapping[str, Reading] = {"passages": tabulation, "arc": competition, "text": competition}
"""By kind of task."""


@final
@dataclass(frozen=True)
class Wanted:
    """What is to be measured: a recipe, the folder of its data, and how much of the table."""

    recipe: Recipe
    data: Path | None = None
    rows: tuple[str, ...] = ()
    """In place of the recipe's."""
    limit: int | None = None
    """Only the first so many passages or tasks, in an order that is drawn once."""

    def check(self) -> None:
        """Raise UsageError or DocumentError for rows and data that there are not. Loads no model."""
        self.read()

    def read(self) -> Measure:
        """The tasks, ready to be measured."""
        return MEASURES[self.recipe.data.kind](self.recipe, self.data, self.named, self.limit)

    @property
    def named(self) -> tuple[str, ...]:
        """The rows. Raises UsageError for one that there is not."""
        try:
            rows = Reporting(rows=self.rows or self.recipe.report.rows).rows
        except ValidationError as error:
            what = error.errors()[0]
            raise UsageError(f"--rows: {what['input']!r}: {what['msg']}") from error
        of_kind = OF_PASSAGES if self.recipe.data.kind == "passages" else FEW_SHOT_ROWS
        others = [row for row in rows if row.partition(":")[0] not in of_kind]
        if others:
            kind, known = self.recipe.data.kind, ", ".join(dict.fromkeys(of_kind))
            raise UsageError(
                f"--rows: {others[0]!r}: of data.kind {kind} there are {known}; choose among these"
            )
        return rows


OF_PASSAGES = tuple(row.partition(":")[0] for row in ROWS if row not in ("fixed", "oracle"))
"""Rows of a table on passages, without what a name may say after a colon."""


def evaluate(memory: Memory, wanted: Wanted, *, watch: Watch = unwatched) -> Table | SolvedTable:
    """The table of a recipe, measured in the memory's store, which it holds while it works.

    Everything is kept as it is made, by a hash of what it depends on: a second call computes nothing twice,
    and one that was broken off goes on. The store's own commits play no part: what is measured stands on its
    base. Raises UsageError, StoreError and their kin in one line.
    """
    measure = wanted.read()
    how = memory.access
    with Store.open(
        memory.path, write=True, verb="eval", wait=how.wait, waiting=how.waiting, journal=how.journal
    ) as store:

        def hire() -> Worker:
            watch("loading the model", 0, 0)
            store.check_weights(memory.worker.base)
            if memory.worker.dtype != store.dtype:
                raise StoreError(f"{store.path}: computes in {store.dtype}, not in {memory.worker.dtype}")
            settle(store, memory.worker, f"eval {wanted.recipe.id}")
            return memory.worker

        return measure(store, LazyWorker(hire, store.weights, store.dtype), watch)
