"""What goes into a store and what comes out of it: frozen values.

Knows nothing of SQL, files or locks. Times are ISO 8601 in UTC.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from selfedit.errors import StoreError
from selfedit.types import Outcome, Probe, SelfEdit, Task, TrainingPlan, Trial

Role = Literal["choose", "report"]


@dataclass(frozen=True, slots=True)
class Source:
    """A document as the user named it, and the SHA-256 and size of its bytes."""

    path: str
    sha256: str
    bytes: int
    place: str | None = None
    """Its real path from the root when it was read; None where that was not noted."""


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured before and after, as fractions; None where nothing could be measured."""

    recall_before: float | None = None
    recall_after: float | None = None
    concise_before: float | None = None
    concise_after: float | None = None
    mismatch_before: float | None = None
    mismatch_after: float | None = None
    retention: float | None = None

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = getattr(self, name)
            if value is not None and not math.isfinite(value):
                raise StoreError(
                    f"{name} is {value}; give a finite number, or None where nothing was measured"
                )


@dataclass(frozen=True, slots=True)
class Cost:
    """What a commit took: wall-clock seconds and trained tokens."""

    seconds: float = 0.0
    tokens: int = 0


@dataclass(frozen=True, slots=True)
class ProbeAnswer:
    """What the model answered, and whether that was right, and right in few words (None: not judged)."""

    text: str
    correct: bool | None = None
    concise: bool | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """A probe as one commit used it: its part, and how it was answered before and after."""

    probe: Probe
    task: str
    """Id of the task that it asks about."""
    role: Role
    dropped: str | None = None
    """Why it was set aside; None if it counted."""
    before: ProbeAnswer | None = None
    after: ProbeAnswer | None = None


@dataclass(frozen=True, slots=True)
class NewAdapter:
    """Trained weights to be kept: the safetensors file (its bytes or its path) and PEFT's configuration.

    `hash` is the engine's identity of the adapter (`Adapter.hash`), the one that heads are made of. The store
    finds the file's own SHA-256 by itself.
    """

    hash: str
    weights: bytes | Path
    config: Mapping[str, Any]
    losses: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """A summary: first, last, mean, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCommit:
    """Everything that one accepted adapter leaves behind. What was recorded earlier may be repeated."""

    adapter: NewAdapter
    plan: TrainingPlan
    """What trained the adapter. Its `head` is the store's head; None stands for the bare base."""
    sources: tuple[Source, ...] = ()
    tasks: tuple[Task, ...] = ()
    edits: tuple[SelfEdit, ...] = ()
    """The self-edits that it was trained on."""
    trials: tuple[Trial, ...] = ()
    """Further trials to be kept."""
    probes: tuple[ProbeResult, ...] = ()
    figures: Figures = field(default_factory=Figures)
    gate: Mapping[str, Any] | None = None
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    cost: Cost = field(default_factory=Cost)
    text_tasks: Mapping[str, str] = field(default_factory=dict[str, str])
    """Hash of a trained text → id of the task that it stems from; replayed texts are left out."""


@dataclass(frozen=True, slots=True)
class CommitRow:
    """A commit as it stands in the journal."""

    id: str
    seq: int
    """Its place in the order of acceptance, from 1."""
    parent: str | None
    time: str
    sources: tuple[Source, ...]
    adapter: str
    head_trained_on: str
    plan: str
    figures: Figures
    gate: str | None
    """Hash of the gate report's text; `Store.gate_report` reads it."""
    settings: Mapping[str, Any]
    cost: Cost
    live: bool
    replaces: str | None = None
    """The commit whose place it took in the head, if it was retrained."""
    erased: str | None = None
    """When its texts and weights were erased for good."""


@dataclass(frozen=True, slots=True)
class AdapterName:
    """An adapter that a record speaks of and the store need not have."""

    hash: str


@dataclass(frozen=True, slots=True)
class MomentsName:
    """Second moments that a record speaks of; the store need not have them."""

    hash: str


@dataclass(frozen=True, slots=True)
class AdapterRow:
    """A kept adapter. It has an identity (`hash`), so it can stand in a `Head`."""

    hash: str
    blob: str
    """SHA-256 of the safetensors file."""
    bytes: int
    plan: str
    head_trained_on: str
    rank: int
    config: Mapping[str, Any]
    losses: Mapping[str, Any]
    erased: bool


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A version of a document that some commit learned."""

    path: str
    sha256: str
    bytes: int
    commit: str
    live: bool
    place: str | None = None


@dataclass(frozen=True, slots=True)
class TrialRow:
    """How a trial ended. `key` is the hash of all that its outcome depends on."""

    key: str
    edit: str
    plan: str | None
    adapter: str | None
    outcome: Outcome


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run of a recipe, which its rounds belong to."""

    id: str
    recipe: Mapping[str, Any]
    time: str


@dataclass(frozen=True, slots=True)
class RoundRow:
    """A round of a run that has ended: what it left behind."""

    run: str
    number: int
    adapter: str | None
    """The reinforced policy's adapter; None where nothing was reinforced."""
    head: str
    """Id of the head that the next round stands on."""
    record: Mapping[str, Any]
    """What its maker noted of it."""
    time: str


@dataclass(frozen=True, slots=True)
class ReportRow:
    """What was found out about a subject: the newest of its kind."""

    subject: str
    time: str
    value: Mapping[str, Any]
    """What its maker noted of it."""


@dataclass(frozen=True, slots=True)
class Move:
    """One entry in the head's log: the live commits after it, in order."""

    seq: int
    time: str
    verb: str
    live: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Collected:
    """What `Store.gc` removed for good."""

    blobs: int
    """Files of weights that no commit and no run has any more."""
    texts: int
    """Texts that were erased with their commits."""
    weights: int
    """Adapters that were."""
    bytes: int
    """Size of all files that went."""


@dataclass(frozen=True, slots=True)
class Backup:
    """A whole copy of a store: where it is, how many adapters it has, and the size of all its files."""

    path: Path
    blobs: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Verification:
    """What `Store.verify` found; a problem is one line that names the thing that is wrong."""

    ok: bool
    checked: int
    problems: tuple[str, ...]
