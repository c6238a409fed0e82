"""`selfedit grade`: does each answer of a file convey the expected one?"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.progress import Stages
from selfedit.cli.wording import clipped, count, interval
from selfedit.errors import UsageError
from selfedit.types import Failure, Verdict

if TYPE_CHECKING:
    from selfedit.rewards.agreement import Agreement, Judged
    from selfedit.rewards.grader import Grader
    from selfedit.rewards.rows import GradeRow

SOME_WITHOUT_VERDICT = 1
AT_ONCE = 256
"""Rows that a grader is given at a time. A model is slow and gets fewer, so that verdicts come sooner."""
AT_ONCE_BY_MODEL = 32
CHARACTERS = 2**24
"""Of predictions that a grader is given at a time: rows of 10 MB do not pile up."""


class Name(StrEnum):
    words = "words"
    local = "local"
    rules = "rules"
    base = "base"
    judge = "judge"


BY_WORDS = (Name.words, Name.rules)


def verb(
    file: Annotated[
        Path,
        typer.Argument(
            help="Rows with question, answer and prediction: .jsonl or .jsonl.gz.", show_default=False
        ),
    ],
    grader: Annotated[
        Name,
        typer.Option(
            help="words: by words, fitted. local: also by a small judge on the built-in model where words "
            "leave it open. rules: by recall alone. base: a base model itself is asked. judge: the model at "
            "--judge-url."
        ),
    ] = Name.words,
    base: Annotated[
        str, typer.Option(help="base: who is asked, by built-in name, hub name, folder or GGUF file.")
    ] = "smollm2-135m",
    judge_url: Annotated[
        str,
        typer.Option(
            help="An OpenAI-compatible endpoint, such as http://127.0.0.1:8000/v1. Questions, expected "
            "answers and predictions are sent there. Its key is read from SELFEDIT_JUDGE_KEY.",
            show_default=False,
        ),
    ] = "",
    judge_model: Annotated[
        str,
        typer.Option(help="The judge's name there; unset: the endpoint has only one.", show_default=False),
    ] = "",
    json: Annotated[
        bool, typer.Option("--json", help="JSON Lines on standard output, a row each, in order.")
    ] = False,
) -> None:
    """Decide of each answer whether it conveys the expected one.

    A row that the grader could not decide has no verdict: it is counted as such, never as wrong, and the exit
    code is 1. Where rows bring verdicts of their own (correct), agreement with them is shown.
    """
    from selfedit.rewards.rows import read_rows

    chosen = _grader(grader, base, judge_url, judge_model)
    total = sum(1 for _ in read_rows(file))  # a bad row is told before any is graded
    tally = Tally()
    with Stages() as stages:
        stages.watch("grading", 0, total)
        for rows in _pieces(read_rows(file), AT_ONCE if grader in BY_WORDS else AT_ONCE_BY_MODEL):
            outcomes = chosen.grade([row.request for row in rows])
            tally.add(rows, outcomes)
            if json:
                output.lines(map(as_json, outcomes))
            stages.watch("grading", tally.rows, total)
    if not json:
        _tell(chosen.name, tally)
    raise typer.Exit(SOME_WITHOUT_VERDICT if tally.failures else 0)


def _grader(name: Name, base: str, url: str, model: str) -> Grader:
    """The grader of that name. Nothing leaves this machine unless the judge was asked for by name."""
    if name is not Name.judge:
        from selfedit.graders import built_in, grader_for

        if url or model:
            raise UsageError("--judge-url and --judge-model go with --grader judge; add it or leave them out")
        return grader_for(name.value, partial(built_in, *((base,) if name is Name.base else ())))
    if not url:
        raise UsageError(
            "--grader judge: no judge named; add its --judge-url, such as http://127.0.0.1:8000/v1"
        )
    from selfedit.rewards.endpoint import Endpoint, EndpointJudge

    key = os.environ.get("SELFEDIT_JUDGE_KEY", "").strip()
    return EndpointJudge(Endpoint(url, model or None, key or None))


def _pieces(rows: Iterator[GradeRow], most: int) -> Iterator[list[GradeRow]]:
    """The rows in order, so many at a time, and fewer where predictions are large."""
    piece: list[GradeRow] = []
    characters = 0
    for row in rows:
        piece.append(row)
        characters += len(row.request.prediction)
        if len(piece) == most or characters > CHARACTERS:
            yield piece
            piece, characters = [], 0
    if piece:
        yield piece


def as_json(outcome: Verdict | Failure) -> dict[str, Any]:
    """The line of a row."""
    match outcome:
        case Verdict(correct, score):
            return {"correct": correct, "score": score}
        case Failure(what=what):
            return {"correct": None, "score": None, "failure": what}


@dataclass(slots=True)
class Tally:
    """What came of the rows so far; texts are not kept."""

    rows: int = 0
    correct: int = 0
    reasons: Counter[str] = field(default_factory=Counter[str])
    judged: list[Judged] = field(default_factory=list["Judged"])
    """The rows that bring a verdict of their own."""

    @property
    def failures(self) -> int:
        return self.reasons.total()

    def add(self, rows: list[GradeRow], outcomes: list[Verdict | Failure]) -> None:
        from selfedit.rewards.agreement import Judged

        for row, outcome in zip(rows, outcomes, strict=True):
            self.rows += 1
            if isinstance(outcome, Failure):
                self.reasons[outcome.what] += 1
            else:
                self.correct += outcome.correct
            if row.correct is not None:
                self.judged.append(Judged(outcome, row.correct, row.title))


# -- for people -------------------------------------------------------------------------------------------


def _tell(name: str, tally: Tally) -> None:
    from selfedit.rewards.agreement import agreement

    decided = tally.rows - tally.failures
    share = f"   {tally.correct / decided:.3f}" if decided else ""
    shown = {
        "grader": name,
        "rows": f"{tally.rows:,}",
        "correct": f"{tally.correct:,} of {decided:,}{share}",
        "no verdict": _reasons(tally),
    }
    if tally.judged:
        shown |= _agreement(agreement(tally.judged))
    output.pairs(shown)


def _reasons(tally: Tally) -> str:
    if not tally.reasons:
        return "none"
    what, times = tally.reasons.most_common(1)[0]
    others = f", and {count(len(tally.reasons) - 1, 'other reason')}" if len(tally.reasons) > 1 else ""
    return f"{tally.failures:,}: {clipped(what, 120)} ({count(times, 'row')}){others}"


def _agreement(found: Agreement) -> dict[str, str]:
    """How far the rows' own verdicts are met."""
    return {
        "compared": f"{count(found.rows, 'row')} that bring{'s' if found.rows == 1 else ''} a verdict",
        "agreement": _figure(found.agreement) + interval(found.agreement_ci95),
        "kappa": _figure(found.kappa) + interval(found.kappa_ci95),
        "precision": _figure(found.precision),
        "recall": _figure(found.recall),
        "calibration": f"{_figure(found.calibration_error)} expected error, {_figure(found.brier)} Brier",
    }


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
