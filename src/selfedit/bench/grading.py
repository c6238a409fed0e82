"""Graders against the published verdicts, on titles that nothing was fitted on; and against the controls.

    selfedit bench grading --data DIR [--methods rules,words,local,base] [--requests N]

Beside ours stand plain rules: the same words, token F1, the gold answer contained, recall of its words.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

from selfedit.edits.sentences import sentences
from selfedit.edits.spans import best_spans
from selfedit.errors import DocumentError, UsageError
from selfedit.graders import LOCAL, grader_for
from selfedit.rewards import ControlPassage, Grader, control_rows, normalise
from selfedit.rewards.agreement import Judged, agreement
from selfedit.rewards.local import fitted
from selfedit.rewards.rows import GradeRow, read_rows
from selfedit.tasks import read_squad
from selfedit.types import Failure, GradeRequest, Task, Verdict, rng_for
from selfedit.workers import Progress
from selfedit.workers.base import silent

LISTED = 24
"""Answer-worthy things of a passage that the lister names."""
AT_ONCE = 512
QUESTIONS = 5
"""Of a passage, about: a limit on rows limits the controls' passages by it."""
GRADERS = ("exact", "f1", "contained", "rules", "words", "local")


def _exact(gold: list[str], said: list[str]) -> float:
    return float(gold == said)


def _f1(gold: list[str], said: list[str]) -> float:
    both = (Counter(gold) & Counter(said)).total()
    return 2 * both / (len(gold) + len(said)) if both else 0.0


def _contained(gold: list[str], said: list[str]) -> float:
    return float(f" {' '.join(gold)} " in f" {' '.join(said)} ")


PLAIN: dict[str, Callable[[list[str], list[str]], float]] = {
    "exact": _exact,
    "f1": _f1,
    "contained": _contained,
}


@final
class PlainRule:
    """A rule over the words of both answers; correct from one half on."""

    def __init__(self, name: str) -> None:
        self.name = name

    def grade(self, requests: Items[GradeRequest]) -> list[Verdict | Failure]:
        rule = PLAIN[self.name]
        scores = [rule(normalise(each.answer), normalise(each.prediction)) for each in requests]
        return [Verdict(score >= 0.5, score) for score in scores]


@final
@dataclass(frozen=True)
class Experiment:
    """Which graders see which of the verdicts."""

    data: Path
    graders: tuple[str, ...] = GRADERS
    limit: int | None = None
    """At most so many rows of each kind of titles, drawn once, and about as many of each control."""


