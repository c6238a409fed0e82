"""Streams on a tiny real engine: every strategy learns, and broken off anywhere a run ends the same."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfedit.engine import Engine
from selfedit.streaming import StreamRow, StreamTable
from selfedit.streaming.shelf import FOLDER
from selfedit.workers.local import LocalWorker

from ..engine import tiny
from .conftest import Streamed, furnished, table_at

EVERY = """
sequences: 1
documents: 3
write: {spans: 2}
training: {rank: 2, alpha: 4, learning_rate: 0.01, epochs: 2, least_steps: 0}
canaries: 2
grader: rules
answer_tokens: 4
own_probes: 1
fall: 0.01
methods:
  - {name: naive}
  - {name: held, retention: {strategies: [replay, distillation]}}
  - {name: apart, retention: {strategies: [orthogonal]}}
  - {name: outside, retention: {strategies: [null-space], moments_rank: 2}}
  - {name: gentle, retention: {strategies: [elastic, bisection], moments_rank: 2}}
  - {name: rebuilt, retention: {strategies: [consolidation], consolidation: {every: 2}}}
  - {name: router, retention: {strategies: [router]}, router: bm25}
  - {name: superposed, retention: {strategies: [superposition]}, router: bm25}
  - {name: superposed-gently, retention: {strategies: [superposition, bisection]}, router: bm25}
"""


@pytest.fixture(scope="module")
def worker(tmp_path_factory: pytest.TempPathFactory) -> LocalWorker:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tiny.WIDE, "max_position_embeddings", 1024)
        folder = tiny.save_tiny(tmp_path_factory.mktemp("tiny"), "llama")
    engine = Engine.load(folder, device="cpu", dtype="float32")
    engine.threads = 1
    return LocalWorker(engine)


@pytest.fixture(scope="module")
def whole(worker: LocalWorker, tmp_path_factory: pytest.TempPathFactory) -> StreamTable:
    """The table of a run that was left in peace."""
    folder = tmp_path_factory.mktemp("whole")
    return table_at(folder / "memory", worker, EVERY, furnished(folder / "data"))


class Impatient:
    """A worker that is gone after so many calls."""

    def __init__(self, worker: LocalWorker, calls: int) -> None:
        self._worker, self._left = worker, calls
        self.base, self.dtype, self.chat, self.count = worker.base, worker.dtype, worker.chat, worker.count
        self.context = worker.context
        self.settings, self.adopt, self.head = worker.settings, worker.adopt, worker.head

    def _call(self, verb: str, *arguments: Any) -> Any:
        self._left -= 1
        if self._left < 0:
            raise KeyboardInterrupt
        return getattr(self._worker, verb)(*arguments)

    def train(self, *arguments: Any) -> Any:
        return self._call("train", *arguments)

    def generate(self, *arguments: Any) -> Any:
        return self._call("generate", *arguments)

    def score(self, *arguments: Any) -> Any:
        return self._call("score", *arguments)

    def moments(self, *arguments: Any) -> Any:
        return self._call("moments", *arguments)

    def keep_heads(self, *arguments: Any) -> None:
        """It has none."""


def timeless(table: StreamTable) -> list[StreamRow]:
    return [replace(row, seconds=0, writing=0) for row in table.rows]


def test_broken_off_again_and_again_it_ends_bit_for_bit_as_one_that_is_not(
    worker: LocalWorker, whole: StreamTable, streamed: Streamed, tmp_path: Path
) -> None:
    broken = 0
    for calls in itertools.count(1):
        try:
            ended = streamed(Impatient(worker, calls), EVERY, "broken")
            break
        except KeyboardInterrupt:
            broken += 1
    assert broken > 5
    assert timeless(ended) == timeless(whole)
    assert not (tmp_path / "broken" / FOLDER).exists(), "what nothing needs is removed"


def test_the_shelf_may_be_lost_or_broken_at_any_time(
    worker: LocalWorker, whole: StreamTable, streamed: Streamed, tmp_path: Path
) -> None:
    shelf = tmp_path / "broken" / FOLDER
    for calls in itertools.count(1):
        try:
            ended = streamed(Impatient(worker, 3 * calls), EVERY, "broken")
            break
        except KeyboardInterrupt:
            damage(shelf, calls)
    assert timeless(ended) == timeless(whole)


def damage(shelf: Path, turn: int) -> None:
    """All that is there is removed, or cut short, or some of it has another bit."""
    if turn % 3 == 0:
        shutil.rmtree(shelf, ignore_errors=True)
    for path in sorted(shelf.rglob("*.safetensors")) if turn % 3 else ():
        held = bytearray(path.read_bytes())
        held[-1] ^= 1
        path.write_bytes(held if turn % 3 == 1 else held[: len(held) // 2])


def test_every_strategy_learns_and_says_what_it_took(whole: StreamTable) -> None:
    rows = {row.method: row for row in whole.rows}
    base = rows["base"].after_last["logprob"].value
    for name in ("naive", "held", "apart", "rebuilt", "router", "superposed", "joint"):
        just = rows[name].just_learned if name != "joint" else rows[name].after_last
        assert just["logprob"].value > base + 0.05, name
    assert rows["held"].tokens > rows["naive"].tokens
    assert rows["outside"].bytes > rows["naive"].bytes == rows["apart"].bytes
    assert rows["rebuilt"].bytes == pytest.approx(rows["naive"].bytes / 3)
    assert len(rows["gentle"].scales) == len(rows["superposed-gently"].scales) == 2
    assert rows["superposed"].bytes == rows["router"].bytes
    assert rows["superposed"].scales == ()
    assert {row.failures for row in rows.values()} == {0}


def test_what_was_learned_first_depends_on_no_method(whole: StreamTable) -> None:
    rows = {row.method: row for row in whole.rows}
    first = {name: rows[name].matrix["logprob"][0][0] for name in ("naive", "apart", "rebuilt")}
    assert len(set(first.values())) == 1
