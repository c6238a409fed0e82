"""Learning a document: write → apply → judge → choose → train one adapter on all chosen edits → gate → commit.

Works on a store that is open for writing. Knows nothing of argv, screens or how a head is asked later.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, final

from selfedit import rounds
from selfedit.config import Learning
from selfedit.edits.words import content
from selfedit.engine import Adapter
from selfedit.gate import Verdict, pass_gate
from selfedit.rewards import bootstrap_interval, mean_over_passages, mismatch
from selfedit.rounds import Ground
from selfedit.store import (
    Cost,
    Figures,
    NewAdapter,
    NewCommit,
    ProbeAnswer,
    ProbeResult,
    Source,
    Store,
    sequence_text,
    text_hash,
)
from selfedit.tasks import Document
from selfedit.types import Failure, Head, Probe, Reward, SelfEdit, Sequence, Task, TrainingPlan, Trial
from selfedit.workers import Worker
from selfedit.writing import Author, Brief, sequences_of, write_edits, write_probes

Watch = Callable[[str, int, int], None]
"""Told the stage, the work done and the work in all."""


def unwatched(stage: str, done: int, total: int) -> None:
    """The watch of a caller who wants no progress."""


@final
@dataclass(frozen=True)
class Asked:
    """One reporting probe, before and after."""

    question: str
    gold: str
    topic: str
    before: str
    after: str
    right_before: bool
    right: bool
    concise: bool


@final
@dataclass(frozen=True)
class LearnReport:
    """What one `learn` did. Figures are means over passages; None where no reporting probe could be made."""

    commits: tuple[str, ...] = ()
    tasks: int = 0
    probes: int = 0
    recall_before: float | None = None
    recall_after: float | None = None
    concise_before: float | None = None
    concise_after: float | None = None
    mismatch_before: float | None = None
    mismatch_after: float | None = None
    retention: float | None = None
    accepted: bool = True
    reason: str = ""
    seconds: float = 0.0
    concise_ci95: tuple[float, float] | None = None
    tokens: int = 0
    """Trained tokens, those of rejected candidates included."""
    trials: int = 0
    failures: int = 0
    """Trials that could not be judged."""
    skipped: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()


@final
@dataclass(frozen=True)
class Pupil:
    """Who learns: the store, the worker, the adapters of the live head, and the policy's adapter."""

    store: Store
    worker: Worker
    live: tuple[Adapter, ...]
    policy: Adapter | None
    watch: Watch = unwatched

    @property
    def head(self) -> Head | None:
        return self.worker.head(self.live) if self.live else None

    def author(self, stage: str) -> Author:
        return Author(self.worker, self.policy, partial(self.watch, stage))

    def ground(self, settings: Learning, stage: str, *, final: bool = False) -> Ground:
        return Ground(
            self.worker,
            self.head,
            settings.final if final else settings.candidate,
            settings.seed,
            settings.answer_tokens,
            partial(self.watch, stage),
        )


