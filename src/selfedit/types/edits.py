"""Training notes, and how they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from selfedit.types.hashing import content_hash
from selfedit.types.heads import Sequence
from selfedit.types.plans import TrainingPlan


@dataclass(frozen=True, slots=True)
class SelfEdit:
    """Training notes that the model wrote for a task, already parsed."""

    task: str
    """Id of the task."""
    format: str
    text: str
    """What the model wrote, as it wrote it."""
    lines: tuple[str | Sequence, ...] = ()
    """The training sequences that the text comes to; the passage itself is not among them."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Hyper-parameters and tools that a directive picked, clamped to their bounds."""

    @property
    def id(self) -> str:
        return content_hash(
            ["edit", self.task, self.format, self.text, list(self.lines), dict(self.settings)]
        )


@dataclass(frozen=True, slots=True)
class Reward:
    """How a trial did; larger is better. `parts` holds the named measures that it is made of."""

    value: float
    parts: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Failure:
    """Something that could not be judged. Never a reward of 0."""

    where: str
    """The step that failed: `parse`, `train`, `generate`, `grade`, ..."""
    what: str


Outcome = Reward | Failure


@dataclass(frozen=True, slots=True)
class Trial:
    """A self-edit, the plan that it came to, and how it did."""

    edit: SelfEdit
    plan: TrainingPlan | None
    outcome: Outcome
    adapter: str | None = None
    """Hash of the adapter, where one was trained."""
