"""A trained candidate, examined: what it knows of its documents, and what it disturbs. The gate decides.

Asks everything as it would be answered if the candidate were live. Keeps nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.abilities import Asker, Query, answered, asker, fair_sample, fluency, invention, scorer, shipped
from selfedit.canaries import Canary, canaries, general, unknowns
from selfedit.gate import Change, Correction, Evidence, Share, Verdict, pass_gate
from selfedit.lessons import Lesson, Pupil
from selfedit.measuring import Asked, Kept, figures, judged, retention
from selfedit.probing import Probing
from selfedit.retain import largest_scale
from selfedit.rounds import Ground
from selfedit.serving import Member, Served
from selfedit.types import Head, Probe, content_hash

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
        harmed = frozenset(check.name for check in whole.verdict.checks if not check.passed)

        def harmless(scale: float) -> bool:
            return scale < 1 and not self._harms(self.adapter.scaled(scale), harmed)

        scale = largest_scale(harmless, self.lesson.settings.retention.bisection)
        if scale is None:
            return whole
        part = self._examined(self.adapter.scaled(scale), scale)
        return part if part.verdict.accepted and _half(part, whole) else whole

    def _harms(self, part: Adapter, harmed: frozenset[str]) -> bool:
        """Whether the part, too, harms anything that the whole adapter harmed. Asks about nothing else."""
        after, limits = self._with(part), self.lesson.settings.gate
        asked: dict[str, Callable[[], Evidence]] = {
            "fluency": lambda: Evidence(fluency=self._fluency(after)),
            "ability": lambda: Evidence(ability=self._ability(after)),
            "invention": lambda: Evidence(invention=self._invention(after)),
            "earlier": lambda: self._earlier(after),
        }
        return any(not pass_gate(asked[name](), limits).accepted for name in asked if name in harmed)

    def _earlier(self, after: Served) -> Evidence:
        if self._replaces:
            return self._replaced(self._asked(after))
        return Evidence(kept=_until_now(self._kept(after)))

    @cached_property
    def _ground(self) -> Ground:
        return self.pupil.ground(self.lesson.settings, "asking after")

    def _examined(self, adapter: Adapter, scale: float) -> Examined:
        after = self._with(adapter)
        rows, kept = self._asked(after), self._kept(after)
        evidence = self._evidence(after, rows, kept) if self.lesson.gated else Evidence()
        verdict = pass_gate(evidence, self.lesson.settings.gate)
        return Examined(adapter, rows, kept, replace(verdict, scale=scale))

    def _asked(self, after: Served) -> tuple[Asked, ...]:
        """Its reporting probes, answered before and after."""
        reporting = self.probing.reporting
        answers = after.answers([probe for _, probe in reporting], self._ground)
        return tuple(
            Asked(task, p, judged(p, self.probing.before[p.id]), judged(p, answer))
            for (task, p), answer in zip(reporting, answers, strict=True)
        )

    def _kept(self, after: Served) -> Kept:
        probes = self.lesson.settings.retention_probes
        return retention(self.pupil, after, self._ground, self.probing.all(), probes)

    def _with(self, adapter: Adapter) -> Served:
        settings = self.lesson.settings
        mine = Member("", adapter, self.lesson.tasks, settings.retention.routed, settings.recites)
        others = (each for each in self.pupil.live if each.commit not in self._replaces)
        return Served(self.pupil.worker, (*others, mine), self.pupil.relevance)

    @property
    def _replaces(self) -> tuple[str, ...]:
        return self.lesson.earlier.replaces if self.lesson.earlier else ()

    @cached_property
    def _whole(self) -> Served:
        return self._with(self.adapter)

    def _evidence(self, after: Served, rows: tuple[Asked, ...], kept: Kept) -> Evidence:
        own = self._replaced(rows) if self._replaces else self._own(after, rows, kept)
        return replace(
            own,
            ability=self._ability(after),
            fluency=self._fluency(after),
            invention=self._invention(after),
            corrected=self._corrected(after),
        )

    def _own(self, after: Served, rows: tuple[Asked, ...], kept: Kept) -> Evidence:
        own = figures(rows)
        recall = own.recall_before, own.recall_after
        return Evidence(
            answers=tuple(row.after.text for row in rows),
            recall=None if recall[0] is None or recall[1] is None else Change(recall[0], recall[1]),
            swayed=_swayed(rows),
            logprob=Change(self._likely_before, self._likely(after)) if rows else None,
            kept=_until_now(kept),
        )

    def _replaced(self, rows: tuple[Asked, ...]) -> Evidence:
        """What was right by those that it takes the place of, and is right by it."""
        right = [row for row in rows if row.before.correct]
        return Evidence(
            kept=Share(sum(bool(row.after.correct) for row in right), len(right)) if right else None
        )

    # -- what has nothing to do with its documents ---------------------------------------------------------
    # Where a question is answered by whom it was answered before, it is not asked again.

    def _ability(self, after: Served) -> Share | None:
        """Of the canaries that the base answers; where none that it is asked is lost, of these alone."""
        moved = self._moved
        lost = len(moved) - len(answered(moved, self._asker(after))) if moved else 0
        known = self._known(self._drawn) if lost else moved
        return Share(len(known) - lost, len(known)) if known else None

    @cached_property
    def _drawn(self) -> tuple[Canary, ...]:
        return fair_sample(canaries(), self.lesson.settings.gate.canaries)

    @cached_property
    def _moved(self) -> tuple[Canary, ...]:
        """Canaries that the base answers and the candidate would be asked."""
        moved = self._whole.moved(self.pupil.served, [each.probe for each in self._drawn])
        ids = {probe.id for probe in moved}
        return self._known([each for each in self._drawn if each.probe.id in ids])

    def _known(self, drawn: Items[Canary]) -> tuple[Canary, ...]:
        """Those that the base answers: as shipped, or as found out once and kept in the store."""
        store, worker = self.pupil.store, self.pupil.worker
        if not drawn:
            return ()
        right = shipped(worker.base, worker.dtype)
        if right is None:
            right = store.result("verdict", self._key(self._drawn)) or store.result(
                "verdict", self._key(drawn)
            )
        if right is None:
            self.pupil.begin("asking the base")
            right = list(answered(drawn, asker(worker)))
            store.put_results("verdict", {self._key(drawn): right})
        known = frozenset(right)
        return tuple(each for each in drawn if each.probe.id in known)

    def _key(self, drawn: Items[Canary]) -> str:
        worker = self.pupil.worker
        return content_hash(["canaries", worker.base, worker.dtype, [each.probe.id for each in drawn]])

    def _fluency(self, after: Served) -> Change | None:
        """Of general texts, which nobody routes: only what is merged can have changed them."""
        if not self.lesson.settings.gate.canaries or after.head is None:
            return None
        worker = self.pupil.worker
        base, now = (fluency(general(), scorer(worker, head)).mean for head in (None, after.head))
        return Change(base, now)

    def _invention(self, after: Served) -> Share | None:
        asked, moved, before = self._unknown
        if not asked:
            return None
        return Share(max(0, invention(moved, self._asker(after)).invented - before), asked)

    @cached_property
    def _unknown(self) -> tuple[int, list[Probe], int]:
        """How many unanswerable questions are asked, those of them that are moved, and how many of these were
        answered with an invention before."""
        asked = [each.probe for each in unknowns("choose")][: self.lesson.settings.gate.unknowns]
        moved = self._whole.moved(self.pupil.served, asked)
        return len(asked), moved, invention(moved, self._asker(self.pupil.served)).invented

    def _asker(self, served: Served) -> Asker:
        """As whoever answers is asked: what recites is not shown any example."""

        def route(probe: Probe) -> tuple[Head | None, Adapter | None]:
            voice = served.voice(probe.question, probe.topic)
            return voice.head, voice.adapter

        at_once = asker(self.pupil.worker, route)

        def ask(wanted: Items[Query]) -> list[str]:
            voices = served.voices([(each.probe.question, each.probe.topic) for each in wanted])
            reciting = [voice.recites for voice in voices]
            said = iter(at_once([q for q, recites in zip(wanted, reciting, strict=True) if not recites]))
            asked = [q.probe for q, recites in zip(wanted, reciting, strict=True) if recites]
            read = iter(served.answers(asked, self._ground))
            return [next(read if recites else said) for recites in reciting]

        return ask

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


def _until_now(found: Kept) -> Share | None:
    """Of what was right of earlier commits until now, what still is."""
    until_now = len(found.probes) - found.before
    return Share(len(found.probes) - len(found.lost), until_now) if until_now else None


def _swayed(rows: Items[Asked]) -> tuple[int, int]:
    pairs = [(bool(row.before.correct), bool(row.after.correct)) for row in rows]
    return pairs.count((True, False)), pairs.count((False, True))


def _half(part: Examined, whole: Examined) -> bool:
    """Whether a part of the adapter gives at least half of the right answers that the whole gives."""
    right = [sum(bool(row.after.correct) for row in each.asked) for each in (part, whole)]
    return 2 * right[0] >= right[1]
