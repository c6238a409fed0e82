"""The table's raw results as a CSV file: a line for each question, method and seed."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from collections.abc import Sequence as Items
from pathlib import Path

from selfedit.errors import UsageError
from selfedit.evaluating.verdicts import Graded
from selfedit.types import Failure

COLUMNS = (
    *("method", "seed", "passage", "title", "question", "gold", "answer"),
    *("score", "correct", "concise", "logprob"),
)
"""`passage` is the beginning of its id; empty where there is no verdict."""

Cell = str | int | float | None


def write_csv(path: Path, graded: Items[Graded]) -> None:
    """Write the file whole, or leave what was there. Raises UsageError where it cannot be written."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(COLUMNS)
            writer.writerows(row for each in graded for row in rows(each))
        unfinished.replace(path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(f"{path}: {error.strerror}; choose another place with --csv") from error


def rows(each: Graded) -> Iterator[tuple[Cell, ...]]:
    """A row for each question of a line; none where training failed."""
    line, task = each.line, each.task
    for at, (probe, answer) in enumerate(zip(task.probes, line.answers, strict=False)):
        verdict, concise = each.verdicts[at], each.concise[at]
        none = isinstance(verdict, Failure)
        yield (
            *(line.method, line.seed, task.id[:12], task.title, probe.question, probe.answer, answer),
            *((None, None) if none else (round(verdict.score, 6), int(verdict.correct))),
            None if concise is None else int(concise),
            round(line.logprobs[at], 6),
        )
