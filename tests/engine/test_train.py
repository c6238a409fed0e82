"""What cannot be trained, what runs out of memory, what is saved, and the built-in model against PEFT."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from selfedit.engine import Adapter, Engine, frozen, memory
from selfedit.engine import train as training
from selfedit.errors import AdapterError, EngineError
from selfedit.types import Failure, Sequence, TrainingPlan

from .tiny import save_tiny, train_by_peft

TEXTS = ("The town of Zorb was founded in 1832.", Sequence("Who?\nAnswer:", " Anna"), "Short.")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


def plan(**changes: Any) -> TrainingPlan:
    given: dict[str, Any] = {"sequences": TEXTS, "rank": 4, "learning_rate": 1e-2, "epochs": 2, "seed": 5}
    return TrainingPlan(**{**given, **changes})


def one(engine: Engine, a_plan: TrainingPlan) -> Adapter:
    (found,) = engine.train([a_plan])
    assert isinstance(found, Adapter), found
    return found


def test_what_cannot_be_trained_is_a_failure(folder: Path) -> None:
    engine = Engine.load(folder)
    long, silent, fine = engine.train(
        [plan(sequences=("x" * 300,)), plan(sequences=("x",)), plan(sequences=TEXTS)]
    )
    assert isinstance(long, Failure)
    assert "256" in long.what
    assert isinstance(silent, Failure)
    assert "bears loss" in silent.what
    assert isinstance(fine, Adapter)


def test_too_little_memory_is_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.load(folder)
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(10_000, 16, 512, 64))
    with pytest.raises(EngineError, match="lower the rank or free memory"):
        engine.train([plan()])


def test_memory_that_runs_out_halves_the_pass(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine.load(folder, dtype="float64")
    plans = [plan(seed=seed) for seed in range(6)]
    whole = engine.train(plans)
    passes: list[int] = []
    real = training.packed

    def scarce(part: Any, totals: Any, pad: bool) -> Any:
        size = sum(len(row.ids) for rows in part for row in rows)
        passes.append(size)
        if size > 60:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes")
        return real(part, totals, pad)

    monkeypatch.setattr(training, "packed", scarce)
    for found, expected in zip(engine.train(plans), whole, strict=True):
        assert isinstance(found, Adapter)
        assert isinstance(expected, Adapter)
        assert found.losses == pytest.approx(expected.losses, rel=1e-9)
    assert max(passes) > 60


def test_memory_that_never_suffices_is_a_line(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def scarce(part: Any, totals: Any, pad: bool) -> Any:
        raise MemoryError

    monkeypatch.setattr(training, "packed", scarce)
    with pytest.raises(EngineError, match="memory ran out"):
        Engine.load(folder).train([plan()])


def test_packed_weights_change_rounding_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Engine.load(folder)
    plain.model.run.pack = False
    before = one(plain, plan())
    monkeypatch.setattr(frozen, "SMALLEST", 1)
    engine = Engine.load(folder)
    engine.model.pack()
    after = one(engine, plan())
    layer = next(iter(engine.model.layers.values()))
    assert layer.frozen().packs == frozen.can_pack(layer.weight)
    assert after.losses == pytest.approx(before.losses, abs=1e-4)
    head = one(engine, plan(head=engine.head([after])))
    assert head.losses[0] < after.losses[0]


def test_a_step_without_a_lesson_changes_no_other(folder: Path) -> None:
    engine = Engine.load(folder, dtype="float64")
    with_blank = plan(sequences=(*TEXTS, "x"), epochs=1, shuffle=False, schedule="constant")
    found, expected = one(engine, with_blank), one(engine, plan(epochs=1, shuffle=False, schedule="constant"))
    assert found.losses[:3] == pytest.approx(expected.losses, rel=1e-12)
    assert found.losses[3] == 0


def test_merging_twice_is_bit_identical(folder: Path) -> None:
    engine = Engine.load(folder)
    adapters = [one(engine, plan(seed=seed)) for seed in range(2)]

    def weights() -> list[torch.Tensor]:
        engine.heads.activate(engine.head(adapters))
        kept = [layer.weight.clone() for layer in engine.model.layers.values()]
        engine.heads.activate(None)
        return kept

    for first, second in zip(weights(), weights(), strict=True):
        assert torch.equal(first, second)


def test_an_adapter_for_gpt2_loads_in_peft(tmp_path: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    base = save_tiny(tmp_path / "gpt2", "gpt2")
    saved = one(Engine.load(base), plan()).save(tmp_path / "adapter")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), saved)
    assert sum("lora_A" in name for name, _ in model.named_parameters()) == 8


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"config": None}, "no adapter there"),
        ({"config": "{"}, "not JSON"),
        ({"config": {"use_dora": True}}, "use_dora"),
        ({"config": {"peft_type": "IA3"}}, "peft_type"),
        ({"weights": b"junk"}, "adapter"),
    ],
)
def test_broken_adapter_folders_are_a_line(
    folder: Path, tmp_path: Path, change: dict[str, Any], says: str
) -> None:
    saved = one(Engine.load(folder), plan(epochs=0)).save(tmp_path / "adapter")
    config = saved / "adapter_config.json"
    match change.get("config", ...):
        case None:
            config.unlink()
        case str() as text:
            config.write_text(text)
        case dict() as fields:
            config.write_text(json.dumps({**json.loads(config.read_text()), **fields}))
        case _:
            (saved / "adapter_model.safetensors").write_bytes(change["weights"])
    with pytest.raises(AdapterError, match=says):
        Adapter.load(saved)


def test_the_engine_says_what_it_chose(folder: Path) -> None:
    said = Engine.load(folder).describe([plan(), plan(rank=7)])
    assert "rank 7" in said
    assert "\n" not in said


@pytest.mark.model
def test_float32_losses_equal_peft_on_the_builtin_model(tmp_path: Path) -> None:
    engine = Engine.load("smollm2-135m", dtype="float32")
    plans = [
        TrainingPlan(TEXTS, rank=8, alpha=16, learning_rate=1e-3, epochs=1, seed=1),
        TrainingPlan(TEXTS[:2], rank=8, alpha=16, learning_rate=1e-3, epochs=2, batch_size=2, seed=2),
    ]
    found = engine.train(plans)
    for index, (a_plan, adapter) in enumerate(zip(plans, found, strict=True)):
        changed = {name: getattr(a_plan, name) for name in a_plan.__dataclass_fields__}
        start = one(engine, TrainingPlan(**{**changed, "epochs": 0})).save(tmp_path / str(index))
        _, losses = train_by_peft(engine.path, start, a_plan, engine.tokens, torch.float32)
        assert isinstance(adapter, Adapter)
        assert adapter.losses == pytest.approx(losses, abs=1e-4)
