"""Learning a document: write → apply → judge → choose → train one adapter on what was chosen → gate → commit.

Works on a store that is open for writing. Knows nothing of argv, screens or how a head is asked later.
"""

from __future__ import annotations

import tempfile
import time
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit import retaining, rounds
from selfedit.admission import harmless
from selfedit.edits.near_misses import near_misses
from selfedit.edits.questions import ask_prompt
from selfedit.examining import Examiner
from selfedit.gate import Check, Verdict
from selfedit.lessons import Earlier, Lesson, Pupil
from selfedit.measuring import Asked, Interval, figures, intervals, judged
from selfedit.probing import KNOWN, Probing, probe
from selfedit.quarantine import Candidate, hold_commit
from selfedit.rewards import check
from selfedit.rounds import Ground
from selfedit.store import (
    CommitRow,
    Cost,
    Figures,
    NewAdapter,
    NewCommit,
    ProbeResult,
    Source,
    sequence_text,
    text_hash,
)
from selfedit.types import (
    Failure,
    Reward,
    SelfEdit,
    Sequence,
    TrainingPlan,
    Trial,
    content_hash,
)
from selfedit.writing import probed_sentences, sequences_of, write_edits

if TYPE_CHECKING:
    from selfedit.engine import Adapter

CHECKED = 16
"""At most so many choosing probes tell whether an adapter has collapsed."""


