"""The nouns of a stream: its documents, who learns them how, and what was known after each step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, final

from selfedit.config.streaming import StreamMethod, StreamRecipe
from selfedit.lessons import Watch, unwatched
from selfedit.retain import Row
from selfedit.rounds import Ground
from selfedit.routing import Relevance
from selfedit.store import Store
from selfedit.streaming.shelf import Shelf
from selfedit.types import Head, Probe, Sequence, Task, content_hash, rng_for
from selfedit.workers.base import Progress, silent

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

VERSION = 1
"""Raised whenever rows come about in another way, so that what was kept before counts no more."""
AT_ONCE = 8
"""Documents that are written on or trained together: what a broken run may have to do again."""


@final
@dataclass(frozen=True)
class Series:
    """Passages that are learned one after another."""

    number: int
    """Counted from 0."""
    tasks: tuple[Task, ...]

    @property
    def id(self) -> str:
        """All that is asked about it."""
        return content_hash([[task.id, [probe.id for probe in task.probes]] for task in self.tasks])


@final
@dataclass(frozen=True)
class Document:
    """A passage with the self-edit that every method trains on."""

    task: Task
    rows: tuple[Row, ...]
    """What is trained on."""
    key: str
    """A hash of all that the self-edit depends on."""
    unusable: str | None = None
    """Why the self-edit could not be used, so that the passage alone is trained on."""
    seconds: float = 0.0
    """Its share of the time that writing took."""

    def own(self, count: int) -> tuple[Sequence, ...]:
        """Some of the questions that the model wrote itself, as they are trained on."""
        asked = [row for row in self.rows if isinstance(row, Sequence)]
        lots = {row: rng_for("own probes", self.key, row.prompt, row.completion).random() for row in asked}
        return tuple(sorted(lots, key=lots.__getitem__)[:count])


@final
@dataclass(frozen=True)
class Canaries:
    """Questions of general ability: those that are asked, and those that may be trained on."""

    probes: tuple[Probe, ...] = ()
    prompts: tuple[str, ...] = ()
    """As they are asked, in the probes' order."""
    general: tuple[Sequence, ...] = ()
    """Others, as rows: prompts of general kind for strategies that want some."""


@final
@dataclass(frozen=True)
class Study:
    """A stream in the making. What it finds is kept in the store, which is open for writing."""

    recipe: StreamRecipe
    store: Store
    worker: Worker
    series: tuple[Series, ...]
    canaries: Canaries
    shelf: Shelf
    writer: Head | None = None
    """Who writes the self-edits; None is the base by itself."""
    watch: Watch = unwatched
    reader: Adapter | None = None
    """The writer that ships, which reads what is recited and tells what a question is about.

    None: the base reads, and words tell.
    """
    said: dict[tuple[str, ...], tuple[str, ...]] = field(
        default_factory=dict[tuple[str, ...], tuple[str, ...]], repr=False, compare=False
    )
    """Who was asked what → the sentences that were recited: each is said once in a process."""

    @cached_property
    def relevance(self) -> Relevance | None:
        """Who tells which document a question without a topic is about."""
        return Relevance(self.worker, self.reader) if self.reader else None

    def key(self, *depends: Any) -> str:
        """The key of a result that depends on these things and on the base."""
        return content_hash(["stream", VERSION, self.worker.base, self.worker.dtype, *depends])

    def begin(self, what: str, series: Series, doing: str) -> Progress:
        """Announces a step of the work."""
        stage = f"{what}, sequence {series.number + 1} of {len(self.series)}: {doing}"
        self.watch(stage, 0, 0)
        return lambda done, total: self.watch(stage, done, total)

    def ground(self, head: Head | None, progress: Progress = silent) -> Ground:
        """Where adapters are trained and asked."""
        recipe = self.recipe
        return Ground(
            self.worker,
            head,
            recipe.training,
            recipe.seed,
            recipe.answer_tokens,
            progress,
            recite=recipe.write.recite,
            reader=self.reader,
            said=self.said,
        )

    def asked(self, step: int) -> tuple[int, ...]:
        """The documents whose questions are answered after a step, by their places."""
        match self.recipe.accuracy:
            case "off":
                return ()
            case "ends":
                return self._ends(step)
            case "all":
                return tuple(range(step + 1))

    def scored(self, step: int) -> tuple[int, ...]:
        """The documents whose expected answers' likelihood is taken after a step, by their places."""
        every = self.recipe.likelihood == "all"
        return tuple(range(self.recipe.documents)) if every else self._ends(step)

    def _ends(self, step: int) -> tuple[int, ...]:
        return tuple(range(step + 1)) if step == self.recipe.documents - 1 else (step,)


@final
@dataclass(frozen=True)
class Step:
    """What a model knew after a step, of all documents of its sequence."""

    number: int
    """Of documents learned, less one."""
    logprobs: tuple[tuple[float | None, ...], ...]
    """For each document and question, of the expected answer: the mean over its tokens, in nats. Empty for a
    document that was not asked about."""
    answers: Mapping[int, tuple[str, ...]] = field(default_factory=dict[int, tuple[str, ...]])
    """To the questions of those documents that were asked about, by their places."""
    own: tuple[tuple[float, ...], ...] | None = None
    """The same of self-written questions of what was learned, where a strategy looks at them."""
    adapter: str | None = None
    """Hash of the adapter of the step; None where there is none."""
    tokens: int = 0
    """Trained on in this step."""
    seconds: float = 0.0
    """That learning it took, without asking."""
    bytes: int = 0
    """Of all that the method keeps after it."""
    scale: float | None = None
    """That the adapter counts at, where one was looked for; 0: it was dropped."""
    rebuilt: bool = False
    """Whether all was trained anew from the base."""
    failure: str | None = None
    """Why training failed: the model stayed as it was."""


@final
@dataclass(frozen=True)
class Sung:
    """The canaries as they were answered: which of them were asked, and the answers."""

    asked: tuple[int, ...]
    """By their places."""
    right: tuple[bool, ...] | None
    """None where log-probabilities alone were taken."""
    logprobs: tuple[float | None, ...]


@final
@dataclass(frozen=True)
class Lived:
    """One row on one sequence: every step, or the last alone."""

    row: str
    series: Series
    steps: tuple[Step, ...]
    canaries: Sung | None = None
    method: StreamMethod | None = None
    """None for `base` and `joint`."""

    @property
    def last(self) -> Step:
        return self.steps[-1]
