"""What the engine is asked and what it answers."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Literal

from selfedit.errors import UsageError
from selfedit.types.bounds import finite
from selfedit.types.heads import AdapterLike, Head

FinishReason = Literal["stop", "length"]


Message = Mapping[str, str]
"""A chat message: `{"role": ..., "content": ...}`."""


@dataclass(frozen=True)
class GenerationRequest:
    """What to continue, with which adapter on which head.

    `prompt` is a string as it is (no special tokens added) or a list of chat messages (the model's template,
    with the generation prompt). `temperature` 0 is greedy. `stop` strings end the text before them. `grammar`
    is a regular expression (the `regex` module's) that the whole text must match.
    """

    prompt: str | Items[Message]
    adapter: AdapterLike | None = None
    head: Head | None = None
    max_tokens: int = 64
    temperature: float = 0.0
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    seed: int = 0
    grammar: str | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "stop", (self.stop,) if isinstance(self.stop, str) else tuple(self.stop))
        if self.max_tokens < 1:
            raise UsageError(f"generation request: max_tokens is {self.max_tokens}; choose at least 1")
        if not (finite(self.temperature) and self.temperature >= 0):
            raise UsageError(
                f"generation request: temperature is {self.temperature}; choose a finite number ≥ 0"
            )
        if not (finite(self.top_p) and 0 < self.top_p <= 1):
            raise UsageError(
                f"generation request: top_p is {self.top_p}; choose a number above 0 and at most 1"
            )


@dataclass(frozen=True, slots=True)
class Completion:
    """What a model wrote: its text, its token ids, and why it ended. `logprob` sums the chosen tokens'."""

    text: str
    tokens: tuple[int, ...]
    finish_reason: FinishReason
    logprob: float = 0.0


@dataclass(frozen=True)
class ScoreRequest:
    """A completion to be teacher-forced after a prompt (a string as it is, or chat messages)."""

    prompt: str | Items[Message]
    completion: str
    adapter: AdapterLike | None = None
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class Score:
    """Log-probabilities in nats: the sum, and the value for each completion token."""

    logprob: float
    tokens: tuple[float, ...]

    @property
    def mean(self) -> float:
        return self.logprob / max(1, len(self.tokens))
