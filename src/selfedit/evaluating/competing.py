"""The table of a recipe on tasks of demonstrations. What is in the store is not computed again.

`oracle` is the best of the recipe's fixed settings, chosen on the very tasks that it is shown on: a ceiling
for any one setting, as the paper's. `fixed` is the best on the tasks that rounds draw from, shown on
the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from selfedit.config import Configuration, Recipe
from selfedit.evaluating.attempting import ByPolicy, BySetting, lines_of
from selfedit.evaluating.contest import IN_CONTEXT, Contest, Line, Way
from selfedit.evaluating.standings import SolvedRow, best, solved_by, standings
from selfedit.lessons import Watch
from selfedit.paraphrasing import with_paraphrases
from selfedit.recipes import Shown, reporting_tasks
from selfedit.reinforcing import Campaign
from selfedit.reinforcing.demonstrations import Demonstrations, read_demonstrations
from selfedit.store import Store
from selfedit.types import Head
from selfedit.workers import Worker

REPORT = "few-shot"
"""The kind of report that a table is kept as."""


@final
@dataclass(frozen=True)
class SolvedTable:
    """The rows, why others are not there, and all that the rows were made of."""

    rows: tuple[SolvedRow, ...]
    missing: tuple[str, ...]
    lines: tuple[Line, ...]
    tasks: tuple[Shown, ...]
    solvable: tuple[str, ...] | None
    """Ids of the tasks that the best setting solves; None where no settings were tried on them."""


@final
@dataclass(frozen=True)
class Grid:
    """The recipe's settings as they did on some tasks."""

    lines: tuple[tuple[Line, ...], ...]
    """By setting."""

    @property
    def best(self) -> int:
        return best(self.lines)

    @property
    def solvable(self) -> tuple[str, ...]:
        """Tasks that the best setting solves."""
        return solved_by(self.lines[self.best])

    @property
    def by_any(self) -> tuple[str, ...]:
        """Tasks that some setting solves."""
        return tuple(dict.fromkeys(task for mine in self.lines for task in solved_by(mine)))


@final
@dataclass(frozen=True)
class Competition:
    """What is to be measured on which tasks; a store and a worker make a table of it."""

    recipe: Recipe
    rows: tuple[str, ...]
    tasks: tuple[Shown, ...]
    trained: Demonstrations

    def __call__(self, store: Store, worker: Worker, watch: Watch) -> SolvedTable:
        run = Campaign(store, worker, self.recipe, self.trained)
        rounds = run.policies if "rounds" in self.rows else {}
        tasks, trained = self.tasks, self.trained.tasks
        if self.recipe.few_shot.paraphrase:
            tasks = with_paraphrases(store, worker, tasks, watch)
            trained = with_paraphrases(store, worker, trained, watch) if "fixed" in self.rows else trained
        contest = Contest(self.recipe, store, worker, tasks, trained, rounds, watch)
        store.record_demonstrations((*self.tasks, *self.trained.tasks))
        return _measured(contest, self.rows)


def competition(recipe: Recipe, data: Path | None, rows: tuple[str, ...], limit: int | None) -> Competition:
    """Read the recipe's tasks; `limit` takes the first so many. Raises DocumentError or UsageError."""
    tasks = reporting_tasks(recipe, data)[:limit]
    return Competition(recipe, rows, tasks, read_demonstrations(recipe, data))


# -- measuring -----------------------------------------------------------------------------------------


def _measured(contest: Contest, rows: Items[str]) -> SolvedTable:
    oracle = contest.recipe.few_shot.solvable or "oracle" in rows
    here = _grid(contest, contest.tasks, "setting") if oracle else None
    there = _grid(contest, contest.trained, "setting, training") if "fixed" in rows else None
    if contest.recipe.few_shot.solvable and here:
        contest = replace(contest, tasks=tuple(t for t in contest.tasks if t.id in here.solvable))
    choice = {"oracle": here.best if here else None, "fixed": there.best if there else None}
    ways, missing = _ways(contest, rows, choice)
    lines = lines_of(contest, ways, contest.tasks) if contest.tasks else []
    if not contest.tasks:
        missing = ["no task is solved by the best of few_shot.settings; choose few_shot.solvable: false"]
    shown = [way.name for way in ways] if contest.tasks else []
    made = standings(lines, shown, _settings(contest.recipe, choice))
    solvable = here.solvable if here else None
    table = SolvedTable(tuple(made), tuple(missing), tuple(lines), contest.tasks, solvable)
    _keep(contest, table, {"report": here, "train": there}, choice)
    return table


