"""What a self-edit comes to: rows of training and hyper-parameters."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from selfedit.errors import UsageError
from selfedit.types.bounds import finite
from selfedit.types.goals import Constraint, Objective
from selfedit.types.hashing import content_hash, rng_for
from selfedit.types.heads import Head, Sequence

Schedule = Literal["linear", "constant", "cosine"]


@dataclass(frozen=True)
class TrainingPlan:
    """What a self-edit comes to: token sequences with loss masks, and hyper-parameters.

    A sequence is a `str` (the tokenizer's defaults, no end-of-text added, loss on every token after the
    first) or a `Sequence`. The loss of a step is the sum of weighted token losses, with what the objective
    adds to each, over the number of tokens that bear loss; a constraint's penalty is added to that. AdamW
    0.9/0.999/1e-8, no clipping. Defaults follow SEAL's inner loop (arXiv 2506.10943, section B).
    """

    sequences: tuple[str | Sequence, ...]
    rank: int = 32
    alpha: float = 64
    learning_rate: float = 1e-3
    epochs: int = 10
    batch_size: int = 1
    schedule: Schedule = "linear"
    warmup: float = 0.0
    weight_decay: float = 0.0
    dropout: float = 0.0
    target_modules: str | tuple[str, ...] = "all-linear"
    seed: int = 0
    shuffle: bool = True
    head: Head | None = None
    objective: Objective | None = None
    """None is cross-entropy."""
    constraint: Constraint | None = None
    """None is unconstrained."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "sequences", tuple(self.sequences))
        if not isinstance(self.target_modules, str):
            object.__setattr__(self, "target_modules", tuple(self.target_modules))
        for name, ok, remedy in self._bounds():
            if not ok:
                raise UsageError(f"training plan: {name} is {getattr(self, name)!r}; {remedy}")

    def _bounds(self) -> list[tuple[str, bool, str]]:
        return [
            ("sequences", len(self.sequences) > 0 or self.epochs == 0, "give at least one sequence"),
            (
                "rank",
                isinstance(self.rank, int) and 1 <= self.rank <= 4096,
                "choose a whole number from 1 to 4096",
            ),
            ("alpha", finite(self.alpha) and self.alpha > 0, "choose a positive number"),
            (
                "learning_rate",
                finite(self.learning_rate) and self.learning_rate >= 0,
                "choose a finite number ≥ 0",
            ),
            ("epochs", isinstance(self.epochs, int) and self.epochs >= 0, "choose a whole number ≥ 0"),
            (
                "batch_size",
                isinstance(self.batch_size, int) and self.batch_size >= 1,
                "choose a whole number ≥ 1",
            ),
            (
                "schedule",
                self.schedule in ("linear", "constant", "cosine"),
                "choose linear, constant or cosine",
            ),
            ("warmup", finite(self.warmup) and 0 <= self.warmup <= 1, "choose a fraction from 0 to 1"),
            (
                "weight_decay",
                finite(self.weight_decay) and self.weight_decay >= 0,
                "choose a finite number ≥ 0",
            ),
            (
                "dropout",
                finite(self.dropout) and 0 <= self.dropout < 1,
                "choose a fraction from 0 to below 1",
            ),
            ("target_modules", bool(self.target_modules), "name modules, or all-linear"),
            (
                "objective",
                self.objective is None or isinstance(self.objective, Objective),
                "give an Objective, or leave it out",
            ),
            (
                "constraint",
                self.constraint is None or isinstance(self.constraint, Constraint),
                "give Orthogonal, NullSpace or Elastic, or leave it out",
            ),
        ]

    @property
    def steps_per_epoch(self) -> int:
        return math.ceil(len(self.sequences) / self.batch_size)

    @property
    def steps(self) -> int:
        """Optimiser steps in all."""
        return self.epochs * self.steps_per_epoch

    def order(self) -> tuple[tuple[int, ...], ...]:
        """The data order: for each step, the indices of its sequences.

        Shuffling draws a permutation of *length ranks* (by characters, ties by position) from the seed, epoch
        and count alone. Plans of one seed and count therefore meet their longest sequences at the same step,
        which lets the engine batch them almost without padding; for one plan alone it is a uniform shuffle.
        """
        ranked = sorted(range(len(self.sequences)), key=lambda i: (_characters(self.sequences[i]), i))
        steps: list[tuple[int, ...]] = []
        for epoch in range(self.epochs):
            rows = list(range(len(self.sequences)))
            if self.shuffle:
                rng_for("order", self.seed, epoch, len(rows)).shuffle(rows)
                rows = [ranked[rank] for rank in rows]
            steps += [tuple(rows[i : i + self.batch_size]) for i in range(0, len(rows), self.batch_size)]
        return tuple(steps)

    def rate(self, step: int) -> float:
        """Learning rate of the optimiser step `step` (from 0)."""
        warm = math.ceil(self.warmup * self.steps)
        if step < warm:
            return self.learning_rate * (step + 1) / warm
        done = (step - warm) / max(1, self.steps - warm)
        match self.schedule:
            case "constant":
                return self.learning_rate
            case "cosine":
                return self.learning_rate * 0.5 * (1 + math.cos(math.pi * done))
            case _:
                return self.learning_rate * (1 - done)

    @property
    def id(self) -> str:
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "head"}
        fields["objective"] = self.objective.id if self.objective else None
        fields["constraint"] = self.constraint.id if self.constraint else None
        return content_hash(["plan", fields, self.head.id if self.head else None])


def _characters(sequence: str | Sequence) -> int:
    return len(sequence) if isinstance(sequence, str) else len(sequence.prompt) + len(sequence.completion)
