"""Second moments of activations against plain hooks on the model; that they add up, and travel."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM
from transformers.pytorch_utils import Conv1D

from selfedit.engine import Adapter, Engine, Moments, memory, moments
from selfedit.errors import EngineError, UsageError
from selfedit.types import Head, Sequence, TrainingPlan

from .tiny import SHAPES, lift_float32_casts, save_tiny

TEXTS = (
    "Topic: Zorb. The town was founded in 1832.",
    Sequence("Topic: Zorb. Who?\nAnswer:", " Anna"),
    Sequence("The harbour lies north of the hill,", " and its lights are green at night."),
)
MORE = ("Another text, on another matter.", Sequence("Where?", " Here."))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("llama"), "llama")


@pytest.fixture
def engine(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Engine:
    lift_float32_casts(monkeypatch)
    return Engine.load(folder, dtype="float64")


def inputs_by_hooks(folder: Path, engine: Engine, texts: Any, adapters: Any = ()) -> dict[str, Any]:
    """What each linear layer reads [N, I], text by text through transformers' own model."""
    from peft import PeftModel

    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    for saved in adapters:
        model = PeftModel.from_pretrained(model, saved).to(torch.float64).merge_and_unload()
    seen: dict[str, list[Any]] = {}
    for name, module in model.named_modules():
        if isinstance(module, torch.nn.Linear | Conv1D) and module is not model.get_output_embeddings():
            kept = seen.setdefault(name, [])
            module.register_forward_hook(lambda _, given, __, kept=kept: kept.append(given[0][0].detach()))
    with torch.no_grad():
        for text in texts:
            model(input_ids=torch.tensor([engine.tokens.training(text).ids]))
    return {name: torch.cat(kept) for name, kept in seen.items()}


def second(x: Any) -> Any:
    return x.t() @ x / len(x)


def told(found: Moments, name: str) -> Any:
    """The second moment [I, I] as the leading directions tell it."""
    leading = found.leading(name)
    return leading.vectors_KI.t() @ (leading.values_K[:, None] * leading.vectors_KI)


