"""How live commits answer: some merged into one head, others each by an adapter of its own, that is found.

A commit that was trained on the bare base (settings: retention router) answers alone, without the others, so
that none disturbs another. Which one a question is for is told by what was learned (`routing`). What is about
nothing that was learned is left to the merged head, or to the base. Trains nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import product
from typing import TYPE_CHECKING, TypeVar, final

from selfedit import rounds
from selfedit.config import recorded
from selfedit.edits.topics import Finder
from selfedit.rounds import Asking, Ground
from selfedit.routing import Relevance, Router
from selfedit.store import CommitRow
from selfedit.types import Head, Probe, Task

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

Found = TypeVar("Found")


@final
@dataclass(frozen=True)
class Member:
    """A live commit with what it takes to ask it."""

    commit: str
    adapter: Adapter
    passages: tuple[Task, ...] = ()
    """What it learned."""
    routed: bool = False
    """Whether it answers alone."""
    recites: bool = False
    """Whether it says a sentence first, which is read for the answer."""


def member(row: CommitRow, adapter: Adapter, passages: Items[Task]) -> Member:
    """The commit as its settings say that it is asked."""
    settings = recorded(row.settings)
    return Member(row.id, adapter, tuple(passages), settings.retention.routed, settings.recites)


def routed(row: CommitRow) -> bool:
    """Whether the commit answers alone."""
    return recorded(row.settings).retention.routed


@final
@dataclass(frozen=True)
class Voice:
    """Who answers a question: a head of merged adapters, or one adapter on the base; neither is the base."""

    head: Head | None = None
    adapter: Adapter | None = None
    title: str = ""
    """Of the passage that the question seems to be about; empty where it is about none."""
    commit: str = ""
    """That learned this passage."""
    recites: bool = False
    """Whether it is asked for a sentence, which is read for the answer."""


@final
@dataclass(frozen=True)
class Served:
    """Live commits, in the head's order, and who computes."""

    worker: Worker
    members: tuple[Member, ...]
    relevance: Relevance | None = None
    """Tells which passage a question without a topic is about; None: words do."""

    @cached_property
    def merged(self) -> tuple[Adapter, ...]:
        """The adapters that are summed up, in order."""
        return tuple(each.adapter for each in self.members if not each.routed)

    @cached_property
    def head(self) -> Head | None:
        """What merged commits come to; a next one of their kind is trained on it."""
        return self.worker.head(self.merged) if self.merged else None

    def voice(self, question: str, topic: str | None = None) -> Voice:
        """Who answers; of passages under the `topic`, if there are any, the one nearest in words decides."""
        return self.voices([(question, topic)])[0]

    def voices(self, asked: Items[tuple[str, str | None]]) -> list[Voice]:
        """The same for many questions with their topics, which are looked at together."""
        opened = [question for question, topic in asked if topic not in self._titled]
        found = iter(self._router.about(opened))
        return [
            self._spoken(self._under(question, topic) if topic in self._titled else next(found))
            for question, topic in asked
        ]

    def _spoken(self, found: Task | None) -> Voice:
        """Who answers what is about this passage."""
        if found is None:
            return Voice(self.head)
        owner = self._owners[found.id]
        if owner.routed:
            return Voice(None, owner.adapter, found.title, owner.commit, owner.recites)
        return Voice(self.head, None, found.title, owner.commit, owner.recites)

    def answers(self, probes: Items[Probe], ground: Ground) -> list[str]:
        """What each probe is answered, asked with its topic; the ground says how long an answer may be."""
        return self._each(probes, ground, rounds.answered)

    def logprobs(self, probes: Items[Probe], ground: Ground) -> list[float]:
        """The mean log-probability of each gold answer's tokens, in nats."""
        return self._each(probes, ground, rounds.logprobs)

    def moved(self, other: Served, probes: Items[Probe]) -> list[Probe]:
        """Those of the probes that somebody else answers here than there."""
        doubtful = [probe for probe in probes if not self._as_in(other, probe)]
        asked = [(probe.question, probe.topic) for probe in doubtful]
        pairs = zip(doubtful, self.voices(asked), other.voices(asked), strict=True)
        return [probe for probe, here, there in pairs if _hashes(here) != _hashes(there)]

    def _as_in(self, other: Served, probe: Probe) -> bool:
        """Whether the same answers here as there, as far as can be told without a model."""
        mine, theirs = self._possible(probe), other._possible(probe)
        return mine is not None and mine == theirs

    def _possible(self, probe: Probe) -> list[tuple[str, ...]] | None:
        """Who answers at each passage that it may be about, and at none; None where that is not told."""
        near = None if probe.topic in self._titled else self._router.may_be(probe.question)
        if near is None:
            return None
        told = [(task.id, fit.value, *_hashes(self._spoken(task))) for task, fit in near]
        return [*told, _hashes(self._spoken(None))]

    def _each(
        self, probes: Items[Probe], ground: Ground, ask: Callable[[Items[Asking], Ground], list[Found]]
    ) -> list[Found]:
        """What `ask` finds for each probe of who answers it: those together that are asked in one way."""
        found: dict[int, Found] = {}
        voices = self.voices([(probe.question, probe.topic) for probe in probes])
        for merged, recites in product((True, False), repeat=2):
            mine = [
                at
                for at, voice in enumerate(voices)
                if (voice.head is not None, voice.recites) == (merged, recites)
            ]
            asked = [(voices[at].adapter, probes[at]) for at in mine]
            stood = replace(ground, head=self.head if merged else None, recite=recites)
            found |= dict(zip(mine, ask(asked, stood) if asked else [], strict=True))
        return [found[at] for at in range(len(probes))]

    def _under(self, question: str, topic: str | None) -> Task:
        tasks, finder = self._titled[topic or ""]
        return finder.about(question) or tasks[0]

    @cached_property
    def _owners(self) -> dict[str, Member]:
        """Id of a passage → the newest commit that learned it."""
        return {task.id: each for each in self.members for task in each.passages}

    @cached_property
    def _passages(self) -> tuple[Task, ...]:
        """Each once, the newest first: of equals it is taken."""
        newest = reversed([task for each in self.members for task in each.passages])
        return tuple({task.id: task for task in newest}.values())

    @cached_property
    def _router(self) -> Router:
        return Router(self._passages, self.relevance)

    @cached_property
    def _titled(self) -> dict[str, tuple[list[Task], Finder]]:
        """Title → the passages under it; without those that have none."""
        found: dict[str, list[Task]] = {}
        for task in self._passages:
            if task.title:
                found.setdefault(task.title, []).append(task)
        return {title: (tasks, Finder(tasks)) for title, tasks in found.items()}


def _hashes(voice: Voice) -> tuple[str, ...]:
    adapters = (*(voice.head.adapters if voice.head else ()), voice.adapter)
    return tuple(each.hash for each in adapters if each is not None)
