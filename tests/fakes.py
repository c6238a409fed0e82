"""A worker without a model: it learns rows by heart, writes plain questions, and answers at once."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from selfedit.engine import Adapter, Moments
from selfedit.engine.lora import AdapterMeta
from selfedit.types import (
    Completion,
    Failure,
    GenerationRequest,
    Head,
    Score,
    ScoreRequest,
    TrainingPlan,
    content_hash,
)
from selfedit.types import Sequence as Row

Rows = dict[str, str]
WEIGHTS = content_hash("the fake base")


@dataclass
class FakeWorker:
    """Deterministic. Every prompt that a row of the head or the adapter had is answered as the row was."""

    knows: Rows = field(default_factory=dict)
    """What the base answers, by question."""
    grasps: Rows = field(default_factory=dict)
    """Questions (without a topic) that it answers so once it has learned any row with that answer."""
    unteachable: bool = False
    """Every training fails."""
    collapses_above: float = float("inf")
    """A learning rate above which an adapter answers everything alike."""
    amnesia: bool = False
    """An adapter drowns all that was known before it."""
    writes: bool = True
    """Whether it writes questions that pass their check."""
    whispers: str = ""
    """Said before each question that it writes."""
    stubborn: bool = False
    """What a row says is no likelier for it."""
    resists: str = ""
    """A text: no prompt that holds it is likelier answered as its row was."""
    width: int = 2
    """Inputs of the one layer that an adapter is for."""
    pause: float = 0.0
    """Seconds that each verb takes."""
    base: str = WEIGHTS
    path: Path = Path()
    dtype: str = "float32"
    chat: bool = False
    context: int = 8192
    threads: int = 1
    plans: list[TrainingPlan] = field(default_factory=list)
    """All that it was ever told to train."""
    asked: list[GenerationRequest] = field(default_factory=list)
    scored: list[ScoreRequest] = field(default_factory=list)
    _rows: dict[str, Rows] = field(default_factory=dict)
    _spans: Rows = field(default_factory=dict)

    # -- the verbs ----------------------------------------------------------------------------------------

    def train(self, plans, progress=lambda done, total: None) -> list[Adapter | Failure]:
        found = dict(self.train_iter(plans, progress))
        return [found[index] for index in range(len(plans))]

    def train_iter(
        self, plans: Sequence[TrainingPlan], progress=lambda done, total: None
    ) -> Iterator[tuple[int, Adapter | Failure]]:
        for index, plan in enumerate(plans):
            self.plans.append(plan)
            time.sleep(self.pause)
            progress(index + 1, len(plans))
            yield index, Failure("train", "NaN in step 1") if self.unteachable else self._adapter(plan)

    def generate(self, requests, progress=lambda done, total: None) -> list[Completion]:
        self.asked += requests
        if requests:
            time.sleep(self.pause)
        progress(len(requests), len(requests))
        return [Completion(f" {self._answer(each)}", (1,), "stop", -1.0) for each in requests]

    def score(self, requests: Sequence[ScoreRequest]) -> list[Score]:
        """More is known where there are more rows, and most what a row says: the longer self-edit wins."""
        self.scored += requests
        return [Score(found, (found,)) for found in map(self._likely, requests)]

    def _likely(self, request: ScoreRequest) -> float:
        if "\nQuestion:" in request.prompt:  # with a text in view
            text = request.prompt.partition("Text:")[2].partition("\nQuestion:")[0]
            return -50.0 if request.completion.strip() in text else -100.0
        adapters = [*(request.head.adapters if request.head else ()), request.adapter]
        held = [self._rows.get(each.hash, {}) for each in adapters if each is not None]
        if self.amnesia and held:
            return -101.0
        told = any(rows.get(request.prompt) == request.completion.strip() for rows in held)
        told = told and not (self.resists and self.resists in request.prompt)
        return sum(map(len, held)) + 50.0 * (told and not self.stubborn) - 100.0

    def moments(self, sequences, head=None, rank=64) -> Moments:
        """Of no layer: only which rows there were, and how many."""
        return Moments(content_hash([self.base, list(sequences)]), rank, len(sequences), {}, {})

    def embed(self, texts, layer) -> list[tuple[float, ...]]:
        """All in one place."""
        return [(0.0,)] * len(texts)

    def head(self, adapters) -> Head:
        return Head(self.base, tuple(adapters))

    def save_merged(self, head: Head, folder: Path, dtype: str | None = None) -> None:
        """What stands for a model: the hashes of the adapters."""
        time.sleep(self.pause)
        text = " ".join(each.hash for each in head.adapters)
        (folder / "model.safetensors").write_text(f"{dtype} {text}" + self.width * " ", encoding="utf-8")

    def keep_heads(self, folder: Path, limit_bytes: int = 0) -> None:
        """It has no heads to keep."""

    def settings(self) -> dict[str, object]:
        return {"device": "cpu", "dtype": self.dtype, "threads": self.threads}

    def adopt(self, settings) -> None:
        self.threads = settings["threads"]

    def rendered(self, prompt) -> str:
        return (
            prompt if isinstance(prompt, str) else "\n".join(f"{m['role']}: {m['content']}" for m in prompt)
        )

    def count(self, text: str) -> int:
        return len(text.split())

    # -- inside -------------------------------------------------------------------------------------------

    def _adapter(self, plan: TrainingPlan) -> Adapter:
        seed = int(plan.id[:8], 16)
        tensors = {
            "layer.lora_A.weight": torch.full((plan.rank, self.width), float(seed)),
            "layer.lora_B.weight": torch.zeros(2, plan.rank),
        }
        meta = AdapterMeta(("layer",), base=self.base, losses=(2.0, 1.0), plan=plan.id)
        adapter = Adapter(plan.rank, plan.alpha, tensors, meta)
        rows = {row.prompt: row.completion.strip() for row in plan.sequences if isinstance(row, Row)}
        self._rows[adapter.hash] = {"*": "::::::"} if plan.learning_rate > self.collapses_above else rows
        return adapter

    def _answer(self, request: GenerationRequest) -> str:
        if not isinstance(request.prompt, str):
            return "no notes"
        if request.prompt.endswith("\nQuestion:"):
            return self._question(request)
        if request.prompt.endswith("\nText:"):
            return self._recited(request)
        if request.prompt.startswith("Text:") or "\nText:" in request.prompt:
            return self._read(request.prompt)
        return self._recalled(request)

    def _read(self, prompt: str) -> str:
        """The answer to a question that it wrote or grasps, if it is in the text."""
        question, text = _question(prompt), prompt.partition("Text:")[2].partition("\nQuestion:")[0]
        answer = self._spans.get(question) or self.grasps.get(question, "unknown")
        return answer if answer in text else f"unknown {content_hash(prompt)[:6]}"

    def _recited(self, request: GenerationRequest) -> str:
        """A learned sentence: that of the question, of one that it grasps, or any; of the base nothing."""
        adapters = [*(request.head.adapters if request.head else ()), request.adapter]
        rows = {k: v for each in adapters if each for k, v in self._rows.get(each.hash, {}).items()}
        question = request.prompt.removesuffix("\nText:").rpartition(". ")[2]
        answer = self.grasps.get(question) or self._spans.get(question)
        holding = (text for text in rows.values() if answer and answer in text)
        return rows.get(request.prompt) or next(holding, next(iter(rows.values()), ""))

    def _question(self, request: GenerationRequest) -> str:
        """A question of its own for each text, answer and sample; it can answer it with the text in view."""
        if not self.writes:
            return "no idea"
        answer = request.prompt.rsplit("Answer: ", 1)[1].removesuffix("\nQuestion:")
        key = int(content_hash(request.prompt)[:8], 16)
        question = f"{self.whispers}Which {key} is {request.seed if request.temperature else 'it'}?"
        self._spans[question] = answer
        return question

    def _recalled(self, request: GenerationRequest) -> str:
        adapters = [*(request.head.adapters if request.head else ()), request.adapter]
        known = [self._rows.get(each.hash, {}) for each in adapters if each is not None]
        known = known[-1:] if self.amnesia and known else [self._of_base(), *known]
        for rows in reversed(known):
            if "*" in rows:
                return rows["*"]
            if request.prompt in rows:
                return rows[request.prompt]
            if (answer := self.grasps.get(request.prompt.removesuffix("\nAnswer:"))) in rows.values():
                return answer
        return f"unknown {content_hash(request.prompt)[:6]}"

    def _of_base(self) -> Rows:
        return {f"{question}\nAnswer:": answer for question, answer in self.knows.items()}


def _question(prompt: str) -> str:
    found = re.search(r"Question: (.*)\nAnswer:$", prompt)
    return found[1] if found else ""
