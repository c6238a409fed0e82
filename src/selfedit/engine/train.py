"""Training many adapters at once over one frozen base.

Each slot of a bank carries one plan; a step takes every slot's next batch, packs all rows into one forward
and backward pass, and updates each slot by its own AdamW. A plan that is done leaves and the next takes its
slot. Which plans share a batch depends on the plans alone, never on what they become. Knows nothing of
rewards, files or rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from selfedit.engine.attention import Pass
from selfedit.engine.layout import Rows, Slots
from selfedit.engine.lora import Adapter, AdapterMeta, Bank, Dropout, initial_weights
from selfedit.engine.loss import token_losses
from selfedit.engine.model import Model, TokenRow
from selfedit.types import Failure, TrainingPlan

Result = tuple[int, Adapter | Failure]


@final
@dataclass(frozen=True)
class Job:
    """A plan with its rows as tokens; `index` is its place in the caller's list."""

    index: int
    plan: TrainingPlan
    rows: tuple[TokenRow, ...]
    order: tuple[tuple[int, ...], ...]

    @property
    def tokens(self) -> int:
        """Tokens that all its steps see."""
        return sum(len(self.rows[i].ids) for step in self.order for i in step)

    def batch(self, step: int) -> list[TokenRow]:
        return [self.rows[i] for i in self.order[step]]


@final
@dataclass(frozen=True)
class Budget:
    """What one pass may hold: adapter slots, and tokens through the base."""

    slots: int
    tokens: int


@final
@dataclass
class Seat:
    """A job at work in a slot."""

    job: Job
    step: int = 0
    losses: list[Tensor] = field(default_factory=list[Tensor])

    @property
    def done(self) -> bool:
        return self.step >= len(self.job.order)


@final
class Trainer:
    """Runs jobs that share a head and a set of target layers through one bank."""

    def __init__(self, model: Model, names: tuple[str, ...], jobs: Sequence[Job], budget: Budget) -> None:
        self.model, self.jobs, self.budget = model, list(jobs), budget
        slots = min(budget.slots, len(jobs))
        self.bank = Bank(model.specs(names), slots, max(j.plan.rank for j in jobs), model.device, model.dtype)
        self.bank.enable_gradients()
        self.first_moment_AP = torch.zeros_like(self.bank.master_AP)
        self.second_moment_AP = torch.zeros_like(self.bank.master_AP)
        self.count_A = [torch.zeros((), device=model.device) for _ in range(slots)]
        self.seats: list[Seat] = []

    def run(self, on_step: Callable[[int], None]) -> Iterator[Result]:
        """Yield each adapter as it is done. `on_step` is told the tokens of every step."""
        waiting = iter(self.jobs)
        self._fill(waiting)
        while self.seats:
            if not any(seat.done for seat in self.seats):
                on_step(self._step())
            yield from self._leave(waiting)

    # -- seats ---------------------------------------------------------------------------------------------

    def _fill(self, waiting: Iterator[Job]) -> None:
        while len(self.seats) < self.bank.slots and (job := next(waiting, None)) is not None:
            self._sit(len(self.seats), job)

    def _sit(self, slot: int, job: Job) -> None:
        seat = Seat(job)
        self.seats[slot : slot + 1] = [seat]
        self.bank.write(slot, start(self.bank, job.plan))
        self.first_moment_AP[slot].zero_()
        self.second_moment_AP[slot].zero_()
        self.count_A[slot].zero_()

    def _leave(self, waiting: Iterator[Job]) -> Iterator[Result]:
        """Free the slots of finished jobs; the next jobs take them, or the last slots move up."""
        for slot in reversed([s for s, seat in enumerate(self.seats) if seat.done]):
            yield self._result(slot)
            job = next(waiting, None)
            if job is None:
                self._close(slot)
            else:
                self._sit(slot, job)

    def _close(self, slot: int) -> None:
        self._move(len(self.seats) - 1, slot)
        self.seats[slot] = self.seats[-1]
        self.seats.pop()

    def _move(self, source: int, target: int) -> None:
        if source == target:
            return
        bank = self.bank
        for flat in (
            bank.master_AP,
            bank.compute_AP,
            self.first_moment_AP,
            self.second_moment_AP,
            bank.scale_A,
        ):
            flat[target] = flat[source]
        self.count_A[target].copy_(self.count_A[source])

    def _result(self, slot: int) -> Result:
        seat = self.seats[slot]
        losses = torch.stack(seat.losses).tolist() if seat.losses else []
        broken = next(
            (step for step, loss in enumerate(losses) if loss != loss or abs(loss) == float("inf")), None
        )
        if broken is not None or not bool(torch.isfinite(self.bank.master_AP[slot]).all()):
            where = "the last step" if broken is None else f"step {broken + 1} of {len(losses)}"
            rate = f"{seat.job.plan.learning_rate:g}"
            what = f"loss or weights not finite at {where}; try a lower learning rate than {rate}"
            return seat.job.index, Failure("train", what)
        weights = self.bank.read(slot, seat.job.plan.rank)
        return seat.job.index, finished(self.bank, seat.job.plan, weights, tuple(losses))

    # -- one step ------------------------------------------------------------------------------------------

    def _step(self) -> int:
        """One optimiser step of every seat; returns its tokens."""
        bank = self.bank
        assert bank.grad_AP is not None
        bank.grad_AP[: len(self.seats)].zero_()
        batches = [seat.job.batch(seat.step) for seat in self.seats]
        losses_A = torch.zeros(len(self.seats), dtype=bank.master_AP.dtype, device=self.model.device)
        for first, part in _parts(batches, self.budget.tokens):
            losses_A[first : first + len(part)] += self._backward(first, part, batches)
        for slot, seat in enumerate(self.seats):
            self._update(slot, seat)
            seat.losses.append(losses_A[slot])
            seat.step += 1
        bank.sync()
        return sum(len(row.ids) for batch in batches for row in batch)

    def _backward(self, first: int, part: list[list[TokenRow]], batches: list[list[TokenRow]]) -> Tensor:
        """Loss [A] of the slots `first`…; their gradients are added to the bank's buffer."""
        rows = [row for batch in part for row in batch]
        device = self.model.device
        layout = Rows.of([len(row.ids) for row in rows], device)
        slots = Slots(tuple(sum(len(row.ids) for row in batch) for batch in part), device)
        self.model.run.use(self.bank, slots, first, self._dropout(first, len(part)))
        ids_N = torch.tensor([i for row in rows for i in row.ids], device=device)
        hidden_NH = self.model.hidden(ids_N, Pass(layout))
        weights = [
            weight for a, batch in enumerate(part) for weight in _token_weights(batch, batches[first + a])
        ]
        bearing = [at for at, weight in enumerate(weights) if weight is not None]
        slot_L = [a for a, batch in enumerate(part) for row in batch for bears in row.bears_loss if bears]
        at_L = torch.tensor(bearing, device=device, dtype=torch.long)
        weight_L = torch.tensor(
            [weights[at] for at in bearing], device=device, dtype=self.bank.master_AP.dtype
        )
        loss_L = token_losses(hidden_NH[at_L], self.model.head, ids_N[at_L + 1], weight_L)
        loss_L.sum().backward()
        self.model.run.use(None, None)
        total_A = torch.zeros(len(part), dtype=loss_L.dtype, device=device)
        return total_A.index_add_(0, torch.tensor(slot_L, device=device, dtype=torch.long), loss_L.detach())

    def _dropout(self, first: int, count: int) -> Dropout | None:
        seats = self.seats[first : first + count]
        rates = [seat.job.plan.dropout for seat in seats]
        if not any(rates):
            return None
        return Dropout(rates, [f"{seat.job.plan.seed}/{seat.step}" for seat in seats])

    def _update(self, slot: int, seat: Seat) -> None:
        bank, plan = self.bank, seat.job.plan
        assert bank.grad_AP is not None
        adamw(
            [bank.master_AP[slot]],
            [bank.grad_AP[slot]],
            [self.first_moment_AP[slot]],
            [self.second_moment_AP[slot]],
            [],
            [self.count_A[slot]],
            fused=True,
            amsgrad=False,
            beta1=0.9,
            beta2=0.999,
            lr=plan.rate(seat.step),
            weight_decay=plan.weight_decay,
            eps=1e-8,
            maximize=False,
        )


