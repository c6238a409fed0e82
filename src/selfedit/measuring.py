"""What was learned, in figures: answers before and after, and what became of earlier knowledge.

Every figure is the mean over passages of the mean over a passage's probes. Trains nothing, decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit import rounds
from selfedit.lessons import Pupil
from selfedit.rewards import bootstrap_interval, mean_over_passages, mismatch
from selfedit.rounds import Ground
from selfedit.serving import Served
from selfedit.store import Figures, ProbeAnswer
from selfedit.types import Probe

Interval = tuple[float, float]


@final
@dataclass(frozen=True)
class Asked:
    """One reporting probe and how it was answered, before learning and after."""

    task: str
    """Id of the passage that it asks about."""
    probe: Probe
    before: ProbeAnswer
    after: ProbeAnswer


def judged(probe: Probe, answer: str) -> ProbeAnswer:
    """The answer with its verdicts."""
    parts = rounds.right(probe, answer).parts
    return ProbeAnswer(answer, bool(parts["correct"]), bool(parts["concise"]))


def figures(rows: Items[Asked], retention: float | None = None) -> Figures:
    """Recall, concise accuracy and the mismatch control, before and after; None where nothing was asked."""
    return Figures(
        recall_before=_mean(rows, lambda row: row.before.correct),
        recall_after=_mean(rows, lambda row: row.after.correct),
        concise_before=_mean(rows, lambda row: row.before.concise),
        concise_after=_mean(rows, lambda row: row.after.concise),
        mismatch_before=_mismatch(rows, lambda row: row.before.text),
        mismatch_after=_mismatch(rows, lambda row: row.after.text),
        retention=retention,
    )


def intervals(rows: Items[Asked]) -> tuple[Interval | None, Interval | None]:
    """95 % intervals of recall and of concise accuracy after learning, by bootstrap over passages."""
    recall = bootstrap_interval(_by_task(rows, lambda row: row.after.correct), seed=0)
    return recall, bootstrap_interval(_by_task(rows, lambda row: row.after.concise), seed=0)


@final
@dataclass(frozen=True)
class Kept:
    """Earlier probes that were right once, and those of them that are no longer."""

    probes: tuple[Probe, ...]
    lost: tuple[tuple[Probe, str], ...]
    """Each with the answer that is given now."""
    before: int = 0
    """How many of those lost are answered by the same as before: what they lost, others took."""

    @property
    def share(self) -> float | None:
        """Of them, those that are right; None where there is none."""
        return 1 - len(self.lost) / len(self.probes) if self.probes else None


def retention(pupil: Pupil, after: Served, ground: Ground, own: Items[Probe], limit: int) -> Kept:
    """Earlier reporting probes that were right after their own commit, as they are answered `after`.

    At most `limit` of them, spread evenly over the history. Where all commits answer alone, what is answered
    by the very commit that learned it is not asked again.
    """
    earlier = list(_learned(pupil, {probe.id for probe in own}).items())
    learned = dict(earlier[:: max(1, -(-len(earlier) // limit))] if limit else [])
    asked = list(learned)
    moved = asked if after.merged else after.moved(pupil.served, asked)
    voices = after.voices([(probe.question, probe.topic) for probe in asked])
    taken = [
        probe
        for probe, voice in zip(asked, voices, strict=True)
        if probe not in moved and voice.commit != learned[probe]
    ]
    said = zip([*moved, *taken], after.answers([*moved, *taken], ground), strict=True)
    lost = tuple((probe, text) for probe, text in said if not judged(probe, text).correct)
    return Kept(tuple(asked), lost, sum(probe in taken for probe, _ in lost))


def _learned(pupil: Pupil, without: set[str]) -> dict[Probe, str]:
    """Reporting probes that were right → the commit that learned them, the newest of several."""
    held = pupil.store.all_probes(each.commit for each in pupil.live)
    found: dict[str, tuple[Probe, str]] = {}
    for commit, results in held.items():
        for each in results:
            if each.role == "report" and each.after and each.after.correct and each.probe.id not in without:
                found[each.probe.id] = (each.probe, commit)
    return dict(found.values())


def _mean(rows: Items[Asked], value: Callable[[Asked], bool | None]) -> float | None:
    return mean_over_passages(_by_task(rows, value))


def _by_task(rows: Items[Asked], value: Callable[[Asked], bool | None]) -> dict[str, list[float]]:
    values: dict[str, list[float]] = {}
    for row in rows:
        values.setdefault(row.task, []).append(float(bool(value(row))))
    return values


def _mismatch(rows: Items[Asked], answer: Callable[[Asked], str]) -> float | None:
    by_task: dict[str, list[Asked]] = {}
    for row in rows:
        by_task.setdefault(row.task, []).append(row)
    crossed = {
        task: mismatch([answer(row) for row in mine], [row.probe.answer for row in mine])
        for task, mine in by_task.items()
    }
    return mean_over_passages(
        {task: [v for v in values if v is not None] for task, values in crossed.items()}
    )
