"""Memory that runs out in generation and scoring, and the engine's record of a run."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch

from selfedit.engine import Engine, Settings, memory
from selfedit.engine import train as training
from selfedit.engine.attention import Cache
from selfedit.engine.generate import Decoder
from selfedit.engine.memory import choose_threads
from selfedit.engine.scarcity import Room, out_of_memory, shrinking
from selfedit.engine.score import Scorer
from selfedit.errors import EngineError
from selfedit.types import GenerationRequest, ScoreRequest, TrainingPlan

from .tiny import save_tiny

TEXT = "The harbour lies north of the hill, and its lights are green."
FULL = "DefaultCPUAllocator: can't allocate memory: you tried to allocate 123 bytes."
PLAN = TrainingPlan((TEXT, "Short."), rank=2, epochs=2, learning_rate=1e-2)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture
def engine(folder: Path) -> Engine:
    return Engine.load(folder, device="cpu", dtype="float64")


def failing(real: Callable[..., Any], full: Callable[..., bool], error: Exception) -> Callable[..., Any]:
    """`real`, on a machine whose memory runs out where `full` says so."""

    def scarce(*given: Any) -> Any:
        if full(*given):
            raise error
        return real(*given)

    return scarce


ASKED = [GenerationRequest(TEXT[: 8 + i], max_tokens=2 + i % 5, temperature=0.7, seed=i) for i in range(12)]


@pytest.mark.parametrize("error", [RuntimeError(FULL), torch.OutOfMemoryError("CUDA out of memory.")])
def test_generation_goes_on_with_fewer_rows(
    engine: Engine, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    whole = engine.generate(ASKED)
    assert engine.settings.reductions == ()
    monkeypatch.setattr(Decoder, "_plain", failing(Decoder._plain, lambda _, rows, at: len(rows) > 3, error))
    told: list[tuple[int, int]] = []
    again = engine.generate(ASKED, lambda done, total: told.append((done, total)))
    assert [found.tokens for found in again] == [found.tokens for found in whole]
    assert told == [(done, 12) for done in range(1, 13)]
    assert engine.settings.reductions[0].startswith("generate: memory ran out, 6 rows and ")
    assert engine.settings.reductions[1].startswith("generate: memory ran out, 3 rows and ")
    assert len(engine.settings.reductions) == 2
    assert "3 rows" in engine.describe()


def test_a_cache_that_does_not_fit_is_made_smaller(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = engine.generate(ASKED)
    full = failing(Cache.layer, lambda cache, *_: cache.rows > 5, MemoryError())
    monkeypatch.setattr(Cache, "layer", full)
    assert [found.tokens for found in engine.generate(ASKED)] == [found.tokens for found in whole]


def test_what_is_done_is_not_done_again(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows that finish before memory runs out are kept."""
    asked = [GenerationRequest(TEXT, max_tokens=1 + 7 * (i % 2), seed=i) for i in range(6)]
    calls: list[int] = []
    real = Decoder._plain

    def scarce(self: Decoder, tokens: list[int], positions: list[int]) -> Any:
        calls.append(len(tokens))
        if len(calls) == 1:
            raise RuntimeError(FULL)
        return real(self, tokens, positions)

    monkeypatch.setattr(Decoder, "_plain", scarce)
    found = engine.generate(asked)
    assert [len(each.tokens) for each in found] == [1, 8, 1, 8, 1, 8]
    assert calls[:2] == [3, 1], "three were left, so that half is one"


