"""A worker in this very process."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict
from pathlib import Path
from typing import Any, final

from selfedit.engine import Adapter, Engine, Moments
from selfedit.engine.export import save_merged
from selfedit.engine.prefixes import LIMIT
from selfedit.engine.settings import Settings
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
from selfedit.workers.base import Progress, silent


@final
class LocalWorker:
    """One engine, here."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    @property
    def base(self) -> str:
        return self.engine.base

    @property
    def path(self) -> Path:
        return self.engine.path

    @property
    def dtype(self) -> str:
        return self.engine.dtype

    @property
    def chat(self) -> bool:
        return bool(self.engine.tokenizer.chat_template)

    @property
    def context(self) -> int:
        return self.engine.tokens.limit

    def train(self, plans: Items[TrainingPlan], progress: Progress = silent) -> list[Adapter | Failure]:
        return self.engine.train(plans, progress)

    def train_iter(
        self, plans: Items[TrainingPlan], progress: Progress = silent
    ) -> Iterator[tuple[int, Adapter | Failure]]:
        return self.engine.train_iter(plans, progress)

    def generate(self, requests: Items[GenerationRequest], progress: Progress = silent) -> list[Completion]:
        return self.engine.generate(requests, progress)

    def score(self, requests: Items[ScoreRequest]) -> list[Score]:
        return self.engine.score(requests)

    def moments(self, sequences: Items[str | Sequence], head: Head | None = None, rank: int = 64) -> Moments:
        return self.engine.moments(sequences, head, rank)

    def embed(self, texts: Items[str], layer: int) -> list[tuple[float, ...]]:
        return self.engine.embed(texts, layer)

    def head(self, adapters: Items[AdapterLike]) -> Head:
        return self.engine.head(adapters)

    def keep_heads(self, folder: Path, limit_bytes: int = LIMIT) -> None:
        self.engine.keep_heads(folder, limit_bytes)

    def save_merged(self, head: Head, folder: Path, dtype: str | None = None) -> None:
        save_merged(self.engine, head, folder, dtype)

    def settings(self) -> dict[str, Any]:
        return asdict(self.engine.settings)

    def adopt(self, settings: Mapping[str, Any]) -> None:
        self.engine.adopt(Settings.kept(settings))

    def count(self, text: str) -> int:
        return self.engine.count(text)

    def rendered(self, prompt: str | Items[Message]) -> str:
        return self.engine.rendered(prompt)
