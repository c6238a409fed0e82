"""A worker that is hired when it first has something to do: looking up what is kept loads no model."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit.types import (
    AdapterLike,
    Completion,
    Failure,
    GenerationRequest,
    Head,
    Message,
    Score,
    ScoreRequest,
    Sequence,
    TrainingPlan,
)
from selfedit.workers.base import Progress, Worker, silent

if TYPE_CHECKING:
    from selfedit.engine import Adapter, Moments


@final
class LazyWorker:
    """Knows its base and dtype; `hire` gives the worker who does the rest."""

    def __init__(self, hire: Callable[[], Worker], base: str, dtype: str) -> None:
        self._hire = hire
        self.base = base
        self.dtype = dtype

    @cached_property
    def hired(self) -> Worker:
        """The worker who does the work; hired by the first call."""
        return self._hire()

    @property
    def path(self) -> Path:
        return self.hired.path

    @property
    def chat(self) -> bool:
        return self.hired.chat

    @property
    def context(self) -> int:
        return self.hired.context

    def train(self, plans: Items[TrainingPlan], progress: Progress = silent) -> list[Adapter | Failure]:
        return self.hired.train(plans, progress) if plans else []

    def train_iter(
        self, plans: Items[TrainingPlan], progress: Progress = silent
    ) -> Iterator[tuple[int, Adapter | Failure]]:
        return self.hired.train_iter(plans, progress)

    def generate(self, requests: Items[GenerationRequest], progress: Progress = silent) -> list[Completion]:
        return self.hired.generate(requests, progress) if requests else []

    def score(self, requests: Items[ScoreRequest]) -> list[Score]:
        return self.hired.score(requests) if requests else []

    def moments(self, sequences: Items[str | Sequence], head: Head | None = None, rank: int = 64) -> Moments:
        return self.hired.moments(sequences, head, rank)

    def embed(self, texts: Items[str], layer: int) -> list[tuple[float, ...]]:
        return self.hired.embed(texts, layer)

    def head(self, adapters: Items[AdapterLike]) -> Head:
        return Head(self.base, tuple(adapters))

    def keep_heads(self, folder: Path, limit_bytes: int | None = None) -> None:
        if limit_bytes is None:
            self.hired.keep_heads(folder)
        else:
            self.hired.keep_heads(folder, limit_bytes)

    def save_merged(self, head: Head, folder: Path, dtype: str | None = None) -> None:
        self.hired.save_merged(head, folder, dtype)

    def settings(self) -> dict[str, Any]:
        return self.hired.settings()

    def adopt(self, settings: Mapping[str, Any]) -> None:
        self.hired.adopt(settings)

    def rendered(self, prompt: str | Items[Message]) -> str:
        return self.hired.rendered(prompt)

    def count(self, text: str) -> int:
        return self.hired.count(text)
