"""Every default that is no part of a plan or a request, once. Checked when it is made; doors pass on what is needed."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfedit.errors import UsageError

BUILT_IN = "smollm2-135m"


class Settings(BaseModel):
    """Frozen, and without room for misspelt names."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Training(Settings):
    """Hyper-parameters of one fine-tune; the names are `TrainingPlan`'s."""

    rank: int = Field(16, ge=1, le=1024)
    alpha: float = Field(32, gt=0)
    learning_rate: float = Field(2e-3, gt=0, le=1)
    epochs: int = Field(5, ge=1, le=1000)
    batch_size: int = Field(4, ge=1, le=4096)
    schedule: Literal["linear", "constant", "cosine"] = "linear"
    warmup: float = Field(0.05, ge=0, le=1)

    def gentler(self) -> Training:
        """A third of the rate: what a collapsed adapter is trained again with."""
        return self.model_copy(update={"learning_rate": self.learning_rate / 3})


class Learning(Settings):
    """How a document is learned."""

    format: str = "question-answer"
    samples: int = Field(2, ge=1, le=64)
    """Self-edits written, trained and judged for each passage; the best is learned."""
    passage_tokens: int = Field(200, ge=16, le=4096)
    """A document is split into passages of at most so many tokens."""
    spans: int = Field(14, ge=1, le=200)
    """Answers asked for in each passage."""
    probes: int = Field(8, ge=2, le=100)
    """Questions that test a passage: half choose, half report."""
    temperature: float = Field(0.8, ge=0, le=2)
    seed: int = 0
    candidate: Training = Training(rank=8, alpha=16, learning_rate=4e-3, epochs=1)
    """One adapter for each self-edit, only to judge it."""
    final: Training = Training()
    """The adapter that is kept."""
    answer_tokens: int = Field(24, ge=1, le=512)
    retention_probes: int = Field(60, ge=0)
    """At most so many earlier probes are asked again after learning."""


def learning(**given: object) -> Learning:
    """Settings with what was given in the place of defaults. Raises UsageError for what is out of bounds."""
    try:
        return Learning.model_validate({name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise UsageError(f"{where} is {first.get('input')!r}: {first['msg'].lower()}; change it") from error
