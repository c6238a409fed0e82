"""A trained candidate, examined: what it knows of its documents, and what it disturbs. The gate decides.

Asks everything as it would be answered if the candidate were live. Keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.gate import Change, Evidence, Share, Verdict, pass_gate
from selfedit.lessons import Lesson, Pupil
from selfedit.measuring import Asked, Kept, figures, judged, retention
from selfedit.probing import Probing
from selfedit.retain import largest_scale
from selfedit.rounds import Ground
from selfedit.serving import Member, Served

if TYPE_CHECKING:
    from selfedit.engine import Adapter


@final
@dataclass(frozen=True)
class Examined:
    """A candidate as it would be served."""

    adapter: Adapter
    asked: tuple[Asked, ...]
    kept: Kept
    verdict: Verdict


@final
@dataclass(frozen=True)
class Examiner:
    """Who examines the candidates of a lesson: what they are held against is found out once."""

    pupil: Pupil
    lesson: Lesson
    probing: Probing

    def examine(self, adapter: Adapter) -> Examined:
        """The adapter as it is; where it only disturbs too much, the largest part of it that does not."""
        whole = self._examined(adapter, 1.0)
        if not (self.lesson.gated and whole.verdict.gentler_may_pass):
            return whole
        tried = {1.0: whole}

        def passes(scale: float) -> bool:
            if scale not in tried:
                tried[scale] = self._examined(adapter.scaled(scale), scale)
            return tried[scale].verdict.accepted

        return tried[largest_scale(passes, self.lesson.settings.retention.bisection) or 1.0]

    @cached_property
    def _ground(self) -> Ground:
        return self.pupil.ground(self.lesson.settings, "asking after")

    def _examined(self, adapter: Adapter, scale: float) -> Examined:
        settings, reporting = self.lesson.settings, self.probing.reporting
        mine = Member("", adapter, self.lesson.tasks, settings.retention.routed)
        after = Served(self.pupil.worker, (*self.pupil.live, mine))
        answers = after.answers([probe for _, probe in reporting], self._ground)
        rows = tuple(
            Asked(task, p, judged(p, self.probing.before[p.id]), judged(p, answer))
            for (task, p), answer in zip(reporting, answers, strict=True)
        )
        kept = retention(self.pupil, after, self._ground, self.probing.all(), settings.retention_probes)
        evidence = self._evidence(after, rows, kept) if self.lesson.gated else Evidence()
        return Examined(adapter, rows, kept, replace(pass_gate(evidence, settings.gate), scale=scale))

    def _evidence(self, after: Served, rows: tuple[Asked, ...], kept: Kept) -> Evidence:
        own = figures(rows)
        recall = own.recall_before, own.recall_after
        return Evidence(
            answers=tuple(row.after.text for row in rows),
            recall=None if recall[0] is None or recall[1] is None else Change(recall[0], recall[1]),
            logprob=Change(self._likely_before, self._likely(after)) if rows else None,
            kept=Share(len(kept.probes) - len(kept.lost), len(kept.probes)) if kept.probes else None,
        )

    @cached_property
    def _likely_before(self) -> float:
        return self._likely(self.pupil.served)

    def _likely(self, served: Served) -> float:
        """The mean log-probability of its own reporting probes' gold answers, nats a token."""
        return fmean(served.logprobs([probe for _, probe in self.probing.reporting], self._ground))
