"""How what was learned before is kept while something new is learned: strategies, and their numbers."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from selfedit.config.settings import Settings

StrategyName = Literal[
    "naive",
    "replay",
    "distillation",
    "orthogonal",
    "null-space",
    "elastic",
    "bisection",
    "router",
    "superposition",
    "consolidation",
]
_CONSTRAINTS = ("orthogonal", "null-space", "elastic")
_ALONE = {"router": "no adapter disturbs another", "superposition": "each adapter is trained by itself"}
"""What goes with bisection alone, and why."""


class Replay(Settings):
    """Rows of earlier commits, trained on again."""

    share: float = Field(default=0.5, gt=0, le=16)
    """At most so many for each new row."""
    age: float = Field(default=1.0, ge=0, le=1000)
    """How much more often the oldest commit is drawn than the newest, beside once."""
    fading: float = Field(default=4.0, ge=0, le=1000)
    """How much more often a commit is drawn whose recall is all gone, beside once."""


class Distillation(Settings):
    """Earlier rows and general prompts, on which the model is held to what it was."""

    weight: float = Field(default=1.0, gt=0, le=1e6)
    """Of the divergence, for each of their tokens."""
    divergence: Literal["forward", "reverse"] = "forward"
    share: float = Field(default=0.25, ge=0, le=16)
    """Earlier rows, at most so many for each new row; drawn evenly."""
    general: float = Field(default=0.25, ge=0, le=16)
    """General prompts, likewise."""


class Orthogonality(Settings):
    """A new adapter's A is kept orthogonal to those of earlier ones."""

    latest: int = Field(default=16, ge=1, le=1000)
    """To at most so many of them, the newest: each takes as many directions as its rank."""
    penalty: float | None = Field(default=None, gt=0, le=1e6)
    """None: it is projected, and so exactly orthogonal; else the weight of the overlap in the loss."""


class Nullity(Settings):
    """A new adapter's A is kept out of the space that earlier texts' activations span."""

    energy: float = Field(default=0.99, gt=0, le=1)
    """The share of the second moment that is kept out of, as far as the moments know it."""


class Elasticity(Settings):
    """How far layers move on earlier texts' activations joins the loss."""

    weight: float = Field(default=0.1, gt=0, le=1e9)
    """Of E‖ΔW x‖², summed over layers."""


class Bisection(Settings):
    """The largest scale of a new adapter that passes the gate."""

    tries: int = Field(default=5, ge=1, le=20)
    """Scales that are asked about at most, the whole one counted."""
    least: float = Field(default=0.05, gt=0, lt=1)
    """Below it, the adapter is not worth keeping."""


class Routing(Settings):
    """A frozen adapter for each commit, of which the one that a question points to is used."""

    threshold: float = Field(default=0.0, ge=0)
    """Of streams whose router is `bm25`: the score that a question must exceed for any adapter to be used."""


class Consolidation(Settings):
    """When live commits are rebuilt as one adapter from the base."""

    every: int = Field(default=8, ge=2, le=10_000)
    """Live commits, the new one counted, from which on all of them are."""
    fading: float = Field(default=0.5, gt=0, le=1)
    """The mean recall lost, of what was right after its own commit, from which on they are too."""


class Retention(Settings):
    """The strategies that are combined, and the numbers of each, whether it is used or not."""

    strategies: tuple[StrategyName, ...] = ("naive",)
    moments_rank: int = Field(default=64, ge=1, le=4096)
    """Leading directions that moments of earlier texts tell of each layer, where a strategy uses them."""
    replay: Replay = Replay()
    distillation: Distillation = Distillation()
    orthogonal: Orthogonality = Orthogonality()
    null_space: Nullity = Nullity()
    elastic: Elasticity = Elasticity()
    bisection: Bisection = Bisection()
    router: Routing = Routing()
    consolidation: Consolidation = Consolidation()

    @property
    def routed(self) -> bool:
        """Whether a commit answers alone, by an adapter that was trained on the bare base."""
        return "router" in self.strategies

    @property
    def superposed(self) -> bool:
        """Whether a commit is read out of a sum of adapters, each of which was trained on the bare base."""
        return "superposition" in self.strategies

    @property
    def uses_moments(self) -> bool:
        """Whether a strategy asks for the second moments of earlier texts."""
        return any(name in self.strategies for name in ("null-space", "elastic"))

    @model_validator(mode="after")
    def _together(self) -> Retention:
        used = self.strategies
        constraints = [name for name in used if name in _CONSTRAINTS]
        if not used:
            raise PydanticCustomError("none", "name at least one strategy; naive changes nothing")
        if len(set(used)) < len(used):
            raise PydanticCustomError("twice", "a strategy is there twice; leave one")
        if "naive" in used and len(used) > 1:
            raise PydanticCustomError("naive", "naive goes with no other strategy; leave it out")
        alone = next((name for name in used if name in _ALONE), None)
        if alone and (other := next((name for name in used if name not in (alone, "bisection")), None)):
            raise PydanticCustomError(
                "alone",
                "{alone} goes with bisection alone, since {why}; leave {other} out",
                {"alone": alone, "why": _ALONE[alone], "other": other},
            )
        if len(constraints) > 1:
            raise PydanticCustomError(
                "constraints", "a plan has one constraint; leave {names}", {"names": " or ".join(constraints)}
            )
        return self
