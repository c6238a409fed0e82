"""Who learns and what: the nouns that the parts of a lesson share. Knows nothing of how learning goes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING, final

from selfedit.config import Learning
from selfedit.questioning import Author
from selfedit.rounds import Ground
from selfedit.routing import Relevance
from selfedit.serving import Member, Served
from selfedit.store import CommitRow, Store
from selfedit.tasks import Document
from selfedit.types import Head, Probe, SelfEdit, Sequence, Task
from selfedit.workers.base import silent
from selfedit.writing import Brief

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Progress, Worker

Watch = Callable[[str, int, int], None]
"""Told the stage, the work done and the work in all; a total of 0 says that the stage begins."""


def unwatched(stage: str, done: int, total: int) -> None:
    """The watch of a caller who wants no progress."""


@final
@dataclass(frozen=True)
class Pupil:
    """Who learns: the store, the worker, the live commits, and the policy's adapter."""

    store: Store
    worker: Worker
    live: tuple[Member, ...]
    policy: Adapter | None
    watch: Watch = unwatched

    @cached_property
    def served(self) -> Served:
        """How the live commits answer."""
        return Served(self.worker, self.live, self.relevance)

    @cached_property
    def relevance(self) -> Relevance | None:
        """Who tells which passage a question is about."""
        return Relevance(self.worker, self.policy) if self.policy else None

    def foundation(self, settings: Learning) -> Head | None:
        """What an adapter is trained on: the merged commits, or the base where it is to answer alone."""
        return None if settings.retention.routed else self.served.head

    def begin(self, stage: str) -> Progress:
        """Announce a stage; what comes back is told of its progress."""
        self.watch(stage, 0, 0)
        return partial(self.watch, stage)

    def author(self, stage: str) -> Author:
        return Author(self.worker, self.policy, self.begin(stage))

    def ground(self, settings: Learning, stage: str = "", *, final: bool = False) -> Ground:
        """Where the stage's adapters are trained and asked, lightly or for good; "" announces none."""
        training = settings.final if final else settings.candidate
        return Ground(
            self.worker,
            self.foundation(settings),
            training,
            settings.seed,
            settings.answer_tokens,
            self.begin(stage) if stage else silent,
            settings.weights,
            recite=settings.recites,
            reader=self.policy,
        )

    def tokens(self, sequence: str | Sequence) -> int:
        """Tokens that one look at the sequence takes."""
        if isinstance(sequence, str):
            return self.worker.count(sequence)
        return self.worker.count(sequence.prompt + sequence.completion)


Hire = Callable[[Items[CommitRow]], Pupil]
"""The pupil who stands on these commits. The model is loaded when it is first called."""

Parts = tuple[tuple[Probe, ...], tuple[Probe, ...]]
"""The probes of a passage: those that choose, and those that report."""


@final
@dataclass(frozen=True)
class Earlier:
    """A commit that a lesson takes the place of, and what is kept of it: that is not written again."""

    commit: str
    """Empty where they are several."""
    verb: str
    """What the head's log will call it: learn, revert, retrain."""
    edits: Mapping[str, SelfEdit]
    """By id of the task, as `probes`."""
    texts: Mapping[str | Sequence, str | None]
    """What it was trained on, in order → id of the task that it stems from; None where it was replayed."""
    probes: Mapping[str, Parts]
    """For every passage that is kept."""
    replaces: tuple[str, ...] = ()
    """All commits whose place it takes, where they are several; they may have answered until now."""


@final
@dataclass(frozen=True)
class Corrected:
    """A fact that is to be replaced."""

    commit: str
    """That held it."""
    topic: str
    question: str
    old: str
    new: str


@final
@dataclass(frozen=True)
class Lesson:
    """What is to be learned in one commit, and how."""

    documents: tuple[Document, ...]
    settings: Learning
    questions: tuple[Probe, ...] = ()
    """The user's own; they always report."""
    gated: bool = True
    earlier: Earlier | None = None
    correction: bool = False
    """What it says against earlier commits is right, and takes the place of what they say."""
    corrects: tuple[Corrected, ...] = ()
    """Facts whose old answers must be less likely than the new ones afterwards."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every passage once."""
        return tuple({task.id: task for document in self.documents for task in document.tasks}.values())

    @property
    def everywhere(self) -> tuple[Task, ...]:
        """Every passage once for each document that holds it."""
        every = (task for document in self.documents for task in document.tasks)
        return tuple({(task.id, task.source): task for task in every}.values())

    @property
    def fresh(self) -> tuple[Task, ...]:
        """The passages that notes and questions are to be written for."""
        return tuple(task for task in self.tasks if task.id not in self.kept)

    @property
    def kept(self) -> Mapping[str, Parts]:
        """The probes of passages that are kept of an earlier commit, by id of the task."""
        return self.earlier.probes if self.earlier else dict[str, Parts]()

    @property
    def brief(self) -> Brief:
        return Brief(
            self.settings.format,
            self.settings.samples,
            self.settings.spans,
            self.settings.temperature,
            self.settings.seed,
            self.settings.blanks,
            self.settings.sentences,
            self.settings.recites,
            self.settings.hints,
        )
