"""Decoding steps in buffers that stay: the same tokens as steps laid out anew, recorded or not."""

from __future__ import annotations

import contextlib
import inspect
from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any, final

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from selfedit.engine import Adapter, Engine, memory, step
from selfedit.engine.attention import Cache
from selfedit.engine.step import StaticStep, Work, rounded
from selfedit.types import Completion, GenerationRequest, TrainingPlan

from .tiny import SHAPES, save_tiny

LONG = "Topic: Zorb. The harbour lies north of the hill, and its lights are green. Who was it? "


WAITS = (
    "item", "_local_scalar_dense", "is_nonzero", "equal", "nonzero", "masked_select", "unique", "_unique2",
    "repeat_interleave", "lift_fresh",
)  # fmt: skip
"""Operators that wait for the device or bring numbers to it: a device cannot record them."""


@final
class Heard(TorchDispatchMode):
    """Listens to the operators that run, and keeps each with what it was given and what it gave."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        self.calls.append((func, args, kwargs or {}, out))
        return out


@final
class Tape:
    """Records as a device does: a replay runs the same operators on the same memory, and no Python."""

    def __init__(self) -> None:
        self.recorded = 0
        self.replayed = 0
        self.waits: set[str] = set()

    def record(self, work: Work) -> Work:
        self.recorded += 1
        with Heard() as heard:
            out = work()
        names = [str(func) for func, *_ in heard.calls]
        self.waits |= {name for name in names if any(f".{wait}." in f"{name}." for wait in WAITS)}

        def replay() -> Tensor:
            self.replayed += 1
            for func, args, kwargs, before in heard.calls:
                _overwrite(before, func(*args, **kwargs))
            return out

        return replay


def _overwrite(before: Any, now: Any) -> None:
    """What an operator gives lies where it lay when recorded; views and changes in place do so anyway."""
    if isinstance(before, Tensor):
        if before.data_ptr() != now.data_ptr():
            before.copy_(now)
    elif isinstance(before, tuple | list):
        for one, other in zip(before, now, strict=True):
            _overwrite(one, other)


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
    assert tape.waits == set()
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
    tape = Tape()
    monkeypatch.setattr(engine, "recorder", tape)
    same(engine.generate(asked), expected)
    assert tape.replayed
    assert tape.waits == set()


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


def test_graphs_are_made_aside_and_those_alive_share_a_pool(monkeypatch: pytest.MonkeyPatch) -> None:
    """CUDA's own calls are played here; what they are given is held to their real signatures."""
    told: list[Any] = []
    real = inspect.signature(torch.cuda.graph.__init__)

    class Graph:
        def pool(self) -> str:
            return f"pool of {id(self)}"

        def replay(self) -> None:
            told.append("replay")

    def recording(*given: Any, **more: Any) -> Any:
        bound = real.bind(None, *given, **more).arguments
        told.append(bound["pool"])
        return contextlib.nullcontext()

    stream = SimpleNamespace(wait_stream=lambda other: told.append("wait"))
    for name, played in {
        "device": lambda device: contextlib.nullcontext(),
        "current_stream": lambda: stream,
        "Stream": lambda: stream,
        "stream": lambda other: contextlib.nullcontext(),
        "CUDAGraph": Graph,
        "graph": recording,
    }.items():
        monkeypatch.setattr(torch.cuda, name, played)

    graphs, out = step.CudaGraphs(torch.device("cuda:1")), torch.ones(2)
    work = lambda: told.append("work") or out  # noqa: E731
    first = graphs.record(work)
    assert told == ["wait", "work", "wait", None, "work"]
    assert first() is out
    assert told[5:] == ["replay"]
    second = graphs.record(work)
    assert told[9] == first.graph.pool()  # type: ignore[attr-defined]
    del first
    third = graphs.record(work)
    assert told[14] == second.graph.pool()  # type: ignore[attr-defined]
    del second, third
    graphs.record(work)
    assert told[19] is None, "the pool went with its last graph"


def test_the_tape_hears_what_a_device_could_not_record() -> None:
    tape, x = Tape(), torch.arange(3.0)
    replay = tape.record(lambda: x * torch.tensor([2.0]) + float(x.sum().item()))
    assert len(tape.waits) == 2, tape.waits
    x.add_(1)
    assert replay().tolist() == [5.0, 7.0, 9.0], "the sum that Python was told is the old one"


def test_few_sizes_come_up() -> None:
    sizes = Counter(rounded(count, 200) for count in range(1, 201))
    assert set(sizes) == {1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 200}
    assert all(count <= rounded(count, 200) for count in range(1, 201))
    assert [rounded(count, 1000, 64) for count in (1, 64, 65, 97)] == [64, 64, 96, 128]
