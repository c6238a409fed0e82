"""What a store holds, as the page tells it: frozen values. Knows nothing of stores, plots or HTML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, final

from selfedit.evaluating.figures import TableRow
from selfedit.gate import Check
from selfedit.quarantine import Candidate
from selfedit.report.shown import PickedBy, Settings, SolvedFound, StreamFound, TaskShown
from selfedit.rewards.statistics import Interval
from selfedit.store import CommitRow, Cost, ProbeResult
from selfedit.types import FewShot


@final
@dataclass(frozen=True)
class About:
    """The store itself."""

    path: str
    base: str
    weights: str
    dtype: str
    created: str


@final
@dataclass(frozen=True)
class Point:
    """A mean over passages with its 95% interval; None where there is nothing to average."""

    value: float | None
    ci95: Interval | None = None


@final
@dataclass(frozen=True)
class Taught:
    """Training sequences."""

    rows: tuple[tuple[str, str], ...] = ()
    """Prompt and completion; the prompt is empty where all of the text is trained on."""
    own: int = 0
    """Sequences that are the passage, or a sentence of it, word for word: they are not repeated in `rows`."""


Question = tuple[str, str]
"""A question and the expected answer."""


# -- rounds ----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class EditTried:
    """A self-edit of a round, what it earned at each seed, and what it weighed in the policy's training."""

    id: str
    format: str
    text: str | None
    """None where it was erased."""
    taught: Taught
    rewards: tuple[float, ...]
    held_out: tuple[float, ...]
    """With seeds that chose nothing."""
    weight: float
    settings: Settings | None = None
    """The configuration, for tasks of demonstrations."""

    @property
    def mean(self) -> float | None:
        return sum(self.rewards) / len(self.rewards) if self.rewards else None


@final
@dataclass(frozen=True)
class Tries:
    """What one round tried on one passage."""

    run: str
    round: int
    floor: float | None
    """What an edit had to beat."""
    edits: tuple[EditTried, ...]


@final
@dataclass(frozen=True)
class PassageTried:
    """A passage of the rounds; its text once, whatever rounds drew it."""

    task: str
    title: str
    passage: str | None
    """None where it was erased."""
    questions: tuple[Question, ...]
    tries: tuple[Tries, ...]
    shown: FewShot[Any] | None = None
    """The task where it is one of demonstrations, and no passage."""


@final
@dataclass(frozen=True)
class FormatShare:
    """A format in one round."""

    round: int
    format: str
    written: int
    kept: int
    reward: Point


@final
@dataclass(frozen=True)
class RoundFound:
    """A round in figures."""

    number: int
    told: Mapping[str, Any]
    """The fields of its report as they were noted."""
    reward: Point
    kept: Point
    floor: Point
    values: tuple[float, ...]
    """The mean reward of each edit that was tried."""
    values_kept: tuple[float, ...]
    formats: tuple[FormatShare, ...]


@final
@dataclass(frozen=True)
class RunFound:
    """A run of a recipe."""

    id: str
    time: str
    recipe: str
    """As YAML."""
    rounds: tuple[RoundFound, ...]


# -- tables ----------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Answered:
    """An answer with its verdicts; None where there is none."""

    text: str
    correct: bool | None
    concise: bool | None
    recited: tuple[str, ...] = ()
    """The sentences that it was read from, where some were said first."""


@final
@dataclass(frozen=True)
class Way:
    """A row of a table on one passage."""

    method: str
    seeds: tuple[int | None, ...]
    """Those whose training succeeded; None where nothing was trained."""
    answers: tuple[tuple[Answered, ...], ...]
    """For each question the answers by seed; none where training failed or the answers are gone."""
    text: str | None
    """The self-edit as it was written; None where rows come by rule, or the edit is not kept."""
    taught: Taught
    tokens: int
    seconds: float
    adapters: tuple[str, ...]
    trouble: tuple[str, ...]
    """What failed, or could not be used."""


@final
@dataclass(frozen=True)
class Asked:
    """One table on one passage."""

    table: str
    ways: tuple[Way, ...]


@final
@dataclass(frozen=True)
class PassageAsked:
    """A passage of the tables; its text once."""

    task: str
    title: str
    passage: str
    questions: tuple[Question, ...]
    asked: tuple[Asked, ...]


@final
@dataclass(frozen=True)
class TableFound:
    """A table as `selfedit eval` kept it."""

    id: str
    time: str
    recipe: str
    """As YAML."""
    grader: str
    dtype: str
    rows: tuple[TableRow, ...]
    passages: int
    gone: bool
    """The answers that it was made of are not in the store any more."""


# -- history ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Fact:
    """What was learned as an answer, and what takes its place."""

    question: str
    old: str
    new: str


@final
@dataclass(frozen=True)
class GateFound:
    """What the gate reported of a commit."""

    reason: str
    checks: tuple[Check, ...] = ()
    scale: float = 1.0
    """So much of the adapter was let in."""
    corrects: tuple[Fact, ...] = ()


@final
@dataclass(frozen=True)
class CommitFound:
    """A commit, where it stands, and the questions that reported on it."""

    row: CommitRow
    state: str
    questions: tuple[ProbeResult, ...] = ()
    notes: tuple[str, ...] = ()
    """The self-edits that it was trained on, as they were written."""
    entered: bool = True
    """Whether it was ever live."""
    asked: int = 0
    """Questions that reported on it, as far as they are still there."""
    gate: GateFound | None = None
    """None where there was no gate."""


@final
@dataclass(frozen=True)
class HistoryFound:
    """What was learned for good, the oldest first."""

    commits: tuple[CommitFound, ...]
    earlier: int
    """Commits before those, which are not shown."""
    untold: int
    """Of those that are shown, the ones without questions and notes: the page would get too large."""
    live: int
    """Of all commits, shown or not, as is the cost."""
    cost: Cost


@final
@dataclass(frozen=True)
class HeldFound:
    """What the gate held back, the oldest first."""

    candidates: tuple[Candidate, ...]
    earlier: int
    """Candidates before those, which are not shown."""
    waiting: int
    """Of all, those that nobody has decided on."""


@final
@dataclass(frozen=True)
class Found:
    """All that the page tells."""

    about: About
    runs: tuple[RunFound, ...] = ()
    tried: tuple[PassageTried, ...] = ()
    tables: tuple[TableFound, ...] = ()
    asked: tuple[PassageAsked, ...] = ()
    solved: tuple[SolvedFound, ...] = ()
    """Tables on tasks of demonstrations."""
    tasks: tuple[TaskShown, ...] = ()
    picked: tuple[PickedBy, ...] = ()
    history: HistoryFound | None = None
    settings: Mapping[str, str] = field(default_factory=dict[str, str])
    """What the settings are of → the settings as YAML."""
    streams: tuple[StreamFound, ...] = ()
    machines: Mapping[str, str] = field(default_factory=dict[str, str])
    """Run or table → what it chose for its machine and the versions that computed, as YAML."""
    held: HeldFound | None = None
