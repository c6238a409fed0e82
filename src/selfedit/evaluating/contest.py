"""The nouns of a table on tasks of demonstrations: who picks configurations, and what came of one."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, final

from selfedit.config import Recipe
from selfedit.lessons import Watch, unwatched
from selfedit.recipes import Shown
from selfedit.store import Store
from selfedit.types import Failure, Head, SelfEdit, content_hash

if TYPE_CHECKING:
    from selfedit.workers import Worker

VERSION = 1
"""Raised whenever rows come about in another way, so that what was kept before counts no more."""
IN_CONTEXT = "in-context"


@final
@dataclass(frozen=True)
class Contest:
    """A table in the making. What it finds is kept in the store, which is open for writing."""

    recipe: Recipe
    store: Store
    worker: Worker
    tasks: tuple[Shown, ...]
    """Those that are measured, in the order in which they are."""
    trained: tuple[Shown, ...]
    """Those that rounds draw from, and `fixed` is chosen on."""
    rounds: Mapping[int, Head | None] = field(default_factory=dict[int, Head | None])
    """The policies that a run has made, by the number of the round; None is the base itself."""
    watch: Watch = unwatched

    def key(self, *depends: Any) -> str:
        """The key of a result that depends on these things and on the base."""
        return content_hash(["few-shot", VERSION, self.worker.base, self.worker.dtype, *depends])


@final
@dataclass(frozen=True)
class Picked:
    """A configuration for a task."""

    edit: SelfEdit | Failure
    """A Failure where the policy wrote none: the model is then asked as it is."""
    sample: str | None = None
    """Key under which it was kept; None where it is fixed."""
    seconds: float = 0.0
    """Its share of the time that writing took."""


class Picker(Protocol):
    """A way of coming by configurations."""

    def depends(self, task: Shown) -> list[Any]:
        """All that `pick` depends on, beside the base."""
        ...

    def pick(self, tasks: Items[Shown]) -> list[list[Picked]]:
        """For each task its samples, as many for each."""
        ...


@final
@dataclass(frozen=True)
class Way:
    """A row of the table: who picks, and what is trained and asked."""

    name: str
    picker: Picker | None = None
    """None: nothing is trained; the demonstrations in the prompt are all."""
    head: Head | None = None
    """None is the base."""
    samples: int = 1
    """Configurations for each task."""


@final
@dataclass(frozen=True)
class Line:
    """One way on one task: one configuration, trained with one seed."""

    way: str
    task: str
    seed: int | None
    """None where nothing was trained."""
    sample: int
    """Which of the task's configurations it was."""
    key: str
    """Under which it is kept."""
    kept: Mapping[str, Any]
    """As `attempting` keeps it: tests with attempts, configuration, tokens, times."""

    @property
    def failure(self) -> str | None:
        return self.kept["failure"]

    def values(self, name: str) -> list[float]:
        """A figure of each test: `solved`, `first` or `logprob`; none after a failure."""
        return [float(test[name]) for test in self.kept["tests"]]
