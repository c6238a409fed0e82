"""What a kind of task is to rounds of reinforcement. Two are built: `passages` and `demonstrations`.

A kind says how self-edits are written, what an edit comes to, how its adapter is judged, and what the policy
learns of an edit. Races, floors, seeds, journal and resumption know of none of that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol, TypeVar, final

from selfedit.questioning import Author
from selfedit.rewards import Grader
from selfedit.rounds import Ground
from selfedit.samples import Owner
from selfedit.types import Outcome, Probe, SelfEdit, Sequence, TrainingPlan, Trial

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.reinforcing.campaign import Campaign
    from selfedit.workers import Worker


@final
@dataclass(frozen=True)
class Written:
    """What the policy wrote for the tasks of a round."""

    edits: Mapping[str, list[SelfEdit]]
    """Task id → distinct self-edits."""
    probes: Mapping[str, tuple[Probe, ...]] = field(default_factory=dict[str, tuple[Probe, ...]])
    """Task id → questions that judge its edits; a task with tests of its own has none."""
    failures: Counter[str] = field(default_factory=Counter[str])
    """Why self-edits could not be used, and how often."""


Judged = tuple["Adapter | None", Any]
"""A task, and the adapter that is to be judged on it."""
TaskT = TypeVar("TaskT", bound=Owner)


class Kind(Protocol[TaskT]):
    """Tasks of one kind, and what a round does with them."""

    @property
    def tasks(self) -> tuple[TaskT, ...]:
        """All that rounds draw from."""
        ...

    @property
    def data(self) -> str:
        """A hash of where they came from."""
        ...

    @property
    def formats(self) -> list[Any]:
        """What is in the formats that self-edits are written in."""
        ...

    def grader(self, worker: Worker) -> Grader | None:
        """Who says whether an answer is right; None where that takes no grader."""
        ...

    def prepared(self, work: Campaign, tasks: Items[TaskT]) -> tuple[TaskT, ...]:
        """The tasks of a round with what has to be made of them before anything is written."""
        ...

    def write(self, work: Campaign, number: int, tasks: Items[TaskT]) -> Written:
        """Self-edits for every task of a round, kept as they are made."""
        ...

    def plan(self, task: TaskT, edit: SelfEdit, ground: Ground) -> TrainingPlan:
        """What an edit is applied by."""
        ...

    def judged_by(self, task: TaskT, written: Written, ground: Ground) -> list[Any]:
        """All that an outcome depends on beside edit, plan and base."""
        ...

    def judge(self, asked: Items[Judged], written: Written, ground: Ground) -> list[Outcome]:
        """What each adapter earns on its task; without an adapter, the ground's head."""
        ...

    def kept(self, trial: Trial) -> Trial:
        """As much of a trial as the journal keeps."""
        ...

    def floor(
        self, name: str, work: Campaign, number: int, tasks: Items[TaskT], written: Written
    ) -> Mapping[str, float]:
        """Task id → what its edits have to beat, by a name of `select.beat`."""
        ...

    def rows(self, author: Author, task: TaskT, edit: SelfEdit) -> tuple[Sequence, ...]:
        """What the policy wrote of an edit, each piece after its prompt."""
        ...


def pieces(tasks: Items[TaskT], size: int) -> list[list[TaskT]]:
    """Tasks in the order they have, so many at a time."""
    return [list(tasks[at : at + size]) for at in range(0, len(tasks), size)]
