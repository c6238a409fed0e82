"""The nouns of a table: what is studied, who writes, a method, and what came of it on a passage."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, final

from selfedit.config import Recipe
from selfedit.lessons import Watch, unwatched
from selfedit.rewards import Grader
from selfedit.store import Store
from selfedit.types import Head, Sequence, Task, content_hash

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

AT_ONCE = 8
"""Passages that are written on, trained and asked together: what a broken run may have to do again."""
VERSION = 1
"""Raised whenever rows come about in another way, so that what was kept before counts no more."""

Sequences = tuple[str | Sequence, ...]


@final
@dataclass(frozen=True)
class Passages:
    """What is asked about, and what is known of it beside its text."""

    tasks: tuple[Task, ...]
    """Those that are measured, in the order in which they are."""
    library: tuple[Task, ...]
    """All of the file: what retrieval looks through."""
    teacher: Mapping[str, str] = field(default_factory=dict[str, str])
    """Id of a task → another model's notes on it, where there are any."""


@final
@dataclass(frozen=True)
class Study:
    """A table in the making. What it finds is kept in the store, which is open for writing."""

    recipe: Recipe
    store: Store
    worker: Worker
    passages: Passages
    grader: Grader
    warm: Head | None = None
    """The policy before the first round: the base under the writer that ships for it."""
    rounds: Mapping[int, Head | None] = field(default_factory=dict[int, Head | None])
    """The policies that a run has made, by the number of the round; None is the base itself."""
    watch: Watch = unwatched
    reader: Adapter | None = None
    """Who reads what is recited: the writer that ships, whoever wrote; None is the base."""

    @property
    def tasks(self) -> tuple[Task, ...]:
        return self.passages.tasks

    def key(self, *depends: Any) -> str:
        """The key of a result that depends on these things and on the base."""
        return content_hash(["eval", VERSION, self.worker.base, self.worker.dtype, *depends])


@final
@dataclass(frozen=True)
class Written:
    """What an adapter is trained on for one passage."""

    sequences: Sequences
    sample: str | None = None
    """Key of the self-edits as they were kept; None where the rows come by rule."""
    unusable: str | None = None
    """Why the self-edit could not be used, so that the passage alone is trained on."""
    seconds: float = 0.0
    """Its share of the time that writing took."""


class Notes(Protocol):
    """A way of coming by what is trained on."""

    def depends(self, task: Task) -> list[Any]:
        """All that `write` depends on, beside the base."""
        ...

    def write(self, tasks: Items[Task]) -> list[Written]: ...


@final
@dataclass(frozen=True)
class Prompt:
    """How a question is asked: as a text, or of a base that has a chat template in its turn of a chat."""

    text: str
    chat: str | None = None
    """None: as a text, whoever is asked."""

    @property
    def depends(self) -> str | list[str]:
        """What a key has of it."""
        return self.text if self.chat is None else [self.text, self.chat]


View = Callable[[Task], list[Prompt]]
"""The prompts in which a passage's questions are asked."""


@final
@dataclass(frozen=True)
class Method:
    """A row of the table: how questions are asked, and what an adapter is trained on before."""

    name: str
    view: View
    notes: Notes | None = None
    """None: nothing is trained."""
    head: Head | None = None
    """What is trained and asked; None is the base."""
    together: int = 1
    """Passages that one adapter is trained on."""
    tasks: tuple[Task, ...] = ()
    """Those that it is measured on."""
    recites: bool = False
    """Whether sentences are said first, and then read; the questions ask for them, not the view."""


@final
@dataclass(frozen=True)
class Line:
    """One method on one passage, trained with one seed."""

    method: str
    task: str
    seed: int | None
    """None where nothing was trained."""
    key: str
    """Under which it is kept."""
    answers: tuple[str, ...]
    """To the passage's questions, in order; none where training failed."""
    logprobs: tuple[float, ...]
    """Of the expected answers: the mean over their tokens, in nats."""
    tokens: int
    """Trained on."""
    seconds: float
    """Its share of training and asking."""
    writing: float
    """Its share of the time that its self-edits took, whatever method they were first written for."""
    failure: str | None = None
    unusable: str | None = None
    adapter: str | None = None
    sample: str | None = None
    recited: tuple[tuple[str, ...], ...] = ()
    """The sentences that each answer was read from, where a method recites."""
