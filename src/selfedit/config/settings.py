"""What every group of settings is, and the small groups that others are made of."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

BUILT_IN = "smollm2-135m"
"""The base of a new store, where none is named."""


class Settings(BaseModel):
    """Frozen, and without room for misspelt names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Training(Settings):
    """Hyper-parameters of one fine-tune; the names are `TrainingPlan`'s."""

    rank: int = Field(default=16, ge=1, le=1024)
    """Of the adapter's matrices."""
    alpha: float = Field(default=32, gt=0)
    """The adapter counts alpha / rank times."""
    learning_rate: float = Field(default=2e-3, gt=0, le=1)
    """The highest, of AdamW."""
    epochs: int = Field(default=5, ge=1, le=1000)
    """Times that each row is trained on."""
    batch_size: int = Field(default=4, ge=1, le=4096)
    """At most so many rows a step."""
    least_steps: int = Field(default=150, ge=0)
    """A step has fewer rows where a short document would else make fewer steps than this."""
    schedule: Literal["linear", "constant", "cosine"] = "linear"
    """How the rate falls to 0, if it does."""
    warmup: float = Field(default=0.05, ge=0, le=1)
    """The fraction of steps in which the rate rises first."""

    def hyper_parameters(self, rows: int) -> dict[str, Any]:
        """What a plan of so many rows is given."""
        most = self.epochs * rows // max(1, self.least_steps)
        size = max(1, min(self.batch_size, most))
        return {**self.model_dump(exclude={"least_steps"}), "batch_size": size}

    def gentler(self) -> Training:
        """A third of the rate: what a collapsed adapter is trained again with."""
        return self.model_copy(update={"learning_rate": self.learning_rate / 3})


class Weighted(Settings):
    """A measure in the reward, and how much it counts."""

    name: str
    """Of the measure."""
    weight: float = Field(default=1.0, allow_inf_nan=False)
    """Below 0, the less the better."""


class Judging(Settings):
    """How a judge over HTTP is asked."""

    timeout: float = Field(default=60, gt=0)
    """Seconds that one answer may take, from the question to its last byte."""
    attempts: int = Field(default=4, ge=1, le=20)
    """So often a row is tried before it has no verdict."""
    concurrency: int = Field(default=8, ge=1, le=128)
    """Rows that are asked at once."""
    longest_wait: float = Field(default=120, ge=0)
    """Seconds that a judge may ask to be left alone; for longer, its rows have no verdict."""
    patience: int = Field(default=32, ge=1)
    """After so many rows on end that nobody answered, the rest of a list is not asked."""
