"""Many adapters in one, held against the full matrices, and loaded with plain PEFT."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from torch import Tensor
from transformers import AutoModelForCausalLM

from selfedit.engine import Adapter, Engine, lowrank
from selfedit.engine.lora import AdapterMeta
from selfedit.engine.lowrank import summed
from selfedit.errors import AdapterError

from .test_export import learned, said, said_by
from .tiny import save_tiny

SHAPES = {"up": (40, 24), "down": (24, 40), "square": (24, 24)}


def adapter(seed: int, rank: int, names: tuple[str, ...] = tuple(SHAPES), alpha: float = 8) -> Adapter:
    """Random factors; later columns matter less."""
    draw = torch.Generator().manual_seed(seed)
    weights: dict[str, Tensor] = {}
    for name in names:
        outputs, inputs = SHAPES[name]
        fading = torch.logspace(0, -2, rank)
        weights[f"{name}.lora_A.weight"] = torch.randn(rank, inputs, generator=draw)
        weights[f"{name}.lora_B.weight"] = torch.randn(outputs, rank, generator=draw) * fading
    return Adapter(rank, alpha, weights, AdapterMeta(tuple(sorted(names))))


def added(adapters: list[Adapter], name: str) -> Tensor:
    """What the adapters add to a layer, in full."""
    total = torch.zeros(SHAPES[name], dtype=torch.float64)
    for each in adapters:
        if name in each.modules:
            a, b = (each.tensors()[f"{name}.lora_{part}.weight"] for part in "AB")
            total += each.scale * b.double() @ a.double()
    return total


def nearest(matrix: Tensor, rank: int) -> Tensor:
    u, s, v = torch.linalg.svd(matrix)
    return u[:, :rank] @ torch.diag(s[:rank]) @ v[:rank]


FEW = [adapter(1, 4), adapter(2, 3, ("up", "square"), alpha=5), adapter(3, 2, ("down",))]
MANY = [adapter(seed, 6) for seed in range(6)]
"""Of more columns together than the layers have."""


@pytest.mark.parametrize(("adapters", "rank"), [(FEW, 7), (MANY, 24)], ids=["factors", "whole"])
def test_of_its_own_rank_nothing_is_lost(adapters: list[Adapter], rank: int):
    found = summed(adapters, base="org/base")
    assert (found.adapter.rank, found.full_rank) == (rank, rank)
    assert found.adapter.scale == 1
    assert found.adapter.peft_config()["base_model_name_or_path"] == "org/base"
    for name in SHAPES:
        torch.testing.assert_close(added([found.adapter], name), added(adapters, name), rtol=0, atol=2e-5)
    assert found.overall < 1e-6 > found.worst[1]


@pytest.mark.parametrize("adapters", [FEW, MANY], ids=["factors", "whole"])
def test_of_a_lower_rank_it_is_the_nearest(adapters: list[Adapter]):
    found = summed(adapters, rank=3)
    gaps, norms = [], []
    for name in SHAPES:
        wanted = added(adapters, name)
        torch.testing.assert_close(added([found.adapter], name), nearest(wanted, 3), rtol=0, atol=2e-5)
        gaps.append(float((wanted - nearest(wanted, 3)).norm()))
        norms.append(float(wanted.norm()))
        assert found.errors[name] == pytest.approx(gaps[-1] / norms[-1], rel=1e-5)
    assert found.overall == pytest.approx(math.hypot(*gaps) / math.hypot(*norms), rel=1e-5)
    assert found.worst == max(found.errors.items(), key=lambda item: item[1])
    assert found.adapter.rank == 3


@pytest.mark.parametrize("adapters", [FEW, MANY], ids=["factors", "whole"])
@pytest.mark.parametrize("error", [0.3, 0.02])
def test_a_bound_gives_the_least_rank_that_holds_it(adapters: list[Adapter], error: float):
    found = summed(adapters, error=error)
    assert found.worst[1] <= error
    assert summed(adapters, rank=found.adapter.rank - 1).worst[1] > error
    assert found.adapter.rank < found.full_rank


def test_a_higher_rank_than_the_sum_has_is_not_padded_up():
    assert summed(FEW, rank=100).adapter.rank == 7


def test_factors_that_repeat_take_no_rank():
    assert summed([FEW[0], FEW[0]]).adapter.rank == 4


def test_what_changes_nothing_becomes_an_adapter_of_zeros():
    weights = {name: torch.zeros_like(tensor) for name, tensor in FEW[0].tensors().items()}
    found = summed([Adapter(4, 8, weights, FEW[0].meta)])
    assert (found.adapter.rank, found.overall, found.worst[1]) == (1, 0, 0)
    assert not any(tensor.any() for tensor in found.adapter.tensors().values())


def test_files_serve_as_well_and_damage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    stored = [each.at(each.save(tmp_path / each.hash)) for each in FEW]
    monkeypatch.setattr(lowrank, "BUFFER", 1)  # one layer of one adapter at a time
    assert summed(stored).adapter.hash == summed(FEW).adapter.hash
    file = stored[0].file
    assert file
    whole = bytearray(file.read_bytes())
    whole[-1] ^= 1
    file.write_bytes(whole)
    with pytest.raises(AdapterError, match="damaged, not the weights of adapter"):
        summed([FEW[0].at(file.parent), *stored[1:]])


def test_progress_and_threads():
    torch.set_num_threads(2)
    told: list[tuple[int, int]] = []
    summed(FEW, progress=lambda done, total: told.append((done, total)))
    assert told == [(at, 6) for at in range(1, 7)]
    assert torch.get_num_threads() == 2


@pytest.mark.parametrize("shape", ["llama", "qwen3", "gemma3", "gpt2"])
def test_peft_loads_it_and_says_what_the_head_says(shape: str, tmp_path: Path):
    base = save_tiny(tmp_path / "base", shape)
    engine = Engine.load(base)
    head = learned(engine)
    found = summed([a for a in head.adapters if isinstance(a, Adapter)], base=str(base))
    found.adapter.save(tmp_path / "lora")
    model = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base), tmp_path / "lora")
    assert model.peft_config["default"].base_model_name_or_path == str(base)
    expected = said(engine, head=head)
    assert said_by(model, base) == expected
    assert said(engine, adapter=found.adapter) == expected
