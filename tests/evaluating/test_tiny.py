"""The table on a tiny random model: its figures against the engine itself, and a run that is broken off."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import LlamaConfig, LlamaForCausalLM

from selfedit.edits.questions import ask_prompt
from selfedit.engine import Engine
from selfedit.evaluating import Table, Wanted, evaluate
from selfedit.evaluating.notes import gold_rows
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe
from selfedit.rounds import Ground, plan_for
from selfedit.store import Store
from selfedit.types import ScoreRequest
from selfedit.workers.local import LocalWorker

from ..bench.conftest import byte_tokenizer

RECIPE = """
write: {samples: 2, spans: 2}
judge: {own_probes: 2, grader: rules, answer_tokens: 4}
apply: {rank: 2, alpha: 4, epochs: 1}
report: {training: {rank: 2, alpha: 4, learning_rate: 0.01, epochs: 4, least_steps: 0}, seeds: [0, 1]}
"""
ROWS = ("base", "in-context", "passage", "untrained", "best-of-n", "gold", "joint:2")


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> LocalWorker:
    folder, tokenizer = tmp_path_factory.mktemp("tiny"), byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=32, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=1024, initializer_range=0.3,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=None,
    )  # fmt: skip
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    engine = Engine.load(folder, device="cpu", dtype="float32")
    engine.threads = 1
    return LocalWorker(engine)


def table(worker: Any, data: Path, place: Path, rows: tuple[str, ...] = ROWS) -> Table:
    if not Store.exists(place):
        Store.create(place, base="tiny", weights=worker.base, dtype=worker.dtype).close()
    return evaluate(Memory(place, lambda: worker), Wanted(parse_recipe(RECIPE, "x"), data, rows, 3))


def test_log_probabilities_are_the_engines_own(worker: LocalWorker, data: Path, tmp_path: Path) -> None:
    made = table(worker, data, tmp_path / "store", ("base", "gold"))
    training = parse_recipe(RECIPE, "x").report.training
    for each in made.graded:
        adapter = None
        if each.line.method == "gold":
            ground = Ground(worker, None, training, each.line.seed or 0)
            (adapter,) = worker.train([plan_for(gold_rows(each.task), ground)])
        asked = [
            ScoreRequest(ask_prompt(p.question, p.topic), f" {p.answer}", adapter) for p in each.task.probes
        ]
        assert each.line.logprobs == pytest.approx([x.mean for x in worker.score(asked)], rel=1e-3)
    base, gold = made.rows
    assert base.logprob is not None
    assert gold.logprob is not None
    assert gold.logprob > base.logprob + 0.3


class Impatient:
    """A worker that is gone after so many calls."""

    def __init__(self, worker: LocalWorker, calls: int) -> None:
        self._worker, self._left = worker, calls
        self.base, self.dtype, self.chat, self.count = worker.base, worker.dtype, worker.chat, worker.count
        self.context = worker.context
        self.settings, self.adopt = worker.settings, worker.adopt

    def _call(self, verb: str, *arguments: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return getattr(self._worker, verb)(*arguments)

    def train(self, *arguments: Any) -> Any:
        return self._call("train", *arguments)

    def train_iter(self, *arguments: Any) -> Any:
        return self._call("train_iter", *arguments)

    def generate(self, *arguments: Any) -> Any:
        return self._call("generate", *arguments)

    def score(self, *arguments: Any) -> Any:
        return self._call("score", *arguments)

    def keep_heads(self, *arguments: Any) -> None:
        """It has none."""


def test_a_run_that_is_broken_off_again_and_again_ends_bit_for_bit_as_one_that_is_not(
    worker: LocalWorker, data: Path, tmp_path: Path
) -> None:
    whole, broken = table(worker, data, tmp_path / "whole"), 0
    for calls in itertools.count(1):
        try:
            ended = table(Impatient(worker, calls), data, tmp_path / "broken")
            break
        except KeyboardInterrupt:
            broken += 1
    assert broken > 5
    lines = [[replace(each.line, seconds=0, writing=0) for each in made.graded] for made in (whole, ended)]
    assert lines[0] == lines[1]
    rows = [[replace(row, seconds=0) for row in made.rows] for made in (whole, ended)]
    assert rows[0] == rows[1]
