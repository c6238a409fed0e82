"""Plans and their constraints: which plans' matrices fit beside each other, and what each plan is bound by.

Plans of one constraint share its matrices. Knows nothing of what a constraint does.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from selfedit.engine.constraint import Hold, NothingLeftError, hold, hold_bytes
from selfedit.engine.model import Model
from selfedit.engine.train import Job, Result, fitting
from selfedit.types import Failure

GIB = 1 << 30


def held_waves(model: Model, names: Sequence[str], jobs: Sequence[Job], room: int) -> Iterator[list[Job]]:
    """Jobs that are trained together: all of them, where their constraints fit in `room` bytes.

    Raises EngineError where not even one plan's constraint fits.
    """

    def size(some: Sequence[Job]) -> int:
        return hold_bytes((job.plan.constraint for job in some), model, names)

    def complaint(alone: int) -> str:
        return (
            f"the constraint of a plan needs {alone / GIB:.2f} GiB and {room / GIB:.2f} GiB is to be had; "
            "name fewer adapters, take moments of less rank, or free memory"
        )

    return fitting(jobs, size, room, complaint)


def in_force(
    model: Model, base: str, names: Sequence[str], jobs: Sequence[Job]
) -> tuple[list[Job], list[Result]]:
    """The jobs with their constraints in force; and a failure for each that is left no room to learn."""
    found: dict[str, Hold | Failure] = {}
    able: list[Job] = []
    refused: list[Result] = []
    for job in jobs:
        constraint = job.plan.constraint
        if constraint is None:
            able.append(job)
            continue
        if constraint.id not in found:
            try:
                found[constraint.id] = hold(constraint, model, base, names)
            except NothingLeftError as error:
                found[constraint.id] = Failure("train", str(error))
        match found[constraint.id]:
            case Failure() as failure:
                refused.append((job.index, failure))
            case held:
                able.append(job.bound(held))
    return able, refused
