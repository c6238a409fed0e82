"""Frozen references of training plans: what a head's last hidden states are where rows bear loss.

They are made once, before training, for each row that differs from the others, and wait in main memory: some
two kilobytes a token where logits would take hundreds. Knows nothing of losses or optimisers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import final

import torch
from torch import Tensor

from selfedit.engine.attention import Pass
from selfedit.engine.divergence import Pull
from selfedit.engine.layout import Rows, passes
from selfedit.engine.model import Model, TokenRow
from selfedit.engine.scarcity import Room, shrinking
from selfedit.engine.train import Job, fitting
from selfedit.types import Head, TrainingPlan

GIB = 1 << 30

Text = tuple[tuple[int, ...], tuple[bool, ...]]
"""A row's ids, and which of its predictions bear loss."""


def reference(plan: TrainingPlan) -> Head | None:
    """The head that a plan with an objective is held to."""
    assert plan.objective is not None
    return plan.objective.reference or plan.head


def head_key(head: Head | None) -> str:
    """Equal for heads of equal weights; empty for the base."""
    return head.id if head is not None and head.adapters else ""


@final
@dataclass(frozen=True)
class References:
    """What the plans of some jobs are held to: by head, the rows to be read on it."""

    heads: dict[str, Head | None]
    texts: dict[str, dict[Text, TokenRow]]

    @staticmethod
    def of(jobs: Iterable[Job]) -> References:
        found = References({}, defaultdict(dict))
        for job in jobs:
            if rows := _drawn(job):
                head = reference(job.plan)
                key = head_key(head)
                found.heads[key] = head
                found.texts[key].update({_text(row): row for row in rows})
        return found

    def size(self, model: Model) -> int:
        """Bytes that the states take."""
        weight_VH = model.head.weight_VH
        tokens = sum(row.loss_tokens for rows in self.texts.values() for row in rows.values())
        return tokens * weight_VH.shape[1] * weight_VH.element_size()

    def read(
        self, model: Model, tokens: int, stand_on: Callable[[Head | None], None], told: Callable[[Room], None]
    ) -> States:
        """Read every row on its head, some `tokens` in a pass. `told` hears of it when memory runs out."""
        found: States = {}
        for key, head in self.heads.items():
            stand_on(head)
            texts = list(self.texts[key])
            work = list(enumerate(self.texts[key].values()))
            passes = shrinking(
                work, Room(len(work), 1, tokens), lambda left, room: _read(model, left, room), told
            )
            found |= {(key, texts[index]): states_LH for index, states_LH in passes}
        return found


States = dict[tuple[str, Text], Tensor]
"""By head and row, the last hidden states [L, H] where the row bears loss."""


def waves(model: Model, jobs: Sequence[Job], room: int) -> Iterator[list[Job]]:
    """Jobs that are trained together: all of them, where the states that they need fit in `room` bytes.

    Raises EngineError where not even one plan's states fit.
    """

    def complaint(size: int) -> str:
        return (
            f"the reference of a plan needs {size / GIB:.2f} GiB for its hidden states and "
            f"{room / GIB:.2f} GiB is to be had; train on fewer or shorter sequences, or free memory"
        )

    return fitting(jobs, lambda some: References.of(some).size(model), room, complaint)


def pulled(job: Job, states: States) -> Job:
    """The job with its rows drawn to the reference."""
    objective, drawn = job.plan.objective, {id(row) for row in _drawn(job)}
    if objective is None or not drawn:
        return job
    key = head_key(reference(job.plan))
    home = key == head_key(job.plan.head)

    def pull(row: TokenRow) -> TokenRow:
        found = Pull(objective.divergence, objective.weight, states[key, _text(row)], home)
        return replace(row, pull=found)

    return replace(job, rows=tuple(pull(row) if id(row) in drawn else row for row in job.rows))


def _drawn(job: Job) -> list[TokenRow]:
    """The rows that the job's objective holds to its reference."""
    objective = job.plan.objective
    if objective is None or not job.order:
        return []
    every = objective.rows == "all"
    return [row for row in job.rows if row.loss_tokens and (every or row.weight == 0)]


def _text(row: TokenRow) -> Text:
    return row.ids, row.bears_loss


@torch.no_grad()
def _read(model: Model, work: list[tuple[int, TokenRow]], room: Room) -> Iterator[tuple[int, Tensor]]:
    """Yield each row's states, some `room.tokens` in a pass; rows of like length go together."""
    model.run.use(None, None)
    for part in passes(work, lambda item: len(item[1].ids), room.tokens):
        yield from _pass(model, part)


def _pass(model: Model, part: list[tuple[int, TokenRow]]) -> list[tuple[int, Tensor]]:
    rows = [row for _, row in part]
    ids_N = torch.tensor([each for row in rows for each in row.ids], device=model.device)
    hidden_NH = model.hidden(ids_N, Pass(Rows.of([len(row.ids) for row in rows], model.device)))
    bears_N = torch.tensor([bears for row in rows for bears in (*row.bears_loss, False)], device=model.device)
    states_LH = hidden_NH[bears_N].cpu()
    cuts = [row.loss_tokens for row in rows]
    return [(index, own.clone()) for (index, _), own in zip(part, states_LH.split(cuts), strict=True)]
