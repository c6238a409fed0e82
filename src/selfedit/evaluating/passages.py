"""The passages that a recipe names: read, put in an order, and given another model's notes."""

from __future__ import annotations

import gzip
import json
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

from selfedit.config import Recipe
from selfedit.errors import DocumentError
from selfedit.evaluating.study import Passages
from selfedit.recipes import data_file
from selfedit.tasks import read_squad
from selfedit.types import Task, rng_for

TEACHER = "teacher_edits.jsonl.gz"
"""In the data folder: rows of title, context and edits, of which the first counts."""


def passages(recipe: Recipe, data: Path | None, limit: int | None = None) -> Passages:
    """What the recipe reports on: its first passages, in an order that is drawn once.

    With `limit` the first so many of that order, which are a fair sample of all.
    """
    library = tuple(merged(read_squad(data_file(recipe.data.report, data))))
    tasks = [task for task in library if task.probes][: recipe.data.report_passages]
    rng_for("passages that report", recipe.seed).shuffle(tasks)
    return Passages(tuple(tasks[:limit]), library, _teacher(tasks, data))


def merged(tasks: Items[Task]) -> list[Task]:
    """Every passage once, with all its questions."""
    found: dict[str, Task] = {}
    for task in tasks:
        held = found.get(task.id)
        more = [probe for probe in task.probes if held and probe not in held.probes]
        found[task.id] = replace(held, probes=(*held.probes, *more)) if held else task
    return list(found.values())


def _teacher(tasks: Items[Task], data: Path | None) -> dict[str, str]:
    """Id of a task → the first of the notes on its passage; no file, no notes."""
    path = data / TEACHER if data else None
    if path is None or not path.is_file():
        return {}
    notes: dict[str, str] = {}
    try:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            for line in file:
                row: Any = json.loads(line)
                notes.setdefault(_flat(row["context"]), _first_text(row))
    except (OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise DocumentError(f"{path}: not rows of title, context and edits; take the file anew") from error
    return {task.id: notes[_flat(task.passage)] for task in tasks if notes.get(_flat(task.passage))}


def _first_text(row: Mapping[str, Any]) -> str:
    edits = cast(list[Any], row["edits"])
    return next((text for text in edits if isinstance(text, str) and text.strip()), "")


def _flat(text: str) -> str:
    return " ".join(text.split())