@final
@dataclass(frozen=True)
class LearnReport:
    """What one `learn` did. Figures are means over passages; None where no reporting probe could be made."""

    commits: tuple[str, ...] = ()
    tasks: int = 0
    probes: int = 0
    """Those that report."""
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
    recall_ci95: Interval | None = None
    concise_ci95: Interval | None = None
    failed: bool = False
    """Nothing could be learned at all, so that there was nothing for the gate to judge."""
    tokens: int = 0
    """Trained tokens, those of rejected candidates included."""
    trials: int = 0
    failures: int = 0
    """Self-edits that could not be used or judged."""
    skipped: tuple[str, ...] = ()
    asked: tuple[Asked, ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    """Commits that held the old version of a changed file, each with the one that took its place."""
    stale: tuple[str, ...] = ()
    """Live commits that were trained on what is not live any more: `retrain` trains them again."""
    checks: tuple[Check, ...] = ()
    """The gate's tests."""
    quarantined: tuple[Candidate, ...] = ()
    """What was held back."""
    notes: tuple[str, ...] = ()
    """What the screening took out or noticed, a line each."""
    left_out: int = 0
    """Rows of training that the screening left out."""
    engine: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What the engine chose for the machine, and what became of it."""

    def with_answers(self, rows: Items[Asked], kept: float | None) -> LearnReport:
        """This report with the rows and all figures that follow from them."""
        recall, concise = intervals(rows)
        measured = asdict(figures(rows, kept))
        return replace(
            self, probes=len(rows), asked=tuple(rows), recall_ci95=recall, concise_ci95=concise, **measured
        )


def together(reports: Items[LearnReport]) -> LearnReport:
    """One report of several: sums, and figures over the passages of all."""
    if len(reports) == 1:
        return reports[0]
    refused = [report.reason for report in reports if not report.accepted]
    commits = tuple(commit for report in reports for commit in report.commits)
    return LearnReport(
        commits=commits,
        tasks=sum(report.tasks for report in reports),
        accepted=not refused,
        reason="; ".join(dict.fromkeys(refused)) or reports[0].reason,
        seconds=sum(report.seconds for report in reports),
        failed=not commits and any(report.failed for report in reports),
        tokens=sum(report.tokens for report in reports),
        trials=sum(report.trials for report in reports),
        failures=sum(report.failures for report in reports),
        replaced=tuple(pair for report in reports for pair in report.replaced),
        checks=tuple(check for report in reports for check in report.checks),
        quarantined=tuple(each for report in reports for each in report.quarantined),
        notes=tuple(line for report in reports for line in report.notes),
        left_out=sum(report.left_out for report in reports),
        engine=next((report.engine for report in reversed(reports) if report.engine), dict[str, Any]()),
    ).with_answers([row for report in reports for row in report.asked], reports[-1].retention)


@final
@dataclass(frozen=True)
class Draft:
    """What leads up to a commit."""

    lesson: Lesson
    probing: Probing
    edits: Mapping[str, SelfEdit]
    """Task id → the edit that is learned."""
    texts: Mapping[str | Sequence, str | None]
    """What the one adapter is trained on → id of the task that it stems from, unless it is replayed."""

    @property
    def sequences(self) -> tuple[str | Sequence, ...]:
        return tuple(self.texts)

    @property
    def taught(self) -> dict[str, str]:
        """Hash of a trained text → id of the task that it stems from."""
        return {text_hash(sequence_text(each)): task for each, task in self.texts.items() if task}


def learn(pupil: Pupil, lesson: Lesson) -> LearnReport:
    """Learn the documents in one commit. What the gate refuses changes nothing and comes back unaccepted.

    What a lesson keeps of an earlier commit is neither written nor tried again. The pupil stands on the
    commits before it.
    """
    began = time.monotonic()
    check(lesson.settings.weights)
    pupil.store.record_tasks(lesson.tasks)
    probing = probe(pupil, lesson)
    edits = _written(pupil, lesson, probing)
    tried = trials(pupil, lesson, probing, edits) if edits else Tried([])
    report = LearnReport(
        tasks=len(lesson.tasks),
        trials=len(tried.trials),
        failures=tried.failures + sum(isinstance(e, Failure) for found in edits.values() for e in found),
        tokens=tried.tokens,
    )
    draft, left_out = _screened(drafted(lesson, probing, rounds.choose(tried.trials)))
    report = replace(report, left_out=left_out)
    if draft.texts:
        report = _train_and_keep(pupil, draft, report, began)
    else:
        report = replace(report, accepted=False, failed=True, reason=_no_edit(edits))
    return replace(report, seconds=time.monotonic() - began, engine=pupil.worker.settings())


def _written(pupil: Pupil, lesson: Lesson, probing: Probing) -> dict[str, list[SelfEdit | Failure]]:
    """Task id → its notes, for every passage that has none yet; kept in the store."""
    if not lesson.fresh:
        return {}
    edits = write_edits(pupil.author("writing notes"), lesson.fresh, probing.all(), lesson.brief)
    pupil.store.record_edits(e for found in edits.values() for e in found if isinstance(e, SelfEdit))
    return edits


def drafted(lesson: Lesson, probing: Probing, chosen: Mapping[str, SelfEdit]) -> Draft:
    """What is kept, without rows that ask what a probe asks, and after it the chosen edits."""
    earlier = lesson.earlier
    asked = {ask_prompt(p.question, p.topic) for p in probing.all()}
    share, seed = lesson.settings.abstention, lesson.settings.seed
    kept = dict(earlier.texts) if earlier else {}
    texts = {x: task for x, task in kept.items() if isinstance(x, str) or x.prompt not in asked}
    for task in lesson.fresh:
        for each in sequences_of(task, chosen[task.id]) if task.id in chosen else ():
            texts[each] = texts.get(each) or task.id
        if share:
            mine = [row for row, owner in texts.items() if owner == task.id]
            texts |= dict.fromkeys(near_misses(task, mine, share=share, seed=seed), task.id)
    return Draft(lesson, probing, {**(earlier.edits if earlier else {}), **chosen}, texts)


def _screened(draft: Draft) -> tuple[Draft, int]:
    """Without the rows that the screening does not let pass, where the lesson is gated; and how many."""
    if not draft.lesson.gated:
        return draft, 0
    fine = harmless(draft.sequences, draft.lesson.settings.screening)
    kept = {row: task for row, task in draft.texts.items() if row in fine}
    return replace(draft, texts=kept), len(draft.texts) - len(kept)


def _no_edit(edits: Mapping[str, Items[SelfEdit | Failure]]) -> str:
    first = next((e.what for found in edits.values() for e in found if isinstance(e, Failure)), "no text")
    return f"no self-edit could be used ({first}); try another format, or more samples"


# -- trials ----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Tried:
    """The trials of a lesson, and what it took to judge those that had not been judged before."""

    trials: list[Trial]
    failures: int = 0
    tokens: int = 0


def trials(
    pupil: Pupil, lesson: Lesson, probing: Probing, edits: Mapping[str, Items[SelfEdit | Failure]]
) -> Tried:
    """Apply and judge every edit that has a rival. One that was judged before is not computed again."""
    ground = pupil.ground(lesson.settings)
    waiting = {_key(t, probing, ground): t for t in rounds.candidates(lesson.fresh, edits, ground)}
    rivals = Counter(trial.edit.task for trial in waiting.values())
    contested = {key: t for key, t in waiting.items() if rivals[t.edit.task] > 1}
    done = {key: found for key, t in contested.items() if (found := _recorded(pupil, key, t))}
    fresh = {key: t for key, t in contested.items() if key not in done and probing.choose[t.edit.task]}
    if fresh:
        sentences = probed_sentences(lesson.fresh, probing.choose)
        ground = replace(pupil.ground(lesson.settings, "trying notes"), sentences=sentences)
    ended = rounds.apply_and_judge(list(fresh.values()), probing.choose, ground)
    pupil.store.record_trials(dict(zip(fresh, ended, strict=True)))
    judged_all = {**waiting, **done, **dict(zip(fresh, ended, strict=True))}
    return Tried(
        list(judged_all.values()),
        failures=sum(isinstance(judged_all[key].outcome, Failure) for key in contested),
        tokens=sum(_tokens(pupil, t.plan) for t in fresh.values() if t.plan),
    )


def _recorded(pupil: Pupil, key: str, trial: Trial) -> Trial | None:
    """The trial as it ended in an earlier run, if it was judged: what failed is tried again."""
    row = pupil.store.trial(key)
    if row is None or not isinstance(row.outcome, Reward):
        return None
    return replace(trial, outcome=row.outcome, adapter=row.adapter)


def _key(trial: Trial, probing: Probing, ground: Ground) -> str:
    """All that an outcome depends on: the edit, its plan (which names the head), the probes, the rewards."""
    probes = [probe.id for probe in probing.choose[trial.edit.task]]
    rewards = [] if ground.rewards == rounds.LIKELIHOOD else [sorted(ground.rewards.items())]
    return content_hash(["trial", trial.edit.id, trial.plan.id if trial.plan else None, probes, *rewards])


def _tokens(pupil: Pupil, plan: TrainingPlan) -> int:
    return plan.epochs * sum(pupil.tokens(sequence) for sequence in plan.sequences)


# -- training, measuring and keeping ---------------------------------------------------------------------


def _train_and_keep(pupil: Pupil, draft: Draft, report: LearnReport, began: float) -> LearnReport:
    lesson = draft.lesson
    course = retaining.course(pupil, lesson, draft.sequences)
    draft = replace(draft, texts={row: draft.texts.get(row) for row in course.rows})
    ground = pupil.ground(lesson.settings, "training", final=True)
    checks = [probe for _, probe in draft.probing.choosing][:CHECKED]
    adapter = rounds.train_whole(draft.sequences, checks, ground, course.applied)
    if isinstance(adapter, Failure):
        return replace(report, accepted=False, failed=True, reason=adapter.what)
    plan, times = _as_trained(draft.sequences, adapter, ground, course.applied)
    found = Examiner(pupil, lesson, draft.probing, adapter).examine()
    verdict = found.verdict
    report = replace(
        report.with_answers(found.asked, found.kept.share),
        tokens=report.tokens + times * _tokens(pupil, plan),
        accepted=verdict.accepted,
        reason=verdict.reason if lesson.gated else _ungated(lesson),
        checks=verdict.checks,
    )
    pupil.begin("committing")
    return _kept(pupil, draft, (found.adapter, plan), report, verdict, began)


def _kept(
    pupil: Pupil,
    draft: Draft,
    trained: tuple[Adapter, TrainingPlan],
    report: LearnReport,
    verdict: Verdict,
    began: float,
) -> LearnReport:
    """The candidate as a commit, in the head, or set aside where the gate refused it."""
    earlier = draft.lesson.earlier
    row = _commit(pupil, draft, trained, report, verdict, began)
    if not report.accepted:
        held = hold_commit(pupil.store, row, verdict.reasons, earlier.replaces if earlier else ())
        return replace(report, quarantined=(held,))
    gone = (earlier.replaces or (earlier.commit,)) if earlier else ()
    return replace(report, commits=(row.id,), replaced=tuple((each, row.id) for each in gone))


def _ungated(lesson: Lesson) -> str:
    earlier = lesson.earlier
    again = earlier is not None and earlier.verb != "learn"
    return f"trained again in place of {earlier.commit[:12]}" if earlier and again else "no gate"


def _as_trained(
    sequences: Items[str | Sequence], adapter: Adapter, ground: Ground, shape: rounds.Shape
) -> tuple[TrainingPlan, int]:
    """The plan that the adapter came from, and how many trainings it took: the gentler one is the second."""
    gentler = shape(rounds.plan_for(sequences, ground, ground.training.gentler()))
    if adapter.meta.plan == gentler.id:
        return gentler, 2
    return shape(rounds.plan_for(sequences, ground)), 1


def _commit(
    pupil: Pupil,
    draft: Draft,
    trained: tuple[Adapter, TrainingPlan],
    report: LearnReport,
    verdict: Verdict,
    began: float,
) -> CommitRow:
    """Write everything of the commit durably; what is not accepted stays out of the head."""
    adapter, plan = trained
    lesson, earlier = draft.lesson, draft.lesson.earlier
    with tempfile.TemporaryDirectory(prefix="selfedit-", ignore_cleanup_errors=True) as scratch:
        weights = adapter.save(Path(scratch)) / "adapter_model.safetensors"
        new = NewCommit(
            adapter=NewAdapter(adapter.hash, weights, adapter.peft_config(), _summary(adapter.losses)),
            plan=plan,
            sources=tuple(Source(d.path, d.sha256, d.bytes, d.place) for d in lesson.documents),
            tasks=lesson.everywhere,
            edits=tuple(draft.edits.values()),
            probes=tuple(_results(draft.probing, report)),
            figures=Figures(**{name: getattr(report, name) for name in Figures.__dataclass_fields__}),
            gate={
                **verdict.as_json(),
                "accepted": report.accepted,
                "reason": report.reason,
                "corrects": [asdict(each) for each in lesson.corrects],
                "engine": dict(pupil.worker.settings()),
            },
            settings=lesson.settings.model_dump(mode="json"),
            cost=Cost(time.monotonic() - began, report.tokens),
            text_tasks=draft.taught,
        )
        return _accepted(pupil, new, earlier, aside=not report.accepted)


def _accepted(pupil: Pupil, new: NewCommit, earlier: Earlier | None, *, aside: bool) -> CommitRow:
    """In the head: at the end, or in place of what it replaces; what is set aside stays out of it."""
    verb = "quarantine" if aside else earlier.verb if earlier else "learn"
    several = earlier.replaces if earlier else ()
    return pupil.store.accept(
        new,
        verb=verb,
        replaces=earlier.commit if earlier and not several else None,
        beside=[each.commit for each in pupil.live if each.routed],
        aside=aside,
        gone=() if aside else several,
    )


def _summary(losses: Items[float]) -> dict[str, Any]:
    """The first loss, and the mean of the last tenth."""
    tail = losses[-max(1, len(losses) // 10) :]
    return {"first": losses[0], "last": sum(tail) / len(tail), "steps": len(losses)} if losses else {}


def _results(probing: Probing, report: LearnReport) -> list[ProbeResult]:
    """Every probe with its part. What was known before is kept as a choosing probe that was dropped."""
    aside = [(task, p, KNOWN) for task, p in probing.set_aside]
    choosing = [
        ProbeResult(p, task, "choose", dropped, judged(p, probing.before[p.id]), None)
        for task, p, dropped in (*((task, p, None) for task, p in probing.choosing), *aside)
    ]
    reporting = [ProbeResult(r.probe, r.task, "report", None, r.before, r.after) for r in report.asked]
    return [*choosing, *reporting]
