"""Where a recipe's tasks of demonstrations come from: sets by name, generators, files. Runs nothing."""

from __future__ import annotations

from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

from selfedit.config import Recipe
from selfedit.errors import UsageError
from selfedit.recipes.files import data_place
from selfedit.tasks import ARC_SETS, read_arc, read_demonstrations, small_grids
from selfedit.tasks.generators import BUILD, REPORT, instance
from selfedit.types import FewShot, rng_for

Shown = FewShot[Any]
"""A task of demonstrations, in grids or in words."""

FRESH = 1_000_000
"""The seed of the first instance of `generators:fresh`; those of the others begin at 0."""
GENERATORS = {"build": (BUILD, 0), "report": (REPORT, 0), "fresh": (BUILD, FRESH)}
"""Set → its generators, and the seed of each one's first instance."""


def training_tasks(recipe: Recipe, data: Path | None) -> tuple[Shown, ...]:
    """What the rounds draw from: at most `few_shot.tasks`. Raises DocumentError or UsageError."""
    return _some(_read(recipe, recipe.data.train, data), recipe.few_shot.tasks, "tasks", recipe)


def reporting_tasks(recipe: Recipe, data: Path | None) -> tuple[Shown, ...]:
    """What the table is measured on: in an order that is drawn once, at most `data.report_passages`.

    Raises UsageError where one of them is trained on, and DocumentError or UsageError as `training_tasks`.
    """
    found = _read(recipe, recipe.data.report, data)
    trained = {task.id for task in _read(recipe, recipe.data.train, data)}
    both = [task.name for task in found if task.id in trained]
    if both:
        raise UsageError(
            f"data.report: {len(both)} of its tasks (such as {both[0]}) are in data.train too; take others"
        )
    return _some(found, recipe.data.report_passages or len(found), "tasks that report", recipe)


def _some(tasks: tuple[Shown, ...], most: int | None, what: str, recipe: Recipe) -> tuple[Shown, ...]:
    """All in their order, or so many in an order that the seed draws; fewer are the first of more."""
    if most is None:
        return tasks
    order = list(tasks)
    rng_for(what, recipe.seed).shuffle(order)
    return tuple(order[:most])


def _read(recipe: Recipe, name: str, data: Path | None) -> tuple[Shown, ...]:
    """The tasks of a source, each once, that the recipe's bounds let through."""
    found = _of_grids(recipe, name, data) if recipe.data.kind == "arc" else _of_texts(recipe, name, data)
    tasks = tuple({task.id: task for task in found}.values())
    if not tasks:
        raise UsageError(f"{name}: no task has such small grids; choose a greater few_shot.largest")
    return tasks


def _of_grids(recipe: Recipe, name: str, data: Path | None) -> Items[Shown]:
    by_name = name.partition(":")[0] in {each.partition(":")[0] for each in ARC_SETS}
    tasks = read_arc(name if by_name else data_place(name, data)).tasks
    largest = recipe.few_shot.largest
    return tasks if largest is None else small_grids(tasks, largest)


def _of_texts(recipe: Recipe, name: str, data: Path | None) -> Items[Shown]:
    origin, _, part = name.partition(":")
    if origin != "generators":
        return read_demonstrations(data_place(name, data))
    if part not in GENERATORS:
        sets = ", ".join(f"generators:{each}" for each in GENERATORS)
        raise UsageError(f"{name}: no such set of generators; choose among {sets}")
    names, first = GENERATORS[part]
    seeds = range(first, first + recipe.few_shot.instances)
    return [instance(each, seed) for seed in seeds for each in names]