def _parts(batches: list[list[TokenRow]], budget: int) -> Iterator[tuple[int, list[list[TokenRow]]]]:
    """Consecutive slots whose rows fit a pass together; a slot too large for one pass comes in several."""
    first, part, held = 0, list[list[TokenRow]](), 0
    for slot, batch in enumerate(batches):
        size = sum(len(row.ids) for row in batch)
        if part and held + size > budget:
            yield first, part
            part, held = [], 0
        if size > budget:
            yield from ((slot, [rows]) for rows in _split(batch, budget))
            continue
        if not part:
            first = slot
        part, held = [*part, batch], held + size
    if part:
        yield first, part


def _split(batch: list[TokenRow], budget: int) -> Iterator[list[TokenRow]]:
    part, held = list[TokenRow](), 0
    for row in batch:
        if part and held + len(row.ids) > budget:
            yield part
            part, held = [], 0
        part, held = [*part, row], held + len(row.ids)
    yield part


def _token_weights(rows: list[TokenRow], whole: list[TokenRow]) -> list[float | None]:
    """For each packed token, the weight of the loss of predicting the next one; None where none is borne.

    The loss of a step is Σ weight · nll / (number of tokens that bear loss), over the slot's whole batch.
    """
    total = max(1, sum(row.loss_tokens for row in whole))
    return [
        w
        for row in rows
        for w in [*(row.weight / total if b else None for b in row.bears_loss), None][: len(row.ids)]
    ]


def start(bank: Bank, plan: TrainingPlan) -> Adapter:
    """The adapter that a plan begins with."""
    weights: dict[str, Tensor] = {}
    for spec in bank.specs.values():
        a_RI, b_OR = initial_weights(spec, plan)
        weights[f"{spec.name}.lora_A.weight"], weights[f"{spec.name}.lora_B.weight"] = a_RI, b_OR
    return Adapter(plan.rank, plan.alpha, weights, AdapterMeta(tuple(bank.specs), hash="initial"))


def finished(
    bank: Bank, plan: TrainingPlan, weights: dict[str, Tensor], losses: tuple[float, ...]
) -> Adapter:
    """The adapter that a plan ends with."""
    transposed = any(spec.transposed for spec in bank.specs.values())
    meta = AdapterMeta(
        tuple(bank.specs), dropout=plan.dropout, transposed=transposed, losses=losses, plan=plan.id
    )
    return Adapter(plan.rank, plan.alpha, weights, meta)