@final
@dataclass(frozen=True)
class Lesson:
    """What is to be learned, and how."""

    documents: tuple[Document, ...]
    settings: Learning
    questions: tuple[Probe, ...] = ()
    """The user's own; they always report."""
    gated: bool = True

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every passage once."""
        return tuple({task.id: task for document in self.documents for task in document.tasks}.values())


@final
@dataclass(frozen=True)
class Probing:
    """The probes of a lesson by task id: those that choose edits, and those that report."""

    choose: Mapping[str, list[Probe]]
    report: Mapping[str, list[Probe]]
    dropped: Mapping[str, str]
    """Probe id → why it does not choose."""
    before: Mapping[str, str]
    """Probe id → the answer before learning."""

    def reporting(self) -> list[tuple[str, Probe]]:
        return [(task, probe) for task, probes in self.report.items() for probe in probes]

    def choosing(self) -> list[tuple[str, Probe]]:
        return [(task, probe) for task, probes in self.choose.items() for probe in probes]

    def all(self) -> list[Probe]:
        return [probe for _, probe in (*self.choosing(), *self.reporting())]


def learn(pupil: Pupil, lesson: Lesson) -> LearnReport:
    """Learn the documents in one commit. What the gate refuses changes nothing and comes back unaccepted."""
    began = time.monotonic()
    settings, tasks = lesson.settings, lesson.tasks
    pupil.store.record_tasks(tasks)
    probing = probe(pupil, lesson)
    edits = write_edits(pupil.author("writing notes"), tasks, probing.all(), _brief(settings))
    pupil.store.record_edits([edit for found in edits.values() for edit in found if isinstance(edit, SelfEdit)])
    trials = _trials(pupil, lesson, probing, edits)
    chosen = rounds.choose(trials)
    failures = sum(isinstance(edit, Failure) for found in edits.values() for edit in found)
    spent = _tokens(pupil, trials) if settings.samples > 1 else 0
    if not chosen:
        why = "no self-edit could be used; try another format, or more samples"
        return LearnReport(tasks=len(tasks), accepted=False, reason=why, seconds=time.monotonic() - began)
    sequences = tuple(dict.fromkeys(s for task in tasks if task.id in chosen for s in sequences_of(task, chosen[task.id])))
    ground = pupil.ground(settings, "training", final=True)
    adapter = rounds.train_whole(sequences, [p for _, p in probing.choosing()][:16], ground)
    draft = _Draft(lesson, probing, chosen, trials, sequences, spent + pupil_tokens(pupil, sequences, settings), began)
    report = replace(
        _measure(pupil, draft, adapter), trials=len(trials), failures=failures + sum(isinstance(t.outcome, Failure) for t in trials)
    )
    if isinstance(adapter, Adapter) and report.accepted:
        report = replace(report, commits=(_commit(pupil, draft, adapter, report),))
    return replace(report, seconds=time.monotonic() - began)


def pupil_tokens(pupil: Pupil, sequences: Items[str | Sequence], settings: Learning) -> int:
    """Tokens that the final training sees."""
    return settings.final.epochs * sum(pupil.worker.count(sequence_text(s)) for s in sequences)


def _tokens(pupil: Pupil, trials: Items[Trial]) -> int:
    plans = [trial.plan for trial in trials if trial.plan]
    return sum(plan.epochs * sum(pupil.worker.count(sequence_text(s)) for s in plan.sequences) for plan in plans)


def _brief(settings: Learning) -> Brief:
    return Brief(settings.format, settings.samples, settings.spans, settings.temperature, settings.seed)


# -- probes --------------------------------------------------------------------------------------------------


def probe(pupil: Pupil, lesson: Lesson) -> Probing:
    """Write the lesson's probes, ask them before anything is learned, and part them.

    Probes that the head already answers do not choose. Questions of the user's (and gold ones that came with the
    document) report alone; without them half of the model's report.
    """
    tasks, settings = lesson.tasks, lesson.settings
    written = write_probes(pupil.author("writing questions"), tasks, settings.probes, settings.seed)
    given = _given(tasks, lesson.questions)
    ground = pupil.ground(settings, "asking before")
    everything = [p for task in tasks for p in (*written[task.id], *given[task.id])]
    before = dict(zip([p.id for p in everything], rounds.answers(everything, None, ground), strict=True))
    known = {p.id for p in everything if rounds.right(p, before[p.id]).parts["correct"]}
    choose: dict[str, list[Probe]] = {}
    report: dict[str, list[Probe]] = {}
    dropped: dict[str, str] = {}
    for task in tasks:
        mine = written[task.id]
        report[task.id] = given[task.id] or mine[1::2]
        for candidate in mine if given[task.id] else mine[::2]:
            if candidate.id in known:
                dropped[candidate.id] = "answered before learning"
        choose[task.id] = [p for p in (mine if given[task.id] else mine[::2]) if p.id not in known]
    return Probing(choose, report, dropped, before)


def _given(tasks: Items[Task], questions: Items[Probe]) -> dict[str, list[Probe]]:
    """Task id → the questions that came with it or that the user asks of it."""
    given = {task.id: list(task.probes) for task in tasks}
    for question in questions:
        given[_closest(tasks, question).id].append(question)
    return {task: list(dict.fromkeys(probes)) for task, probes in given.items()}


def _closest(tasks: Items[Task], question: Probe) -> Task:
    """The passage that a question is about: by its topic, else the one with most of its words."""
    words = set(content(f"{question.question} {question.answer}"))
    return max(
        tasks,
        key=lambda t: (bool(question.topic) and t.title == question.topic, len(words & set(content(t.passage)))),
    )


# -- trials --------------------------------------------------------------------------------------------------


def _trials(
    pupil: Pupil, lesson: Lesson, probing: Probing, edits: Mapping[str, Items[SelfEdit | Failure]]
) -> list[Trial]:
    """Apply and judge every edit. A single sample needs no trial: it is chosen unjudged."""
    ground = pupil.ground(lesson.settings, "trying notes")
    trials = rounds.candidates(lesson.tasks, edits, ground)
    if lesson.settings.samples == 1:
        return trials
    judged = rounds.apply_and_judge(trials, probing.choose, ground)
    pupil.store.record_trials({_key(trial, probing, ground): trial for trial in judged})
    return judged


def _key(trial: Trial, probing: Probing, ground: Ground) -> str:
    """A trial depends on its plan, its probes and the head that it stood on."""
    probes = ",".join(probe.id for probe in probing.choose[trial.edit.task])
    return text_hash(f"{trial.edit.id}/{trial.plan.id if trial.plan else ''}/{probes}/{ground.worker.base}")


# -- measuring and keeping -----------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class _Draft:
    """What leads up to a commit."""

    lesson: Lesson
    probing: Probing
    chosen: Mapping[str, SelfEdit]
    trials: list[Trial]
    sequences: tuple[str | Sequence, ...]
    tokens: int
    began: float
    after: dict[str, str] = field(default_factory=dict[str, str])
    """Probe id → the answer after learning; filled by measuring."""


def _measure(pupil: Pupil, draft: _Draft, adapter: Adapter | Failure) -> LearnReport:
    """Ask every reporting probe of the head as it would be, and let the gate decide."""
    report = LearnReport(tasks=len(draft.lesson.tasks), tokens=draft.tokens)
    if isinstance(adapter, Failure):
        return replace(report, accepted=False, reason=adapter.what)
    ground = replace(
        pupil.ground(draft.lesson.settings, "asking after"), head=pupil.worker.head((*pupil.live, adapter))
    )
    reporting = draft.probing.reporting()
    answers = rounds.answers([p for _, p in reporting], None, ground)
    draft.after.update({p.id: answer for (_, p), answer in zip(reporting, answers, strict=True)})
    figures = {
        **_figures("before", reporting, draft.probing.before),
        **_figures("after", reporting, draft.after),
    }
    retention = _retention(pupil, draft, ground)
    verdict = pass_gate(figures["recall_before"], figures["recall_after"], answers) if draft.lesson.gated else Verdict(True, "no gate")
    concise = _by_task(reporting, draft.after, "concise")
    return replace(
        report,
        probes=len(reporting),
        **figures,
        retention=retention,
        accepted=verdict.accepted,
        reason=verdict.reason,
        concise_ci95=bootstrap_interval(concise, seed=0),
        asked=tuple(_asked(p, draft) for _, p in reporting),
    )


def _asked(p: Probe, draft: _Draft) -> Asked:
    before, after = draft.probing.before[p.id], draft.after[p.id]
    was, now = rounds.right(p, before), rounds.right(p, after)
    return Asked(
        p.question,
        p.answer,
        p.topic,
        before,
        after,
        bool(was.parts["correct"]),
        bool(now.parts["correct"]),
        bool(now.parts["concise"]),
    )


def _by_task(reporting: Items[tuple[str, Probe]], answers: Mapping[str, str], part: str) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for task, p in reporting:
        values.setdefault(task, []).append(rounds.right(p, answers[p.id]).parts[part])
    return values


def _figures(when: str, reporting: Items[tuple[str, Probe]], answers: Mapping[str, str]) -> dict[str, Any]:
    """Recall accuracy, concise accuracy and the mismatch control, each the mean over passages."""
    wrong: dict[str, list[float]] = {}
    for task in dict.fromkeys(task for task, _ in reporting):
        mine = [p for owner, p in reporting if owner == task]
        values = mismatch([answers[p.id] for p in mine], [p.answer for p in mine])
        wrong[task] = [value for value in values if value is not None]
    return {
        f"recall_{when}": mean_over_passages(_by_task(reporting, answers, "correct")),
        f"concise_{when}": mean_over_passages(_by_task(reporting, answers, "concise")),
        f"mismatch_{when}": mean_over_passages(wrong),
    }


def _retention(pupil: Pupil, draft: _Draft, ground: Ground) -> float | None:
    """Of earlier reporting probes that were right after their own commit, the share that still is."""
    own = {p.id for p in draft.probing.all()}
    earlier = [
        result.probe
        for row in pupil.store.head()
        for result in pupil.store.probes(row.id)
        if result.role == "report" and result.after and result.after.correct and result.probe.id not in own
    ]
    limit = draft.lesson.settings.retention_probes
    asked = earlier[:: max(1, -(-len(earlier) // limit))] if limit else []
    if not asked:
        return None
    answers = rounds.answers(asked, None, ground)
    return sum(rounds.right(p, a).parts["correct"] for p, a in zip(asked, answers, strict=True)) / len(asked)


def _commit(pupil: Pupil, draft: _Draft, adapter: Adapter, report: LearnReport) -> str:
    """Write everything of the commit durably; returns its id."""
    settings = draft.lesson.settings
    tasks = draft.lesson.tasks
    ground = pupil.ground(settings, "committing", final=True)
    plan = rounds.plan_for(draft.sequences, ground)
    with tempfile.TemporaryDirectory(prefix="selfedit-") as scratch:
        folder = adapter.save(Path(scratch))
        row = pupil.store.accept(
            NewCommit(
                adapter=NewAdapter(
                    adapter.hash, folder / "adapter_model.safetensors", adapter.peft_config(), _summary(adapter)
                ),
                plan=_as_trained(plan, adapter, ground),
                sources=_sources(draft.lesson.documents),
                tasks=tasks,
                edits=tuple(draft.chosen.values()),
                trials=tuple(draft.trials) if settings.samples > 1 else (),
                probes=tuple(_results(draft)),
                figures=_store_figures(report),
                gate={"accepted": report.accepted, "reason": report.reason},
                settings=settings.model_dump(mode="json"),
                cost=Cost(time.monotonic() - draft.began, draft.tokens),
                text_tasks={
                    text_hash(sequence_text(s)): task.id
                    for task in tasks
                    if task.id in draft.chosen
                    for s in sequences_of(task, draft.chosen[task.id])
                },
            )
        )
    return row.id


def _as_trained(plan: TrainingPlan, adapter: Adapter, ground: Ground) -> TrainingPlan:
    """The plan that the adapter says it came from: the gentler one, if it was trained twice."""
    if adapter.meta.plan == plan.id:
        return plan
    return rounds.plan_for(plan.sequences, ground, ground.training.gentler())


def _sources(documents: Items[Document]) -> tuple[Source, ...]:
    return tuple(Source(d.path, d.sha256, d.bytes) for d in documents)


def _summary(adapter: Adapter) -> dict[str, Any]:
    losses = adapter.losses
    tail = losses[-max(1, len(losses) // 10) :]
    return {"first": losses[0], "last": sum(tail) / len(tail), "steps": len(losses)} if losses else {}


def _store_figures(report: LearnReport) -> Figures:
    return Figures(**{name: getattr(report, name) for name in Figures.__dataclass_fields__})


def _results(draft: _Draft) -> list[ProbeResult]:
    choosing = [
        ProbeResult(p, task, "choose", draft.probing.dropped.get(p.id), _answer(p, draft.probing.before), None)
        for task, p in draft.probing.choosing()
    ]
    reporting = [
        ProbeResult(p, task, "report", None, _answer(p, draft.probing.before), _answer(p, draft.after))
        for task, p in draft.probing.reporting()
    ]
    return [*choosing, *reporting]


def _answer(p: Probe, answers: Mapping[str, str]) -> ProbeAnswer:
    measured: Reward = rounds.right(p, answers[p.id])
    return ProbeAnswer(answers[p.id], bool(measured.parts["correct"]), bool(measured.parts["concise"]))
