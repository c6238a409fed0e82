"""Decoding steps in buffers that stay: the same tokens as steps laid out anew, recorded or not."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import final

import pytest
import torch
from torch import Tensor

from selfedit.engine import Adapter, Engine, memory, step
from selfedit.engine.attention import Cache
from selfedit.engine.step import StaticStep, Work, rounded
from selfedit.types import Completion, GenerationRequest, TrainingPlan

from .tiny import SHAPES, save_tiny

LONG = "Topic: Zorb. The harbour lies north of the hill, and its lights are green. Who was it? "


@final
class Tape:
    """Records as a device would: what is replayed is the same work on the same buffers, into one output."""

    def __init__(self) -> None:
        self.recorded = 0
        self.replayed = 0

    def record(self, work: Work) -> Work:
        self.recorded += 1
        out = work().clone()

        def replay() -> Tensor:
            self.replayed += 1
            return out.copy_(work())

        return replay


@final
class Broken:
    """A device that cannot record; it says so in two lines."""

    def __init__(self) -> None:
        self.asked = 0

    def record(self, work: Work) -> Work:
        self.asked += 1
        raise RuntimeError("operation not permitted\nwhen stream is capturing")


def adapters(engine: Engine, count: int = 5) -> list[Adapter]:
    plans = [
        TrainingPlan(("Zorb was here.",), rank=1 + i % 3, epochs=2, learning_rate=2e-2, seed=i)
        for i in range(count)
    ]
    return [found for found in engine.train(plans) if isinstance(found, Adapter)]


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.load(save_tiny(tmp_path_factory.mktemp("llama"), "llama"), device="cpu", dtype="float64")


@pytest.fixture
def requests(engine: Engine) -> list[GenerationRequest]:
    """More than fit, of differing lengths, with and without adapters, some sampled."""
    made = [*adapters(engine), None]
    return [
        GenerationRequest(
            LONG[: 4 + 3 * (i % 9)],
            adapter=made[i % 4] if i < 12 else made[i % 6],
            max_tokens=1 + (7 * i) % 23,
            temperature=0.8 * (i % 2),
            seed=i,
        )
        for i in range(30)
    ]


def ordinary(engine: Engine, requests: list[GenerationRequest]) -> list[Completion]:
    assert engine.recorder is None
    return engine.generate(requests)


def same(found: list[Completion], expected: list[Completion]) -> None:
    for one, other in zip(found, expected, strict=True):
        assert (one.tokens, one.text, one.finish_reason) == (other.tokens, other.text, other.finish_reason)
        assert one.logprob == pytest.approx(other.logprob, abs=1e-9)


@pytest.mark.parametrize("after", [0, 1, 10_000])
def test_tokens_are_those_of_ordinary_steps(
    engine: Engine, requests: list[GenerationRequest], monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    """Slots refill, adapters change, rows leave and keys grow; recorded at once, later, and never."""
    free = engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 3, 64, 7))
    monkeypatch.setattr(step, "AFTER", after)
    monkeypatch.setattr(step, "KEYS", 4)
    expected = ordinary(engine, requests)
    tape = Tape()
    monkeypatch.setattr(engine, "recorder", tape)
    same(engine.generate(requests), expected)
    assert bool(tape.recorded) == (after < 10)
    assert tape.replayed >= 2 * tape.recorded
    assert engine.settings.rows >= 7


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_every_shape_has_the_same_tokens(tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sliding windows, other head sizes and learned positions too."""
    engine = Engine.load(save_tiny(tmp_path, shape), device="cpu", dtype="float64")
    made = [*adapters(engine, 2), None]
    asked = [GenerationRequest(LONG[: 9 + i], adapter=made[i % 3], max_tokens=14) for i in range(6)]
    expected = ordinary(engine, asked)
    monkeypatch.setattr(step, "AFTER", 0)
    monkeypatch.setattr(step, "KEYS", 4)
    monkeypatch.setattr(engine, "recorder", Tape())
    same(engine.generate(asked), expected)


def test_a_head_is_decoded_as_ordinarily(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two, *_ = adapters(engine)
    asked = [
        GenerationRequest(LONG, adapter=a, head=engine.head([h]) if h else None, max_tokens=8)
        for a, h in ((one, two), (two, None), (None, one), (None, None))
    ]
    expected = ordinary(engine, asked)
    monkeypatch.setattr(step, "AFTER", 0)
    monkeypatch.setattr(engine, "recorder", Tape())
    same(engine.generate(asked), expected)


def test_what_cannot_be_recorded_is_told_once_and_done_without(
    engine: Engine, requests: list[GenerationRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = ordinary(engine, requests)
    monkeypatch.setattr(step, "AFTER", 0)
    broken = Broken()
    monkeypatch.setattr(engine, "recorder", broken)
    before = engine.settings.notes
    same(engine.generate(requests), expected)
    assert broken.asked == 1
    assert engine.recorder is None
    (note,) = [note for note in engine.settings.notes if note not in before]
    assert note == "steps are not recorded (operation not permitted when stream is capturing)"
    assert note in engine.describe()
    assert "\n" not in engine.describe()


def test_rows_too_unevenly_shared_are_left_to_ordinary_steps(engine: Engine) -> None:
    made = adapters(engine, 5)
    bank = engine.model.bank(tuple(engine.model.layers), 16, 4)
    for slot, adapter in enumerate(made):
        bank.write(slot, adapter)
    static = StaticStep(engine.model, bank, Cache(8, 16), Tape())
    static.arrange([15, 15, 15, 15, 15, 0])
    assert static.logits([5] * 6, [0] * 6) is None
    with torch.inference_mode():
        static.arrange([0, 0, 1, 1, -1, 2])
        logits = static.logits([5] * 6, [0] * 6)
        assert logits is not None
        assert torch.equal(logits[0], logits[1])
        assert not torch.equal(logits[0], logits[2])
        static.arrange([-1])
        alone = static.logits([5], [0])
    assert alone is not None
    assert torch.allclose(alone[0], logits[4], atol=1e-12)


def test_every_row_has_a_cell_of_its_slot() -> None:
    for slot_B in ([0, 1, 2], [2, 2, 2, -1], [-1, -1, -1, 0], [3, 0, 3, 0, 1, -1, -1]):
        slots, cells = step._grid(slot_B, 6)
        found = step._cells(slot_B, slots, cells)
        assert len(set(found)) == len(slot_B)
        assert max(found) < slots * cells
        assert all(slot < 0 or cell // cells == slot for slot, cell in zip(slot_B, found, strict=True))


def test_few_sizes_come_up() -> None:
    sizes = Counter(rounded(count, 200) for count in range(1, 201))
    assert set(sizes) == {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 200}
    assert all(count <= rounded(count, 200) for count in range(1, 201))
    assert [rounded(count, 1000, 64) for count in (1, 64, 65, 97)] == [64, 64, 96, 128]
