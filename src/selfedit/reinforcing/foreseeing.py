"""Tasks of demonstrations counted, for what a recipe on them will cost. Trains and asks nothing."""

from __future__ import annotations

from collections.abc import Sequence as Items
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from selfedit import solving
from selfedit.config import Recipe
from selfedit.edits.few_shot import Cells
from selfedit.recipes import Estimate, Shown, SolvingSizes, reporting_tasks, solving_estimate, training_tasks
from selfedit.types import Sequence, rng_for

if TYPE_CHECKING:
    from selfedit.workers import Worker

SAMPLE = 8
"""Tasks that are counted."""
ROWS = 16
"""Training rows of each that are counted; the others are taken to be as long."""

Rows = tuple[str | Sequence, ...]


def foresee(worker: Worker, recipe: Recipe, data: Path | None) -> tuple[Estimate, Rows, tuple[int, int]]:
    """The estimate, some rows to measure a pace by, and how many tasks train and report."""
    train, report = training_tasks(recipe, data), reporting_tasks(recipe, data)
    some = rng_for("sizes", recipe.seed).sample(train, min(SAMPLE, len(train)))
    found = SolvingSizes(
        tasks=len(train),
        report_tasks=len(report),
        edit=fmean(_edit(worker, recipe, task) for task in some),
        prompt=fmean(_prompt(worker, task, recipe.few_shot.cells) for task in some),
        written=fmean(worker.count(_likely(recipe, task)) for task in some),
        **_asking(worker, recipe, some),
    )
    rows = tuple(row for task in some for row in _rows(recipe, task)[0][:2])
    return solving_estimate(recipe, found), rows, (len(train), len(report))


def _asking(worker: Worker, recipe: Recipe, tasks: Items[Shown]) -> dict[str, float]:
    """Of the tests in the guise that they come in; the others are as long."""
    terms = recipe.few_shot
    plain = [
        (solving.queries(task, at, terms), test.output)
        for task in tasks
        for at, test in enumerate(task.tests)
    ]
    answers = [worker.count(guises[0].completion(output)) for guises, output in plain]
    prompts = [worker.count(guises[0].prompt) for guises, _ in plain]
    return {
        "queries": sum(len(guises) for guises, _ in plain) / len(tasks),
        "query": fmean(prompts) + fmean(answers),
        "answer": fmean(answers),
    }


def _edit(worker: Worker, recipe: Recipe, task: Shown) -> float:
    """Tokens that a fixed setting trains on, all epochs; the mean over the settings."""
    found = zip(recipe.few_shot.settings, _rows(recipe, task), strict=True)
    return fmean(each.epochs * len(rows) * _length(worker, rows) for each, rows in found)


def _rows(recipe: Recipe, task: Shown) -> list[Rows]:
    """By setting."""
    return [_rows_of(recipe, task, at) for at in range(len(recipe.few_shot.settings))]


def _rows_of(recipe: Recipe, task: Shown, at: int) -> Rows:
    edit = solving.fixed(task, recipe.few_shot.settings[at])
    return solving.rows(task, edit, recipe.apply, 0, recipe.few_shot)


def _length(worker: Worker, rows: Rows) -> float:
    some = rng_for("rows", len(rows)).sample(rows, min(ROWS, len(rows)))
    return fmean(
        worker.count(each if isinstance(each, str) else each.prompt + each.completion) for each in some
    )


def _prompt(worker: Worker, task: Shown, cells: Cells) -> int:
    form = solving.form_of(task, cells)
    return worker.count(worker.rendered(form.prompt(task, chat=worker.chat)))


def _likely(recipe: Recipe, task: Shown) -> str:
    return solving.fixed(task, recipe.few_shot.settings[0]).text
