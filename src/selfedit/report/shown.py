"""Tasks of demonstrations as the page tells them: frozen values. Knows nothing of stores or HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias, final

from selfedit.evaluating.standings import SolvedRow
from selfedit.streaming.tabulating import StreamRow
from selfedit.types import FewShot, Grid

Answer: TypeAlias = Grid | str
Settings: TypeAlias = Mapping[str, Any]
"""A configuration: switches by name, `loss`, `learning_rate`, `epochs`; of fixed ones a list of `tools`."""


@final
@dataclass(frozen=True)
class Attempt:
    """An answer that was put forward, and how many of the guises voted for it."""

    value: Answer
    right: bool
    votes: int


@final
@dataclass(frozen=True)
class OnTest:
    """One test under one adapter."""

    attempts: tuple[Attempt, ...]
    logprob: float
    """Of the right output."""
    asked: int
    malformed: int
    """Of those that were asked, answers that are no grid or no text."""
    written: str
    """What the model wrote, where nothing of it could be put forward."""


@final
@dataclass(frozen=True)
class Tried:
    """One configuration with all seeds and samples that ended alike."""

    settings: Settings | None
    """None where nothing was picked."""
    seeds: tuple[str, ...]
    tests: tuple[OnTest, ...]
    """Empty after a failure of training."""
    trouble: str


@final
@dataclass(frozen=True)
class WayShown:
    """A row of a table on one task."""

    method: str
    tried: tuple[Tried, ...]
    more: int
    """Configurations and seeds that are not shown: the page would get too large."""


@final
@dataclass(frozen=True)
class Measured:
    """One table on one task."""

    table: str
    ways: tuple[WayShown, ...]


@final
@dataclass(frozen=True)
class TaskShown:
    """A task of the tables; its demonstrations once."""

    task: FewShot[Any]
    solvable: bool
    """The best setting of some table solves it."""
    measured: tuple[Measured, ...]


@final
@dataclass(frozen=True)
class SettingFound:
    """A fixed setting in figures, by the tasks that it was tried on; None where it was not."""

    settings: Settings
    here: tuple[float | None, float | None] | None
    """Accuracy and log-probability on the tasks of the table."""
    there: tuple[float | None, float | None] | None
    """The same on those that rounds draw from."""
    chosen: tuple[str, ...]
    """Rows that have it."""


@final
@dataclass(frozen=True)
class SolvedFound:
    """A table on tasks of demonstrations as `selfedit eval` kept it."""

    id: str
    time: str
    recipe: str
    """As YAML."""
    dtype: str
    rows: tuple[SolvedRow, ...]
    tasks: int
    """Those that were measured."""
    tried: int
    """Those that settings were tried on; 0 where none were."""
    solvable: tuple[str, ...] | None
    """Names of the tasks that the best setting solves; None where no settings were tried."""
    by_any: int
    """Tasks that some setting solves."""
    settings: tuple[SettingFound, ...]
    gone: bool
    """The attempts that it was made of are not in the store any more."""


@final
@dataclass(frozen=True)
class Picked:
    """The configurations that one policy picked, or that one round tried or kept."""

    name: str
    settings: tuple[Settings, ...]


@final
@dataclass(frozen=True)
class PickedBy:
    """Those of a run, or of a table, from before reinforcement to after it."""

    name: str
    of_run: bool
    groups: tuple[Picked, ...]


@final
@dataclass(frozen=True)
class StreamFound:
    """A table of a stream, the base first."""

    id: str
    time: str
    recipe: str
    """As YAML."""
    dtype: str
    grader: str
    rows: tuple[StreamRow, ...]

    @property
    def methods(self) -> tuple[StreamRow, ...]:
        """Rows that learn one document after another."""
        return tuple(row for row in self.rows if row.just_learned)

    @property
    def first(self) -> str:
        """What differences are told against."""
        return next((row.method for row in self.rows if not row.against_first), "")
