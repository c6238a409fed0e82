"""A recipe's table on passages, from these to the figures. What is in the store is not computed again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from selfedit.config import PAIRS, Recipe
from selfedit.errors import UsageError
from selfedit.evaluating.answering import work
from selfedit.evaluating.figures import TableRow, table
from selfedit.evaluating.passages import passages
from selfedit.evaluating.rows import methods
from selfedit.evaluating.study import Line, Method, Passages, Study
from selfedit.evaluating.verdicts import Graded, graded
from selfedit.graders import grader_at
from selfedit.lessons import Watch
from selfedit.policies import shipped
from selfedit.recipes import data_file
from selfedit.reinforcing import Campaign
from selfedit.reinforcing.passages import Passages as Trained
from selfedit.store import Store
from selfedit.types import Head
from selfedit.workers import Worker


@final
@dataclass(frozen=True)
class Table:
    """The rows, why others are not there, and all that the rows were made of."""

    rows: tuple[TableRow, ...]
    missing: tuple[str, ...]
    graded: tuple[Graded, ...]


@final
@dataclass(frozen=True)
class Tabulation:
    """What is to be measured on which passages; a store and a worker make a table of it."""

    recipe: Recipe
    rows: tuple[str, ...]
    passages: Passages
    data: Path | None

    def __call__(self, store: Store, worker: Worker, watch: Watch) -> Table:
        study = self._study(store, worker, watch)
        asked, missing = methods(study, self.rows)
        lines = work(study, asked)
        done = graded(study, lines)
        made = table(done, [method.name for method in asked])
        _keep(study, asked, lines, made)
        return Table(tuple(made), tuple(missing), tuple(done))

    def _study(self, store: Store, worker: Worker, watch: Watch) -> Study:
        recipe = self.recipe
        writer = shipped(worker) if PAIRS in recipe.write.formats else None
        return Study(
            recipe,
            store,
            worker,
            self.passages,
            grader_at(recipe.judge.grader, recipe.base, worker),
            worker.head([writer]) if writer else None,
            policies(store, worker, self) if "rounds" in self.rows or _joint(self.rows) else {},
            watch,
            writer,
        )


def tabulation(recipe: Recipe, data: Path | None, rows: tuple[str, ...], limit: int | None) -> Tabulation:
    """Read the recipe's passages; `limit` takes the first so many. Raises DocumentError or UsageError."""
    return Tabulation(recipe, rows, passages(recipe, data, limit), data)


def _joint(rows: Items[str]) -> bool:
    return any(row.startswith("joint:") for row in rows)


def policies(store: Store, worker: Worker, wanted: Tabulation) -> dict[int, Head | None]:
    """The policy after each round of the recipe's run that has ended in this store, by its number.

    A run is of a recipe on certain passages; where they cannot be found, it has none.
    """
    try:
        data = data_file(wanted.recipe.data.train, wanted.data).read_bytes()
    except UsageError:
        return {}
    kind = Trained(wanted.recipe, (), hashlib.sha256(data).hexdigest())
    return Campaign(store, worker, wanted.recipe, kind).policies


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
        "recipe": study.recipe.told(),
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
