"""Who learns and what: the nouns that the parts of a lesson share. Knows nothing of how learning goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import final

from selfedit.config import Learning
from selfedit.engine import Adapter
from selfedit.rounds import Ground
from selfedit.store import Store
from selfedit.tasks import Document
from selfedit.types import Head, Probe, Sequence, Task
from selfedit.workers import Progress, Worker
from selfedit.writing import Author, Brief

Watch = Callable[[str, int, int], None]
"""Told the stage, the work done and the work in all; a total of 0 says that the stage begins."""


def unwatched(stage: str, done: int, total: int) -> None:
    """The watch of a caller who wants no progress."""


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

    def begin(self, stage: str) -> Progress:
        """Announce a stage; what comes back is told of its progress."""
        self.watch(stage, 0, 0)
        return partial(self.watch, stage)

    def author(self, stage: str) -> Author:
        return Author(self.worker, self.policy, self.begin(stage))

    def ground(self, settings: Learning, stage: str, *, final: bool = False) -> Ground:
        """Where the stage's adapters are trained and asked: on the live head, lightly or for good."""
        training = settings.final if final else settings.candidate
        return Ground(
            self.worker, self.head, training, settings.seed, settings.answer_tokens, self.begin(stage)
        )

    def tokens(self, sequence: str | Sequence) -> int:
        """Tokens that one look at the sequence takes."""
        if isinstance(sequence, str):
            return self.worker.count(sequence)
        return self.worker.count(sequence.prompt + sequence.completion)


@final
@dataclass(frozen=True)
class Lesson:
    """What is to be learned in one commit, and how."""

    documents: tuple[Document, ...]
    settings: Learning
    questions: tuple[Probe, ...] = ()
    """The user's own; they always report."""
    gated: bool = True

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Every passage once."""
        return tuple({task.id: task for document in self.documents for task in document.tasks}.values())

    @property
    def brief(self) -> Brief:
        return Brief(
            self.settings.format,
            self.settings.samples,
            self.settings.spans,
            self.settings.temperature,
            self.settings.seed,
        )
