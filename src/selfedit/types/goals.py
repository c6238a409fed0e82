"""What training holds to beside its rows: objectives and constraints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from selfedit.errors import UsageError
from selfedit.types.bounds import finite, positive
from selfedit.types.hashing import content_hash
from selfedit.types.heads import AdapterLike, Head, MomentsLike

Divergence = Literal["reverse", "forward"]
Pulled = Literal["all", "unweighted"]


@dataclass(frozen=True)
class Objective:
    """Cross-entropy, and for every token that bears loss `weight` times a divergence from a frozen head.

    `reverse` is KL(model ‖ reference), the penalty of reinforcement learning; `forward` is KL(reference ‖
    model), distillation. Exact over the vocabulary, not estimated from the token that was sampled. A
    sequence's own weight acts on its cross-entropy alone: with weight 0 it only holds the model to the
    reference, and a negative one never drives the model away from it.
    """

    weight: float
    divergence: Divergence = "reverse"
    reference: Head | None = None
    """None: the plan's own head, as it is without the adapter in training."""
    rows: Pulled = "all"
    """`unweighted`: only sequences of weight 0 are held; the others have cross-entropy alone."""

    def __post_init__(self) -> None:
        if not (finite(self.weight) and self.weight > 0):
            raise UsageError(
                f"objective: weight is {self.weight!r}; choose a finite number above 0, or leave it out"
            )
        if self.divergence not in ("reverse", "forward"):
            raise UsageError(f"objective: divergence is {self.divergence!r}; choose reverse or forward")
        if self.rows not in ("all", "unweighted"):
            raise UsageError(f"objective: rows is {self.rows!r}; choose all or unweighted")
        object.__setattr__(self, "weight", float(self.weight))

    @property
    def id(self) -> str:
        reference = self.reference.id if self.reference else None
        some = [] if self.rows == "all" else [self.rows]
        return content_hash(["objective", self.weight, self.divergence, reference, *some])


@dataclass(frozen=True)
class Orthogonal:
    """The adapter's A stays orthogonal to the rows of earlier adapters' A, layer by layer.

    After O-LoRA (Wang et al. 2023, arXiv 2310.14152). Without `penalty` it is projected, at the start and
    after each optimiser step; with one, `penalty` × Σ ‖A Aₒᵀ‖² over layers and adapters joins each step's
    loss, as in the paper.
    """

    adapters: tuple[AdapterLike, ...]
    penalty: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "adapters", tuple(self.adapters))
        if not self.adapters:
            raise UsageError("orthogonal: no earlier adapters; name one, or leave the constraint out")
        if self.penalty is not None:
            positive("orthogonal: penalty", self.penalty)
            object.__setattr__(self, "penalty", float(self.penalty))

    @property
    def id(self) -> str:
        return content_hash(["orthogonal", [adapter.hash for adapter in self.adapters], self.penalty])


@dataclass(frozen=True)
class NullSpace:
    """The adapter's A stays out of the space that earlier texts' activations span, layer by layer.

    After GPM (Saha et al. 2021, arXiv 2103.09762) and Adam-NSCL (Wang et al. 2021, arXiv 2103.07113): it is
    projected, at the start and after each optimiser step. Of each layer's leading directions as many are kept
    out of as hold `energy` of the second moment, or all that the moments know.
    """

    moments: MomentsLike
    energy: float = 0.99

    def __post_init__(self) -> None:
        if not (finite(self.energy) and 0 < self.energy <= 1):
            raise UsageError(
                f"null space: energy is {self.energy!r}; choose a share above 0 and at most 1, such as 0.99"
            )
        object.__setattr__(self, "energy", float(self.energy))

    @property
    def id(self) -> str:
        return content_hash(["null-space", self.moments.hash, self.energy])


@dataclass(frozen=True)
class Elastic:
    """`weight` × Σ E‖ΔW x‖² over layers joins each step's loss, for the activations x of earlier texts.

    After EWC (Kirkpatrick et al. 2017, arXiv 1612.00796), with each layer's Fisher matrix taken as its
    Kronecker factor of the inputs alone, at the rank that the moments know.
    """

    moments: MomentsLike
    weight: float

    def __post_init__(self) -> None:
        positive("elastic: weight", self.weight)
        object.__setattr__(self, "weight", float(self.weight))

    @property
    def id(self) -> str:
        return content_hash(["elastic", self.moments.hash, self.weight])


Constraint = Orthogonal | NullSpace | Elastic
