"""A recipe's table, from the passages to the figures. What is in the store is not computed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from pydantic import ValidationError

from selfedit.config import BUILT_IN, Recipe, Reporting
from selfedit.errors import StoreError, UsageError
from selfedit.evaluating.answering import work
from selfedit.evaluating.figures import TableRow, table
from selfedit.evaluating.passages import passages
from selfedit.evaluating.rows import methods
from selfedit.evaluating.study import Line, Method, Passages, Study
from selfedit.evaluating.verdicts import Graded, graded
from selfedit.graders import grader_for
from selfedit.lessons import Watch, unwatched
from selfedit.memory import Memory
from selfedit.policies import shipped
from selfedit.recipes import data_file
from selfedit.reinforcing import Campaign
from selfedit.reinforcing.passages import Passages as Trained
from selfedit.rewards import Grader
from selfedit.settled import settle
from selfedit.store import Store
from selfedit.types import Head
from selfedit.workers import Worker
from selfedit.workers.lazy import LazyWorker

PAIRS = "question-answer"
"""The format that a shipped writer writes."""


@final
@dataclass(frozen=True)
class Wanted:
    """What is to be measured: a recipe, the folder of its data, and how much of the table."""

    recipe: Recipe
    data: Path | None = None
    rows: tuple[str, ...] = ()
    """In place of the recipe's."""
    limit: int | None = None
    """Only the first so many passages, in an order that is drawn once."""

    def check(self) -> None:
        """Raise UsageError or DocumentError for rows and data that there are not. Loads no model."""
        _ = self.named
        passages(self.recipe, self.data, self.limit)

    @property
    def named(self) -> tuple[str, ...]:
        """The rows. Raises UsageError for one that there is not."""
        try:
            return Reporting(rows=self.rows or self.recipe.report.rows).rows
        except ValidationError as error:
            what = error.errors()[0]
            raise UsageError(f"--rows: {what['input']!r}: {what['msg']}") from error


@final
@dataclass(frozen=True)
class Table:
    """The rows, why others are not there, and all that the rows were made of."""

    rows: tuple[TableRow, ...]
    missing: tuple[str, ...]
    graded: tuple[Graded, ...]


def evaluate(memory: Memory, wanted: Wanted, *, watch: Watch = unwatched) -> Table:
    """The table of a recipe, measured in the memory's store, which it holds while it works.

    Everything is kept as it is made, by a hash of what it depends on: a second call computes nothing twice,
    and one that was broken off goes on. The store's own commits play no part: what is measured stands on its
    base. Raises UsageError, StoreError and their kin in one line.
    """
    rows = wanted.named
    found = passages(wanted.recipe, wanted.data, wanted.limit)
    how = memory.access
    with Store.open(
        memory.path, write=True, verb="eval", wait=how.wait, waiting=how.waiting, journal=how.journal
    ) as store:
        study = _study(store, memory, wanted, found, watch)
        asked, missing = methods(study, rows)
        lines = work(study, asked)
        done = graded(study, lines)
        made = table(done, [method.name for method in asked])
        _keep(study, asked, lines, made)
    return Table(tuple(made), tuple(missing), tuple(done))


def _study(store: Store, memory: Memory, wanted: Wanted, found: Passages, watch: Watch) -> Study:
    def hire() -> Worker:
        watch("loading the model", 0, 0)
        store.check_weights(memory.worker.base)
        if memory.worker.dtype != store.dtype:
            raise StoreError(f"{store.path}: computes in {store.dtype}, not in {memory.worker.dtype}")
        settle(store, memory.worker, f"eval {wanted.recipe.id}")
        return memory.worker

    worker, recipe = LazyWorker(hire, store.weights, store.dtype), wanted.recipe
    writer = shipped(worker) if PAIRS in recipe.write.formats else None
    return Study(
        recipe,
        store,
        worker,
        found,
        _grader(recipe, worker),
        worker.head([writer]) if writer else None,
        policies(store, worker, wanted) if "rounds" in wanted.named or _joint(wanted.named) else {},
        watch,
    )


def _joint(rows: Items[str]) -> bool:
    return any(row.startswith("joint:") for row in rows)


def _grader(recipe: Recipe, worker: Worker) -> Grader:
    """The recipe's. The model at hand serves it where it would load the same one."""
    own = recipe.judge.grader == "base" or recipe.base == BUILT_IN
    return grader_for(recipe.judge.grader, (lambda: worker) if own else None)


def policies(store: Store, worker: Worker, wanted: Wanted) -> dict[int, Head | None]:
    """The policy after each round of the recipe's run that has ended in this store, by its number.

    A run is of a recipe on certain passages; where they cannot be found, it has none.
    """
    try:
        data = data_file(wanted.recipe.data.train, wanted.data).read_bytes()
    except UsageError:
        return {}
    kind = Trained(wanted.recipe, (), hashlib.sha256(data).hexdigest())
    run = Campaign(store, worker, wanted.recipe, kind)
    ended = [row for row in run.ended if row.number <= wanted.recipe.rounds]
    return {row.number: run.head(row.number + 1) for row in ended}


# -- what is kept for whoever looks at it later --------------------------------------------------------


def _keep(study: Study, asked: Items[Method], lines: Items[Line], made: Items[TableRow]) -> None:
    """The table in the journal, as the newest of this recipe, with the keys of all that it was made of."""
    passages = {study.key("passage", task.id, [p.id for p in task.probes]): task for task in study.tasks}
    study.store.put_results(
        "row",
        {
            key: {"title": task.title, "passage": task.passage, "questions": [asdict(p) for p in task.probes]}
            for key, task in passages.items()
        },
    )
    value = {
        "recipe": study.recipe.model_dump(mode="json"),
        "grader": study.grader.name,
        "dtype": study.worker.dtype,
        "table": [asdict(row) for row in made],
        "passages": {task.id: key for key, task in passages.items()},
        "lines": _by_method(asked, lines),
    }
    if not _same(study.store.report("eval", study.recipe.id), value):
        study.store.keep_report("eval", study.recipe.id, value)


def _by_method(asked: Items[Method], lines: Items[Line]) -> dict[str, list[list[Any]]]:
    """Method → for each passage and seed the key that its row is kept under."""
    return {
        method.name: [[line.task, line.seed, line.key] for line in lines if line.method == method.name]
        for method in asked
    }


def _same(held: Mapping[str, Any] | None, value: Mapping[str, Any]) -> bool:
    return held is not None and held == json.loads(json.dumps(value))
