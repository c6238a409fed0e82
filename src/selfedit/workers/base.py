"""What a story needs of whoever computes: the engine's verbs, wherever they run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

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

if TYPE_CHECKING:
    from selfedit.engine import Adapter, Moments

Progress = Callable[[int, int], None]
"""Told (work done, work in all)."""


def silent(done: int, total: int) -> None:
    """The progress of a caller who wants none."""


class Worker(Protocol):
    """Trains, generates and scores on one base. Results come in the order of what was asked for."""

    @property
    def base(self) -> str:
        """Hash of the base's weights."""
        ...

    @property
    def path(self) -> Path:
        """A folder that `from_pretrained` reads."""
        ...

    @property
    def dtype(self) -> str: ...

    @property
    def chat(self) -> bool:
        """Whether the base has a chat template."""
        ...

    @property
    def context(self) -> int:
        """Tokens that a prompt and what follows it may have together."""
        ...

    def train(self, plans: Items[TrainingPlan], progress: Progress = silent) -> list[Adapter | Failure]: ...

    def train_iter(
        self, plans: Items[TrainingPlan], progress: Progress = silent
    ) -> Iterator[tuple[int, Adapter | Failure]]: ...

    def generate(
        self, requests: Items[GenerationRequest], progress: Progress = silent
    ) -> list[Completion]: ...

    def score(self, requests: Items[ScoreRequest]) -> list[Score]: ...

    def moments(self, sequences: Items[str | Sequence], head: Head | None = None, rank: int = 64) -> Moments:
        """What linear layers read over the sequences: `rank` leading directions of each second moment."""
        ...

    def embed(self, texts: Items[str], layer: int) -> list[tuple[float, ...]]:
        """For each text the mean of what a layer of the base reads over its tokens."""
        ...

    def head(self, adapters: Items[AdapterLike]) -> Head: ...

    def keep_heads(self, folder: Path, limit_bytes: int = ...) -> None:
        """Keep sums of heads under `folder`, a cache of so many bytes that may be deleted at any time."""
        ...

    def save_merged(self, head: Head, folder: Path, dtype: str | None = None) -> None:
        """Write the head as a plain model; unless a `dtype` is asked for, bit for bit as it is computed."""
        ...

    def settings(self) -> dict[str, Any]:
        """What was chosen for this machine, in plain values: a run keeps it when it begins."""
        ...

    def adopt(self, settings: Mapping[str, Any]) -> None:
        """Choose as `settings` say, which a run has kept."""
        ...

    def count(self, text: str) -> int:
        """Tokens of a text."""
        ...

    def rendered(self, prompt: str | Items[Message]) -> str:
        """A prompt as the text that the base sees: chat messages through its template."""
        ...
