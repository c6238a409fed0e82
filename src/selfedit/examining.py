"""A trained candidate, examined: what it knows of its documents, and what it disturbs. The gate decides.

Asks everything as it would be answered if the candidate were live. Keeps nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.abilities import Asker, answered, asker, fair_sample, fluency, invention, scorer
from selfedit.canaries import Canary, canaries, general, unknowns
from selfedit.gate import Change, Correction, Evidence, Share, Verdict, pass_gate
from selfedit.lessons import Lesson, Pupil
from selfedit.measuring import Asked, Kept, figures, judged, retention
from selfedit.probing import Probing
from selfedit.retain import largest_scale
from selfedit.rounds import Ground
from selfedit.serving import Member, Served
from selfedit.types import Head, Probe

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
    """Who examines what a lesson was trained to: what it is held against is found out once."""

    pupil: Pupil
    lesson: Lesson
    probing: Probing
    adapter: Adapter

    def examine(self) -> Examined:
        """The adapter as it is; where it only disturbs too much, the largest part of it that does not."""
        whole = self._examined(self.adapter, 1.0)
        if not (self.lesson.gated and whole.verdict.gentler_may_pass):
            return whole
        tried = {1.0: whole}

        def passes(scale: float) -> bool:
            if scale not in tried:
                tried[scale] = self._examined(self.adapter.scaled(scale), scale)
            return tried[scale].verdict.accepted

        return tried[largest_scale(passes, self.lesson.settings.retention.bisection) or 1.0]

    @cached_property
    def _ground(self) -> Ground:
        return self.pupil.ground(self.lesson.settings, "asking after")

    def _examined(self, adapter: Adapter, scale: float) -> Examined:
        settings, reporting = self.lesson.settings, self.probing.reporting
        after = self._with(adapter)
        answers = after.answers([probe for _, probe in reporting], self._ground)
        rows = tuple(
            Asked(task, p, judged(p, self.probing.before[p.id]), judged(p, answer))
            for (task, p), answer in zip(reporting, answers, strict=True)
        )
        kept = retention(self.pupil, after, self._ground, self.probing.all(), settings.retention_probes)
        evidence = self._evidence(after, rows, kept) if self.lesson.gated else Evidence()
        return Examined(adapter, rows, kept, replace(pass_gate(evidence, settings.gate), scale=scale))

    def _with(self, adapter: Adapter) -> Served:
        mine = Member("", adapter, self.lesson.tasks, self.lesson.settings.retention.routed)
        return Served(self.pupil.worker, (*self.pupil.live, mine))

    @cached_property
    def _whole(self) -> Served:
        return self._with(self.adapter)

    def _evidence(self, after: Served, rows: tuple[Asked, ...], kept: Kept) -> Evidence:
        own = figures(rows)
        recall = own.recall_before, own.recall_after
        return Evidence(
            answers=tuple(row.after.text for row in rows),
            recall=None if recall[0] is None or recall[1] is None else Change(recall[0], recall[1]),
            logprob=Change(self._likely_before, self._likely(after)) if rows else None,
            kept=Share(len(kept.probes) - len(kept.lost), len(kept.probes)) if kept.probes else None,
            ability=self._ability(after),
            fluency=self._fluency(after),
            invention=self._invention(after),
            corrected=self._corrected(after),
        )

    # -- what has nothing to do with its documents ---------------------------------------------------------
    # Where a question is answered by whom it was answered before, it is not asked again.

    def _ability(self, after: Served) -> Share | None:
        """Of the canaries that the base answers."""
        if not self._known:
            return None
        return Share(len(answered(self._known, self._asker(after))), len(self._known))

    @cached_property
    def _known(self) -> tuple[Canary, ...]:
        """Canaries that somebody else than before may answer now, as far as the base answers them.

        The base is asked twice as many as are wanted: it does not answer all.
        """
        limit = self.lesson.settings.gate.canaries
        moved = [each for each in canaries() if self._moves(each.probe)]
        drawn = fair_sample(moved, 2 * limit, self.lesson.settings.seed)
        right = answered(drawn, asker(self.pupil.worker)) if drawn else ()
        return tuple(each for each in drawn if each.probe.id in right)[:limit]

    def _fluency(self, after: Served) -> Change | None:
        """Of general texts, which nobody routes: only what is merged can have changed them."""
        if not self.lesson.settings.gate.canaries or after.head is None:
            return None
        worker = self.pupil.worker
        base, now = (fluency(general(), scorer(worker, head)).mean for head in (None, after.head))
        return Change(base, now)

    def _invention(self, after: Served) -> Change | None:
        asked = [each.probe for each in unknowns("choose") if self._moves(each.probe)]
        asked = asked[: self.lesson.settings.gate.unknowns]
        before, now = (
            invention(asked, self._asker(served)).share if asked else None
            for served in (self.pupil.served, after)
        )
        return None if before is None or now is None else Change(before, now)

    def _moves(self, probe: Probe) -> bool:
        """Whether the candidate, or a head that it is merged into, would answer."""
        return not self._whole.as_in(self.pupil.served, probe)

    def _asker(self, served: Served) -> Asker:
        def route(probe: Probe) -> tuple[Head | None, Adapter | None]:
            voice = served.voice(probe.question, probe.topic)
            return voice.head, voice.adapter

        return asker(self.pupil.worker, route)

    def _corrected(self, after: Served) -> tuple[Correction, ...]:
        found = self.lesson.corrects
        probes = [Probe(each.question, said, each.topic) for each in found for said in (each.old, each.new)]
        likely = iter(after.logprobs(probes, self._ground) if probes else [])
        return tuple(Correction(e.question, e.old, e.new, next(likely), next(likely)) for e in found)

    @cached_property
    def _likely_before(self) -> float:
        return self._likely(self.pupil.served)

    def _likely(self, served: Served) -> float:
        """The mean log-probability of its own reporting probes' gold answers, nats a token."""
        return fmean(served.logprobs([probe for _, probe in self.probing.reporting], self._ground))
