"""Verdicts on kept answers, kept by what was judged: another grader decides without new answers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.evaluating.study import Line, Study
from selfedit.rewards import mismatched
from selfedit.rewards.grading import short
from selfedit.types import Failure, GradeRequest, Task, Verdict, content_hash

Judged = tuple[Verdict | Failure, ...]


@final
@dataclass(frozen=True)
class Graded:
    """A line with the grader's word on each answer, and on each answer to another question (`mismatched`)."""

    line: Line
    task: Task
    verdicts: Judged
    mismatches: Judged

    @property
    def concise(self) -> tuple[bool | None, ...]:
        """Right, and in few words; None where there is no verdict."""
        return tuple(
            None if isinstance(verdict, Failure) else verdict.correct and short(answer, probe.answer)
            for verdict, answer, probe in zip(
                self.verdicts, self.line.answers, self.task.probes, strict=False
            )
        )


def graded(study: Study, lines: Items[Line]) -> list[Graded]:
    """Every line with its verdicts. Failures of the grader are not kept: they are asked again next time."""
    tasks = {task.id: task for task in study.tasks}
    asked = [pair for line in lines for pair in _requests(study, tasks[line.task], line)]
    found = _judged(study, {_key(study, each): each for each in asked})
    pairs = iter([found[_key(study, each)] for each in asked])
    return [Graded(line, tasks[line.task], next(pairs), next(pairs)) for line in lines]


def _requests(study: Study, task: Task, line: Line) -> tuple[list[GradeRequest], list[GradeRequest]]:
    """What is asked about a line: its answers, and answers to the wrong questions."""
    if not line.answers:
        return [], []
    own = [
        GradeRequest(probe.question, probe.answer, answer)
        for probe, answer in zip(task.probes, line.answers, strict=True)
    ]
    return own, mismatched(task.probes, line.answers, study.recipe.seed)


def _key(study: Study, asked: Items[GradeRequest]) -> str:
    return verdict_key(study.grader.name, study.worker.base, asked)


def verdict_key(grader: str, base: str, asked: Items[GradeRequest]) -> str:
    """Under which a grader's word on these answers is kept; `base` is the hash of the base's weights."""
    judge = base if grader == "base" else None
    return content_hash(["verdict", grader, judge, [[x.question, x.answer, x.prediction] for x in asked]])


def read_verdicts(kept: Any | None) -> tuple[Verdict, ...]:
    """Verdicts as they are kept; none where nothing is."""
    return tuple(Verdict(*each) for each in kept or ())


def _judged(study: Study, asked: Mapping[str, Items[GradeRequest]]) -> dict[str, Judged]:
    kept: dict[str, Any] = {key: study.store.result("verdict", key) for key in asked}
    missing = {key: requests for key, requests in asked.items() if kept[key] is None}
    fresh: dict[str, Judged] = {}
    if missing:
        study.watch(f"grading by {study.grader.name}", 0, 0)
        said = iter(study.grader.grade([each for requests in missing.values() for each in requests]))
        fresh = {key: tuple(next(said) for _ in requests) for key, requests in missing.items()}
        whole = {key: mine for key, mine in fresh.items() if not any(isinstance(x, Failure) for x in mine)}
        study.store.put_results(
            "verdict",
            {
                key: [[x.correct, x.score] for x in mine if isinstance(x, Verdict)]
                for key, mine in whole.items()
            },
        )
    return {key: fresh.get(key) or read_verdicts(kept[key]) for key in asked}