def _grid(contest: Contest, tasks: Items[Shown], name: str) -> Grid:
    """All settings on these tasks."""
    settings = contest.recipe.few_shot.settings
    ways = [Way(f"{name} {at}", BySetting(each)) for at, each in enumerate(settings, 1)]
    lines = lines_of(contest, ways, tasks)
    return Grid(tuple(tuple(line for line in lines if line.way == way.name) for way in ways))


Choice = Mapping[str, int | None]
"""Row with one setting for all tasks → which of the recipe's it is."""


def _settings(recipe: Recipe, choice: Choice) -> dict[str, dict[str, Any]]:
    return {
        row: recipe.few_shot.settings[at].model_dump(mode="json")
        for row, at in choice.items()
        if at is not None
    }


def _ways(contest: Contest, rows: Items[str], choice: Choice) -> tuple[list[Way], list[str]]:
    """The ways of these rows in order, and a line for each row that has none."""
    ways: list[Way] = []
    missing: list[str] = []
    for row in rows:
        mine = ROWS[row](contest, choice)
        ways += mine
        if not mine:
            missing.append(
                f"no row {row}: no round of this recipe has ended in this store; run `selfedit train`"
            )
    return ways, missing


def _by_policy(name: str, contest: Contest, policy: Head | None) -> Way:
    """Where the recipe applies self-edits to the policy, as SEAL does, so is it done here."""
    head = policy if contest.recipe.judge.on == "policy" else None
    return Way(name, ByPolicy(contest, policy), head, contest.recipe.few_shot.report_samples)


def _rounds(contest: Contest, choice: Choice) -> list[Way]:
    return [_by_policy(f"round {n}", contest, policy) for n, policy in contest.rounds.items()]


def _by_setting(name: str) -> Callable[[Contest, Choice], list[Way]]:
    def ways(contest: Contest, choice: Choice) -> list[Way]:
        at = choice[name]
        assert at is not None
        return [Way(name, BySetting(contest.recipe.few_shot.settings[at]))]

    return ways


ROWS: Mapping[str, Callable[[Contest, Choice], list[Way]]] = {
    IN_CONTEXT: lambda contest, choice: [Way(IN_CONTEXT)],
    "untrained": lambda contest, choice: [_by_policy("untrained", contest, None)],
    "rounds": _rounds,
    "fixed": _by_setting("fixed"),
    "oracle": _by_setting("oracle"),
}


# -- what is kept for whoever looks at it later --------------------------------------------------------


def _keep(contest: Contest, table: SolvedTable, grids: Mapping[str, Grid | None], choice: Choice) -> None:
    """The table in the journal, as the newest of this recipe, with the keys of all that it was made of."""
    few_shot = contest.recipe.few_shot
    here = grids["report"]
    value = {
        "recipe": contest.recipe.told(),
        "dtype": contest.worker.dtype,
        "table": [asdict(row) for row in table.rows],
        "tasks": {task.id: task.name for task in table.tasks},
        "trained": {task.id: task.name for task in contest.trained},
        "lines": {row.method: _keys([x for x in table.lines if x.way == row.method]) for row in table.rows},
        "settings": [each.model_dump(mode="json") for each in few_shot.settings],
        "grids": {
            name: [_told(each, mine) for each, mine in zip(few_shot.settings, grid.lines, strict=True)]
            for name, grid in grids.items()
            if grid
        },
        "chosen": dict(choice),
        "solvable": here.solvable if here else None,
        "solvable_by_any": here.by_any if here else None,
    }
    held = contest.store.report(REPORT, contest.recipe.id)
    if held is None or held != json.loads(json.dumps(value)):
        contest.store.keep_report(REPORT, contest.recipe.id, value)


def _told(setting: Configuration, lines: Items[Line]) -> dict[str, Any]:
    """A setting in figures, with the keys of its lines."""
    (row,) = standings([replace(line, way="setting") for line in lines], ["setting"], {})
    return {
        "setting": setting.model_dump(mode="json"),
        "accuracy": row.accuracy,
        "logprob": row.logprob,
        "lines": _keys(lines),
    }


def _keys(lines: Items[Line]) -> list[list[Any]]:
    """For each task, seed and sample the key that its line is kept under."""
    return [[line.task, line.seed, line.sample, line.key] for line in lines]
