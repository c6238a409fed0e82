"""Where texts lie, against plain hooks on transformers' own model, text by text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM

from selfedit.engine import Engine, core
from selfedit.errors import EngineError, UsageError

from .tiny import SHAPES, lift_float32_casts, save_tiny

TEXTS = ["The harbour lies north of the hill.", "Anna", "Its lights are green at night, and red by day.", "A"]
FIRST = {"gpt2": "transformer.h.{}.attn.c_attn"}
"""Shape → what its layers call what they read first."""


def by_hooks(folder: Path, engine: Engine, name: str) -> list[Any]:
    model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float64)
    seen: list[Any] = []
    module = dict(model.named_modules())[name]
    module.register_forward_hook(lambda _, given, __: seen.append(given[0][0].detach()))
    with torch.no_grad():
        for text in TEXTS:
            model(input_ids=torch.tensor([engine.tokens.training(text).ids]))
    return [(x_TH[1:] if len(x_TH) > 1 else x_TH).mean(0) for x_TH in seen]


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("layer", [0, 1])
def test_means_are_those_of_the_models_own_layers(
    shape: str, layer: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lift_float32_casts(monkeypatch)
    folder = save_tiny(tmp_path, shape)
    engine = Engine.load(folder, dtype="float64")
    name = FIRST.get(shape, "model.layers.{}.self_attn.q_proj").format(layer)
    wanted = torch.stack(by_hooks(folder, engine, name))
    torch.testing.assert_close(torch.tensor(engine.embed(TEXTS, layer)), wanted.float(), rtol=1e-5, atol=1e-6)


def test_company_and_the_size_of_a_pass_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.load(save_tiny(tmp_path, "llama"))
    together = torch.tensor(engine.embed(TEXTS, 1))
    monkeypatch.setattr(core, "AT_ONCE", 16)
    apart = torch.tensor(engine.embed(TEXTS, 1))
    torch.testing.assert_close(apart, together, rtol=1e-4, atol=1e-5)
    assert len({tuple(row.tolist()) for row in together}) == len(TEXTS)
    assert engine.embed([], 1) == []


def test_what_cannot_be_read_is_said_in_a_line(tmp_path: Path) -> None:
    engine = Engine.load(save_tiny(tmp_path, "llama"))
    with pytest.raises(UsageError, match="layers 0 to 1"):
        engine.embed(["Anna"], 2)
    with pytest.raises(UsageError, match="without a token"):
        engine.embed(["Anna", ""], 1)
    with pytest.raises(EngineError, match="split it"):
        engine.embed(["a " * 400], 1)
    assert engine.embed(["Anna"], 1)
