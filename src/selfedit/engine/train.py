"""Training many adapters at once over one frozen base.

Each slot of a bank carries one plan; a step takes every slot's next batch, packs all rows into one forward
and backward pass, and updates each slot by its own AdamW. A plan that is done leaves and the next takes its
slot. Which plans share a batch depends on the plans alone, never on what they become. Knows nothing of
rewards, files or rounds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import final

import torch
from torch import Tensor
from torch.optim.adamw import adamw

from selfedit.engine.adapted import Dropout
from selfedit.engine.attention import Pass
from selfedit.engine.bank import Bank, initial_weights
from selfedit.engine.constraint import Hold
from selfedit.engine.divergence import Pulls, pulled_losses
from selfedit.engine.layout import Rows, Slots
from selfedit.engine.lora import Adapter, AdapterMeta
from selfedit.engine.loss import token_losses
from selfedit.engine.model import Model, TokenRow
from selfedit.engine.packing import Bearing, packed, parts
from selfedit.engine.scarcity import SMALLEST, out_of_memory, release
from selfedit.errors import EngineError
from selfedit.types import Failure, TrainingPlan

OVERHEAD = {True: 100, False: 512}
"""What a pass costs beside its tokens, in tokens: on a processor, and on an accelerator."""

Result = tuple[int, Adapter | Failure]


@final
@dataclass(frozen=True)
class Job:
    """A plan with its rows as tokens; `index` is its place in the caller's list."""

    index: int
    plan: TrainingPlan
    rows: tuple[TokenRow, ...]
    order: tuple[tuple[int, ...], ...]
    hold: Hold | None = None
    """The plan's constraint, in force."""

    @property
    def tokens(self) -> int:
        """Tokens that all its steps see."""
        return sum(len(self.rows[i].ids) for step in self.order for i in step)

    def bound(self, hold: Hold) -> Job:
        """This job under a constraint."""
        return replace(self, hold=hold)

    def batch(self, step: int) -> list[TokenRow]:
        """The rows of a step that teach anything."""
        return [self.rows[i] for i in self.order[step] if self.rows[i].loss_tokens]


def fitting(
    jobs: Sequence[Job], size: Callable[[Sequence[Job]], int], room: int, complaint: Callable[[int], str]
) -> Iterator[list[Job]]:
    """Jobs that are trained together: all of them, where what they hold fits in `room` bytes.

    Raises EngineError, with what `complaint` says of its size, where not even one job fits.
    """
    if size(jobs) <= room:
        yield list(jobs)
        return
    wave: list[Job] = []
    for job in sorted(jobs, key=lambda job: (-len(job.order), job.tokens)):
        if (alone := size([job])) > room:
            raise EngineError(complaint(alone))
        if wave and size([*wave, job]) > room:
            yield wave
            wave = []
        wave.append(job)
    yield wave


@final
@dataclass(frozen=True)
class Budget:
    """What one pass may hold: adapter slots, and tokens through the base."""

    slots: int
    tokens: int


