"""The probes of a lesson: written before anything is learned, asked once, and parted for good.

Some choose self-edits, others report; none does both. Knows nothing of self-edits or training.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit import rounds
from selfedit.edits.topics import about
from selfedit.edits.writer import same_question
from selfedit.lessons import Lesson, Parts, Pupil
from selfedit.types import Probe, Task
from selfedit.writing import write_probes

KNOWN = "answered before learning"

Owned = tuple[str, Probe]
"""The id of the task that a probe asks about, and the probe."""


@final
@dataclass(frozen=True)
class Probing:
    """A lesson's probes by task id."""

    choose: Mapping[str, tuple[Probe, ...]]
    report: Mapping[str, tuple[Probe, ...]]
    known: Mapping[str, tuple[Probe, ...]]
    """Set aside: what the head answers already chooses nothing."""
    before: Mapping[str, str]
    """Probe id → the answer before learning."""

    @property
    def choosing(self) -> list[Owned]:
        return _owned(self.choose)

    @property
    def reporting(self) -> list[Owned]:
        return _owned(self.report)

    @property
    def set_aside(self) -> list[Owned]:
        return _owned(self.known)

    def all(self) -> list[Probe]:
        return [probe for _, probe in (*self.choosing, *self.reporting, *self.set_aside)]


def probe(pupil: Pupil, lesson: Lesson) -> Probing:
    """Write the lesson's probes and ask them of the head as it is.

    Questions of the user's, and gold ones that came with the document, only report; where a passage has
    none, half of those that the model wrote report. The others choose, but for what is known already. A
    passage that is kept of an earlier commit keeps its probes and their parts.
    """
    settings = lesson.settings
    parts = _parts(pupil, lesson)
    asked = list({p.id: p for choose, report in parts.values() for p in (*choose, *report)}.values())
    answers = pupil.served.answers(asked, pupil.ground(settings, "asking before"))
    before = {p.id: answer for p, answer in zip(asked, answers, strict=True)}
    known = {p.id for p in asked if rounds.right(p, before[p.id]).parts["correct"]}
    return Probing(
        choose={task: _kept(choose, known, False) for task, (choose, _) in parts.items()},
        report={task: report for task, (_, report) in parts.items()},
        known={task: _kept(choose, known, True) for task, (choose, _) in parts.items()},
        before=before,
    )


def _parts(pupil: Pupil, lesson: Lesson) -> dict[str, Parts]:
    """The probes of each passage: kept where it has some, else written."""
    given = assigned(lesson.tasks, lesson.questions)
    kept, settings, fresh = lesson.kept, lesson.settings, lesson.fresh
    author = pupil.author("writing questions") if fresh else None
    written = write_probes(author, fresh, settings.probes, settings.seed) if author else {}
    return {
        task.id: _joined(kept[task.id], given[task.id])
        if task.id in kept
        else parted(written[task.id], given[task.id])
        for task in lesson.tasks
    }


def parted(written: Items[Probe], given: Items[Probe]) -> Parts:
    """Which probes of a passage choose, and which report. A single one reports."""
    if not given:
        return tuple(written[1::2]), tuple(written[::2])
    return _others(written, given), tuple(given)


def _joined(kept: Parts, given: Items[Probe]) -> Parts:
    """Kept probes, and those given since: they report, and what asks the same chooses no more."""
    choose, report = kept
    return _others(choose, given), (*_others(report, given), *given)


def _others(probes: Items[Probe], given: Items[Probe]) -> tuple[Probe, ...]:
    """The probes that ask nothing of what the given ones ask."""
    return tuple(p for p in probes if not any(same_question(p.question, own.question) for own in given))


def assigned(tasks: Items[Task], questions: Items[Probe]) -> dict[str, tuple[Probe, ...]]:
    """Task id → the questions that came with it and those of the user's that are about it."""
    given = {task.id: list(task.probes) for task in tasks}
    for question in questions:
        given[closest(tasks, question).id].append(question)
    return {task: tuple(dict.fromkeys(probes)) for task, probes in given.items()}


def closest(tasks: Items[Task], question: Probe) -> Task:
    """The passage that a question is about: by its topic, else the one nearest in words, else the first."""
    titled = (task for task in tasks if question.topic and task.title == question.topic)
    return next(titled, None) or about(tasks, f"{question.question} {question.answer}") or tasks[0]


def _kept(probes: Items[Probe], ids: Collection[str], inside: bool) -> tuple[Probe, ...]:
    return tuple(p for p in probes if (p.id in ids) is inside)


def _owned(probes: Mapping[str, Items[Probe]]) -> list[Owned]:
    return [(task, each) for task, mine in probes.items() for each in mine]