def run(experiment: Experiment, progress: Progress = silent) -> list[dict[str, Any]]:
    """A row for each grader and kind of titles, and one for each grader and control."""
    graders = [named(name) for name in experiment.graders]
    verdicts = experiment.data / "grading_verdicts.jsonl.gz"
    rows = {kind: drawn(mine, experiment.limit) for kind, mine in by_titles(read_rows(verdicts)).items()}
    passages = controls(read_squad(experiment.data / "squad" / "val_report.json"))
    if experiment.limit is not None:
        passages = passages[: max(1, experiment.limit // QUESTIONS)]
    found: list[dict[str, Any]] = []
    for grader in graders:
        found += [compared(grader, kind, mine, progress) for kind, mine in rows.items() if mine]
        found += [{"kind": "control", **row.as_json()} for row in control_rows(grader, passages)]
    return found


def named(name: str) -> Grader:
    return PlainRule(name) if name in PLAIN else grader_for(name)


def by_titles(rows: Iterator[GradeRow]) -> dict[str, list[GradeRow]]:
    """Rows of titles that nothing was fitted or tuned on, and rows of those that only tuned."""
    held = fitted()
    found: dict[str, list[GradeRow]] = {"untouched": [], "tuning": []}
    for row in rows:
        if row.correct is None or not row.title:
            raise DocumentError(f"line {row.at}: no verdict or no title to compare by; give published rows")
        if row.title in held.tuned:
            found["tuning"].append(row)
        elif row.title not in held.titles:
            found["untouched"].append(row)
    return found


def drawn(rows: list[GradeRow], limit: int | None) -> list[GradeRow]:
    if limit is None or limit >= len(rows):
        return rows
    return rng_for("grading rows", limit).sample(rows, limit)


def compared(grader: Grader, titles: str, rows: list[GradeRow], progress: Progress) -> dict[str, Any]:
    """How far a grader agrees, and how fast it is."""
    outcomes: list[Verdict | Failure] = []
    grader.grade([rows[0].request])  # what is loaded when it is first needed is no part of the rate
    began = time.monotonic()
    for at in range(0, len(rows), AT_ONCE):
        outcomes += grader.grade([row.request for row in rows[at : at + AT_ONCE]])
        progress(len(outcomes), len(rows))
    seconds = time.monotonic() - began
    pairs = zip(outcomes, rows, strict=True)
    found = agreement(Judged(outcome, bool(row.correct), row.title) for outcome, row in pairs)
    return {
        "kind": "agreement",
        "grader": grader.name,
        "titles": titles,
        **found.as_json(),
        "a_second": len(rows) / seconds,
    }


def controls(tasks: Items[Task]) -> list[ControlPassage]:
    """Passages as the controls take them."""
    return [
        ControlPassage(
            task,
            tuple(sentences(task.passage)),
            tuple(
                span.text
                for span in sorted(
                    best_spans(task.passage, LISTED, title=task.title), key=lambda s: (s.sentence, s.start)
                )
            ),
        )
        for task in tasks
        if task.probes
    ]


# -- for the command line ----------------------------------------------------------------------------------


def command(data: Path | str | None, names: str, limit: int | None) -> list[dict[str, Any]]:
    """Run with the command line's words."""
    if not data:
        raise UsageError("bench grading: no data; say --data FOLDER or set SELFEDIT_DATA")
    graders = tuple(name.strip() for name in names.split(",") if name.strip()) or GRADERS
    unknown = set(graders) - {*PLAIN, *LOCAL}
    if unknown:
        raise UsageError(f"no grader {min(unknown)!r}; choose among {', '.join((*PLAIN, *LOCAL))}")
    return run(Experiment(Path(data), graders, limit))


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """Two tables: agreement, and what each control earns."""
    return "\n\n".join((_agreements(rows), _controls(rows)))


def _agreements(rows: Items[Mapping[str, Any]]) -> str:
    heads = (
        "grader",
        "titles",
        "agreement [95%]",
        "κ [95%]",
        "precision",
        "recall",
        "ECE",
        "Brier",
        "a second",
    )
    lines = [f"| {' | '.join((*heads, 'n (titles)'))} |", "|---" * (len(heads) + 1) + "|"]
    for row in rows:
        if row["kind"] != "agreement":
            continue
        cells = [
            row["grader"],
            row["titles"],
            *(_figure(row[name], row[f"{name}_ci95"]) for name in ("agreement", "kappa")),
            *(_figure(row[name]) for name in ("precision", "recall", "calibration_error", "brier")),
            f"{row['a_second']:,.0f}",
            f"{row['rows']:,} ({row['groups']})",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _controls(rows: Items[Mapping[str, Any]]) -> str:
    held = [row for row in rows if row["kind"] == "control"]
    names = list(dict.fromkeys(row["control"] for row in held))
    lines = [f"| grader | {' | '.join(names)} |", "|---" * (len(names) + 1) + "|"]
    for grader in dict.fromkeys(row["grader"] for row in held):
        mine = {row["control"]: row for row in held if row["grader"] == grader}
        cells = [_figure(mine[name]["accuracy"], mine[name]["ci95"]) for name in names]
        lines.append(f"| {grader} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _figure(value: float | None, interval: Items[float] | None = None) -> str:
    if value is None:
        return "–"
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")