def smaller(budget: Budget) -> Budget:
    """Half the tokens a pass. Raises EngineError when passes are as small as they can be."""
    if budget.tokens <= SMALLEST:
        raise EngineError("memory ran out in the smallest training pass; lower the rank or free memory")
    release()
    return Budget(budget.slots, budget.tokens // 2)


@final
@dataclass
class Seat:
    """A job at work in a slot."""

    job: Job
    step: int = 0
    losses: list[Tensor] = field(default_factory=list[Tensor])
    moved: bool = False
    """Whether a step so far could make the adapter add anything."""

    @property
    def done(self) -> bool:
        return self.step >= len(self.job.order)

    def batch(self) -> list[TokenRow]:
        """The rows of its step.

        An adapter that adds nothing yet is where it is pulled home to: the divergence is exactly zero. It is
        left out, since of its slope only rounding would remain, which Adam makes whole steps of.
        """
        rows = self.job.batch(self.step)
        return rows if self.moved else [replace(row, pull=None) if row.home else row for row in rows]

    def advance(self, rows: list[TokenRow]) -> None:
        """The step with these rows is done."""
        self.moved = self.moved or any(row.weight or row.pull for row in rows)
        self.step += 1


@final
class Trainer:
    """Runs jobs that share a head and a set of target layers through one bank."""

    def __init__(self, model: Model, names: tuple[str, ...], jobs: Sequence[Job], budget: Budget) -> None:
        self.model, self.budget = model, budget
        self.jobs = sorted(jobs, key=lambda job: (-len(job.order), job.tokens))
        """Neighbours end together and have rows of like length, so that passes need few pads."""
        slots = min(budget.slots, len(jobs))
        self.bank = model.bank(names, slots, max(job.plan.rank for job in jobs))
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
        if job.hold is not None:
            job.hold.keep(self.bank, torch.tensor([slot], device=self.model.device))
            self.bank.sync()

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
        batches = [seat.batch() for seat in self.seats]
        losses_A = self._losses(batches)
        holds = self._holds()
        for hold, slot_S in holds:
            losses_A[slot_S] += hold.pull(bank, slot_S)
        for slot, seat in enumerate(self.seats):
            self._update(slot, seat)
            seat.losses.append(losses_A[slot])
            seat.advance(batches[slot])
        for hold, slot_S in holds:
            hold.keep(bank, slot_S)
        bank.sync()
        return sum(len(row.ids) for batch in batches for row in batch)

    def _holds(self) -> list[tuple[Hold, Tensor]]:
        """Each constraint with the slots [S] that it binds."""
        found: dict[int, tuple[Hold, list[int]]] = {}
        for slot, seat in enumerate(self.seats):
            if seat.job.hold is not None:
                found.setdefault(id(seat.job.hold), (seat.job.hold, []))[1].append(slot)
        return [(hold, torch.tensor(slots, device=self.model.device)) for hold, slots in found.values()]

    def _losses(self, batches: list[list[TokenRow]]) -> Tensor:
        """Losses [A]; gradients go to the bank. Retried in smaller passes when memory runs out."""
        while True:
            self.bank.grad_AP[: len(self.seats)].zero_()
            losses_A = torch.zeros(len(self.seats), dtype=self.bank.master_AP.dtype, device=self.model.device)
            overhead = OVERHEAD[self.model.device.type == "cpu"]
            try:
                for first, part in parts(batches, self.budget.tokens, overhead, not self.model.run.group):
                    if any(part):
                        losses_A[first : first + len(part)] += self._backward(first, part, batches)
                return losses_A
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                self.model.run.use(None, None)
                self.budget = smaller(self.budget)

    def _backward(self, first: int, part: list[list[TokenRow]], batches: list[list[TokenRow]]) -> Tensor:
        """Loss [A] of the slots `first`…; their gradients are added to the bank's buffer."""
        device = self.model.device
        whole = batches[first : first + len(part)]
        totals = [max(1, sum(row.loss_tokens for row in batch)) for batch in whole]
        work = packed(part, totals, pad=not self.model.run.group)
        self.model.run.use(self.bank, Slots(work.counts, device), first, self._dropout(first, len(part)))
        ids_N = torch.tensor(work.ids, device=device)
        hidden_NH = self.model.hidden(ids_N, Pass(Rows.of(work.lengths, device)))
        losses = [self._token_losses(hidden_NH, ids_N, bearing) for bearing in work.bearing.values()]
        torch.autograd.backward([loss_L.sum() for loss_L in losses])
        self.model.run.use(None, None)
        total_A = torch.zeros(len(part), dtype=losses[0].dtype, device=device)
        for bearing, loss_L in zip(work.bearing.values(), losses, strict=True):
            slot_L = torch.tensor(bearing.slots, device=device, dtype=torch.long)
            total_A.index_add_(0, slot_L, loss_L.detach())
        return total_A

    def _token_losses(self, hidden_NH: Tensor, ids_N: Tensor, bearing: Bearing) -> Tensor:
        device, dtype, head = self.model.device, self.bank.master_AP.dtype, self.model.head
        at_L = torch.tensor(bearing.at, device=device, dtype=torch.long)
        weight_L = torch.tensor(bearing.weights, device=device, dtype=dtype)
        if bearing.divergence is None:
            return token_losses(hidden_NH[at_L], head, ids_N[at_L + 1], weight_L)
        pull_L = torch.tensor(bearing.pulls, device=device, dtype=dtype)
        pulls = Pulls(bearing.divergence, pull_L, torch.cat(bearing.states).to(device))
        return pulled_losses(hidden_NH[at_L], head, ids_N[at_L + 1], weight_L, pulls)

    def _dropout(self, first: int, count: int) -> Dropout | None:
        seats = self.seats[first : first + count]
        rates = [seat.job.plan.dropout for seat in seats]
        if not any(rates):
            return None
        return Dropout(rates, [f"{seat.job.plan.seed}/{seat.step}" for seat in seats])

    def _update(self, slot: int, seat: Seat) -> None:
        bank, plan = self.bank, seat.job.plan
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