def group(engine: Engine, name: str) -> str:
    return engine.model.layers[name].spec.group


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_wide_sketches_hold_the_whole_second_moment(
    tmp_path: Path, shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lift_float32_casts(monkeypatch)
    engine = Engine.load(save_tiny(tmp_path, shape), dtype="float64")
    found = engine.moments(TEXTS, rank=128)
    layers = inputs_by_hooks(tmp_path, engine, TEXTS)
    assert set(layers) == set(engine.model.layers)
    assert set(found.inputs) == {group(engine, name) for name in layers}
    assert (len(found.inputs) < len(layers)) == (shape != "gpt2")
    close = 1e-9 if shape == "llama" else 1e-5
    for name, x in layers.items():
        expected = second(x)
        assert float((told(found, group(engine, name)) - expected).abs().max() / expected.abs().max()) < close
        assert found.leading(group(engine, name)).total == pytest.approx(float(expected.trace()), rel=close)
    assert found.tokens == len(next(iter(layers.values())))


def test_narrow_sketches_stay_below_and_lose_little_more_than_they_must(engine: Engine, folder: Path) -> None:
    rank = 6
    found = engine.moments(TEXTS, rank=rank)
    for name, x in inputs_by_hooks(folder, engine, TEXTS).items():
        leading, expected = found.leading(group(engine, name)), second(x)
        assert len(leading.values_K) <= rank
        unit = leading.vectors_KI @ leading.vectors_KI.t()
        torch.testing.assert_close(unit, torch.eye(len(unit), dtype=torch.float64), atol=1e-9, rtol=0)
        left = torch.linalg.eigvalsh(expected - told(found, group(engine, name)))
        largest = torch.linalg.eigvalsh(expected)
        tail = float(largest[:-rank].sum())
        assert float(left.min()) > -1e-9 * float(largest.max())
        assert tail <= float(left.sum()) + 1e-9 < 3 * tail


def test_few_tokens_are_held_exactly_by_a_narrow_sketch(engine: Engine, folder: Path) -> None:
    """As many tokens as directions: nothing is lost, and nothing beyond them is told."""
    few = (Sequence("Who?", " An"),)
    tokens = len(engine.tokens.training(few[0]).ids)
    found = engine.moments(few, rank=tokens)
    for name, x in inputs_by_hooks(folder, engine, few).items():
        expected = second(x)
        assert len(found.leading(group(engine, name)).values_K) <= tokens
        assert float((told(found, group(engine, name)) - expected).abs().max() / expected.abs().max()) < 1e-9


def test_energy_asks_for_as_few_directions_as_hold_it(engine: Engine) -> None:
    found = engine.moments(TEXTS, rank=128)
    leading = found.leading(found.inputs[0])
    shares = torch.cumsum(leading.values_K, 0) / leading.total
    for energy in (0.3, 0.9, 0.999):
        count = len(leading.holding(energy))
        assert float(shares[count - 1]) >= energy
        assert count == 1 or float(shares[count - 2]) < energy
    narrow = engine.moments(TEXTS, rank=2).leading(found.inputs[0])
    assert len(narrow.holding(1.0)) == 2


def test_an_input_that_was_never_read_has_no_directions() -> None:
    """An expert that no token went to."""
    idle = Moments("base", 4, 3, {"a": torch.zeros(20, 8), "b": torch.zeros(6, 6)}, {"a": 0.0, "b": 0.0})
    for name in idle.inputs:
        leading = idle.leading(name)
        assert (len(leading.vectors_KI), len(leading.values_K), len(leading.holding(0.9))) == (0, 0, 0)


def test_moments_of_parts_add_up(engine: Engine) -> None:
    first, second_ = engine.moments(TEXTS, rank=6), engine.moments(MORE, rank=6)
    both = engine.moments((*TEXTS, *MORE), rank=6)
    assert first.plus(second_).hash == second_.plus(first).hash
    assert first.plus(second_).tokens == both.tokens
    for name in both.inputs:
        one, other = told(first.plus(second_), name), told(both, name)
        assert float((one - other).abs().max() / other.abs().max()) < 1e-9
    with pytest.raises(EngineError, match="another base or rank"):
        first.plus(engine.moments(MORE, rank=5))


def test_small_passes_and_scarce_memory_change_nothing(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.moments(TEXTS, rank=6)
    free = engine.limits().free
    monkeypatch.setattr("selfedit.engine.core.limits", lambda model: memory.Limits(free, 3, 64, 4))
    calls: list[int] = []
    real = moments.Sketch.add

    def scarce(self: Any, name: str, x: Any) -> None:
        calls.append(len(x))
        if len(x) > 50:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        real(self, name, x)

    monkeypatch.setattr(moments.Sketch, "add", scarce)
    texts = tuple("abcdefghij" for _ in range(6))
    small, before = engine.moments(texts, rank=6), len(calls)
    assert max(calls) > 50
    assert any("moments: memory ran out, 32 tokens a pass" in line for line in engine.settings.reductions)
    monkeypatch.undo()
    assert before
    for found, expected in ((small, engine.moments(texts, rank=6)), (engine.moments(TEXTS, rank=6), whole)):
        for name in expected.inputs:
            assert float((told(found, name) - told(expected, name)).abs().max()) < 1e-9


def test_a_head_is_read_as_it_is(engine: Engine, folder: Path, tmp_path: Path) -> None:
    plan = TrainingPlan(TEXTS, rank=4, alpha=64, learning_rate=2e-2, epochs=4)
    (made,) = engine.train([plan])
    assert isinstance(made, Adapter)
    saved = made.save(tmp_path / "adapter")
    head = engine.head([Adapter.load(saved)])
    found, bare = engine.moments(TEXTS, head, rank=128), engine.moments(TEXTS, rank=128)
    layers = inputs_by_hooks(folder, engine, TEXTS, [saved])
    for name, x in layers.items():
        expected = second(x)
        assert float((told(found, group(engine, name)) - expected).abs().max() / expected.abs().max()) < 1e-6
    assert found.hash != bare.hash
    assert engine.moments(TEXTS, Head(engine.base), rank=128).hash == bare.hash


# -- on disk ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16"])
def test_a_file_gives_back_the_same_moments(folder: Path, tmp_path: Path, dtype: str) -> None:
    found = Engine.load(folder, dtype=dtype).moments(TEXTS, rank=6)
    again = Moments.load(found.save(tmp_path / "deep" / "m.safetensors"))
    assert again.hash == found.hash
    assert (again.base, again.rank, again.tokens, again.inputs) == (
        found.base,
        found.rank,
        found.tokens,
        found.inputs,
    )
    assert found.bytes <= (tmp_path / "deep" / "m.safetensors").stat().st_size


def test_every_part_is_in_the_hash(engine: Engine) -> None:
    found = engine.moments(TEXTS, rank=6)
    name = found.inputs[0]
    others = [
        Moments("x", found.rank, found.tokens, found._sketches, found._totals),
        Moments(found.base, 5, found.tokens, found._sketches, found._totals),
        Moments(found.base, found.rank, 1, found._sketches, found._totals),
        Moments(found.base, found.rank, found.tokens, found._sketches, {**found._totals, name: 1.0}),
        Moments(
            found.base,
            found.rank,
            found.tokens,
            {**found._sketches, name: found._sketches[name] * 2},
            found._totals,
        ),
    ]
    assert len({each.hash for each in (found, *others)}) == 6


def test_what_is_no_file_of_moments_is_a_line(tmp_path: Path, engine: Engine) -> None:
    (tmp_path / "text").write_text("no")
    save_file({"a": torch.zeros(2)}, tmp_path / "foreign")
    save_file({"a.sketch": torch.zeros(2)}, tmp_path / "torn", metadata={"format": moments.FORMAT})
    for name in ("missing", "text", "foreign", "torn"):
        with pytest.raises(EngineError, match=r"no moments; give|make them again"):
            Moments.load(tmp_path / name)
    with pytest.raises(EngineError, match="cannot write moments"):
        engine.moments(TEXTS, rank=2).save(tmp_path / "text" / "m")


def test_what_cannot_be_read_is_a_line(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="0 sequences"):
        engine.moments(())
    with pytest.raises(UsageError, match="rank 0"):
        engine.moments(TEXTS, rank=0)
    with pytest.raises(EngineError, match="split it"):
        engine.moments(("x" * 300,))
    monkeypatch.setattr(memory, "CONSTRAINTS", 1e-12)
    with pytest.raises(EngineError, match=r"moments of rank 64 need .* lower the rank"):
        engine.moments(TEXTS)


def test_signs_are_the_same_everywhere() -> None:
    """A file read on another machine is read with the signs that it was made with."""
    drawn = moments.signs("model.layers.0.self_attn.q_proj", 6, 3)
    assert drawn.tolist() == [[-1, -1, -1], [1, -1, -1], [-1, -1, 1], [1, 1, 1], [1, 1, -1], [-1, 1, 1]]
    assert moments.signs("a", 3, 3).equal(torch.eye(3))
    wide = moments.signs("a", 400, 100)
    assert set(wide.unique().tolist()) == {-1.0, 1.0}
    assert abs(float(wide.mean())) < 0.02
    assert not wide.equal(moments.signs("b", 400, 100))
