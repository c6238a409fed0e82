"""The table's raw results as a CSV file: a line for each question, or test, by method and seed."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from pathlib import Path

from selfedit.errors import UsageError
from selfedit.evaluating.competing import SolvedTable
from selfedit.evaluating.contest import Line
from selfedit.evaluating.tabulating import Table
from selfedit.evaluating.verdicts import Graded
from selfedit.types import Failure

COLUMNS = (
    *("method", "seed", "passage", "title", "question", "gold", "answer"),
    *("score", "correct", "concise", "logprob", "recited"),
)
"""`passage` is the beginning of its id; empty where there is no verdict. `recited` is JSON, empty where what
is asked is answered at once."""

OF_TESTS = (
    *("method", "seed", "sample", "task", "test", "solved", "first", "logprob"),
    *("attempts", "malformed", "asked", "configuration"),
)
"""`attempts` and `configuration` are JSON."""

Cell = str | int | float | None


def write_csv(path: Path, table: Table | SolvedTable) -> None:
    """Write the file whole, or leave what was there. Raises UsageError where it cannot be written."""
    if isinstance(table, Table):
        _write(path, COLUMNS, (row for each in table.graded for row in rows(each)))
    else:
        names = {task.id: task.name for task in table.tasks}
        _write(path, OF_TESTS, (row for line in table.lines for row in _tests(line, names[line.task])))


def _write(path: Path, columns: Items[str], lines: Iterable[tuple[Cell, ...]]) -> None:
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            writer.writerows(lines)
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
            json.dumps(line.recited[at], ensure_ascii=False) if line.recited else None,
        )


def _tests(line: Line, name: str) -> Iterator[tuple[Cell, ...]]:
    """A row for each test of a task; none where training failed."""
    for at, test in enumerate(line.kept["tests"], 1):
        yield (
            *(line.way, line.seed, line.sample, name, at, int(test["solved"]), int(test["first"])),
            *(round(test["logprob"], 6), json.dumps(test["attempts"], ensure_ascii=False)),
            *(test["malformed"], test["asked"], json.dumps(line.kept["settings"])),
        )