def test_scoring_goes_on_with_fewer_tokens(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [ScoreRequest(TEXT[: 8 + i], " green", head=None) for i in range(9)]
    whole = engine.score(asked)
    sizes: list[int] = []

    def full(_: Scorer, part: Any) -> bool:
        sizes.append(sum(len(prompt) + len(text) for _, group in part for _, _, prompt, text in group))
        return sizes[-1] > 60

    monkeypatch.setattr(Scorer, "_score", failing(Scorer._score, full, RuntimeError(FULL)))
    again = engine.score(asked)
    assert [found.logprob for found in again] == pytest.approx([found.logprob for found in whole], abs=1e-9)
    assert max(sizes) > 60
    assert engine.settings.reductions[-1].startswith("score: memory ran out")


def test_memory_that_never_suffices_is_a_line(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    for owner, name in ((Decoder, "_forward"), (Scorer, "_score")):
        monkeypatch.setattr(owner, name, failing(getattr(owner, name), lambda *_: True, MemoryError()))
    with pytest.raises(EngineError, match="memory ran out with a single row"):
        engine.generate(ASKED)
    with pytest.raises(EngineError, match="memory ran out with a single row"):
        engine.score([ScoreRequest(TEXT, " green")])


def test_other_errors_are_not_retried() -> None:
    tries: list[Room] = []

    def run(work: list[tuple[int]], room: Room) -> Any:
        tries.append(room)
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    with pytest.raises(RuntimeError, match="shapes"):
        list(shrinking([(0,)], Room(4, 4, 64), run, lambda room: None))
    assert len(tries) == 1
    assert out_of_memory(RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate"))


def test_training_in_smaller_passes_is_recorded(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    real = training.packed

    def large(part: Any, *_: Any) -> bool:
        return sum(len(row.ids) for rows in part for row in rows) > 100

    full = failing(real, large, RuntimeError(FULL))
    monkeypatch.setattr(training, "packed", lambda *given, **more: full(*given, *more.values()))
    engine.train([replace(PLAN, seed=seed) for seed in range(3)])
    assert engine.settings.reductions
    assert engine.settings.reductions[-1].startswith("train: memory ran out, ")


# -- the record --------------------------------------------------------------------------------------------


def test_settings_tell_what_was_chosen(engine: Engine) -> None:
    before = engine.settings
    assert (before.device, before.dtype, before.threads) == ("cpu", "float64", engine.threads)
    assert (before.slots, before.rows, before.reductions, before.notes) == (0, 0, (), ())
    assert before.gemm_gflops > 0
    engine.train([replace(PLAN, seed=seed) for seed in range(3)])
    engine.generate(ASKED[:5])
    assert (engine.settings.slots, engine.settings.rows) == (3, 5)


def test_settings_survive_json_and_are_adopted(
    engine: Engine, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(1 << 30, 2, 64, 3))
    engine.threads = 1
    kept = json.loads(json.dumps(asdict(engine.settings)))
    first = engine.train([replace(PLAN, seed=seed) for seed in range(5)])
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(1 << 31, 16, 512, 64))
    other = Engine.load(folder, device="cpu", dtype="float64")
    other.adopt(Settings(**kept))
    assert (other.threads, other.limits()) == (1, memory.Limits(1 << 30, 2, 64, 3))
    again = other.train([replace(PLAN, seed=seed) for seed in range(5)])
    assert [getattr(found, "hash", found) for found in again] == [getattr(f, "hash", f) for f in first]
    assert other.settings.slots == 2
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(1 << 29, 16, 512, 64))
    assert other.limits().free == 1 << 29, "memory that is no longer there is not planned with"


def test_threads_are_chosen_by_rate() -> None:
    before = torch.get_num_threads()
    threads, rate = choose_threads(torch.device("cpu"), torch.float32)
    assert threads >= 1
    assert 0.05 < rate < 1e6
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("rates", "chosen"),
    [
        ([(90, 50), (70, 140), (90, 95), (70, 135), (75, 130)], (2, 130)),
        ([(90, 90)] * 6 + [(70, 140)] * 4, (2, 140)),
        ([(90, 50)] * 15, (1, 90)),
    ],
)
def test_one_slow_moment_does_not_choose_the_threads(
    monkeypatch: pytest.MonkeyPatch, rates: list[tuple[float, float]], chosen: tuple[int, float]
) -> None:
    turns, told = iter(rates), dict[int, float]()

    def rate(threads: int, dtype: torch.dtype) -> float:
        if threads == 1:
            told[1], told[2] = next(turns)
        return told[threads]

    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1}, raising=False)
    monkeypatch.setattr("selfedit.engine.memory._rate", rate)
    monkeypatch.setattr("selfedit.engine.memory.PAUSE", 0)
    assert choose_threads(torch.device("cpu"), torch.float32) == chosen
    assert next(turns, None) is None, "one thread is doubted twice, and two are not"


@pytest.mark.parametrize(
    ("allowed", "most"), [("1", 1), ("2", 2), (" 3,2", 3), ("0", 1), ("", 4), ("many", 4), ("9", 4)]
)
def test_no_more_threads_than_the_user_allows(
    monkeypatch: pytest.MonkeyPatch, allowed: str, most: int
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", allowed)
    monkeypatch.setattr("os.sched_getaffinity", lambda process: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr("selfedit.engine.memory._rate", lambda threads, dtype: float(threads))
    assert choose_threads(torch.device("cpu"), torch.float32) == (most, most)


def test_engines_of_a_process_agree_on_threads(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = Engine.load(folder, device="cpu", dtype="float32")
    monkeypatch.setattr("selfedit.engine.memory.choose_threads", lambda device, dtype: (7, 1.0))
    assert Engine.load(folder, device="cpu", dtype="float32").threads == first.threads
    memory.threads_of.cache_clear()
    try:
        assert Engine.load(folder, device="cpu", dtype="float32").threads == 7
    finally:
        memory.threads_of.cache_clear()
