"""What a strategy is told of the past, and what it says of the training to come."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal, final

from selfedit.types import AdapterLike, Constraint, MomentsLike, Objective, Sequence, TrainingPlan

Row = str | Sequence
"""A training sequence."""


@final
@dataclass(frozen=True, slots=True)
class Learned:
    """A live commit."""

    commit: str
    rows: tuple[Row, ...]
    """What it was trained on of its own; what it replayed is left out."""
    texts: tuple[str, ...] = ()
    """Its passages with their titles, as a router looks through them."""
    adapter: AdapterLike | None = None
    right_then: float | None = None
    """The share of its reporting probes that were right just after it; None where that is not known."""
    right_now: float | None = None
    """The same as it was measured last."""

    @property
    def fading(self) -> float | None:
        """The share of what was right that is not any more, from 0 to 1; None where that is not known."""
        if self.right_now is None or not self.right_then:
            return None
        return min(1.0, max(0.0, 1 - self.right_now / self.right_then))


@final
@dataclass(frozen=True, slots=True)
class Past:
    """What is known when something new is to be learned."""

    learned: tuple[Learned, ...] = ()
    """Live commits, the oldest first."""
    general: tuple[Row, ...] = ()
    """Texts of general kind, on which the model should stay as it is."""
    moments: MomentsLike | None = None
    """Of what the layers read of earlier texts; None where there are none."""

    @property
    def place(self) -> str:
        """Its place in the history, for draws: the same past draws the same, a longer one anew."""
        return self.learned[-1].commit if self.learned else ""


@final
@dataclass(frozen=True, slots=True)
class Course:
    """What is to be trained, and how it is to be served."""

    new: tuple[Row, ...]
    seed: int = 0
    replayed: tuple[Row, ...] = ()
    """Rows of earlier commits, trained on as they were."""
    held: tuple[Sequence, ...] = ()
    """Rows of weight 0, on which the objective holds the model to what it was."""
    objective: Objective | None = None
    constraint: Constraint | None = None
    serving: Literal["merged", "routed", "superposed"] = "merged"
    """`routed`: trained on the bare base, frozen, and used only for questions that point to it. `superposed`:
    trained likewise, and used in a sum of all, which such questions read through signs."""
    bisected: bool = False
    """Whether a smaller scale is looked for where the whole adapter does not pass."""
    rebuilt: tuple[str, ...] = ()
    """Commits that are to be rebuilt as one adapter from the base, together with what is new."""

    @property
    def rows(self) -> tuple[Row, ...]:
        """All that is trained on: what a plan is made of."""
        return (*self.new, *self.replayed, *self.held)

    def applied(self, plan: TrainingPlan) -> TrainingPlan:
        """The plan of these rows under the objective and constraint; itself where there are none."""
        if self.serving != "merged" and plan.head is not None:
            plan = replace(plan, head=None)
        if self.objective is not None:
            plan = replace(plan, objective=self.objective)
        if self.constraint is not None:
            plan = replace(plan, constraint=self.constraint)
        return plan
