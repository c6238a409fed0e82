"""A head as a plain model folder, loaded with plain transformers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from selfedit.engine import Adapter, Engine, catalog
from selfedit.engine.export import base_of, save_merged
from selfedit.errors import EngineError, ExportError
from selfedit.types import GenerationRequest, Head, TrainingPlan

from .tiny import save_tiny

TEXTS = ("The lamp is kept by Tobiah.", "A ticket costs eleven shells.", "Goats travel free on Wednesdays.")
PROMPTS = ("The lamp", "A ticket costs", "Who keeps it?\nAnswer:")
TEMPLATE = "{% for message in messages %}{{ message['content'] }}{% endfor %}"


def learned(engine: Engine) -> Head:
    """A head of two adapters, large enough to change what the model says."""
    adapters: list[Adapter] = []
    for rank in (4, 2):
        head = engine.head(adapters) if adapters else None
        plan = TrainingPlan(
            TEXTS, rank=rank, alpha=2 * rank, learning_rate=2e-2, epochs=3, head=head, seed=rank
        )
        (made,) = engine.train([plan])
        assert isinstance(made, Adapter)
        adapters.append(made)
    return engine.head(adapters)


def said(engine: Engine, **on: Any) -> list[tuple[int, ...]]:
    return [c.tokens for c in engine.generate([GenerationRequest(p, max_tokens=12, **on) for p in PROMPTS])]


def said_by(model: Any, folder: Path) -> list[tuple[int, ...]]:
    """Greedy tokens of a transformers or PEFT model, one prompt at a time."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    found = []
    for prompt in PROMPTS:
        given = tokenizer(prompt, return_tensors="pt", add_special_tokens=False)
        made = model.generate(**given, max_new_tokens=12, do_sample=False, pad_token_id=0)
        found.append(tuple(made[0, given["input_ids"].shape[1] :].tolist()))
    return found


@pytest.fixture(scope="module", params=["llama", "qwen3", "gemma3", "gpt2"])
def case(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Engine, Head, Path]:
    """An engine, a head and the folder that it was exported to."""
    folder = tmp_path_factory.mktemp(request.param)
    engine = Engine.load(save_tiny(folder / "base", request.param))
    head = learned(engine)
    save_merged(engine, head, folder / "out")
    return engine, head, folder / "out"


def test_weights_are_bit_identical(case: tuple[Engine, Head, Path]):
    engine, head, folder = case
    base = AutoModelForCausalLM.from_pretrained(engine.path).state_dict()
    mine = AutoModelForCausalLM.from_pretrained(folder).state_dict()
    engine.heads.activate(head)
    assert mine.keys() == base.keys()
    changed = 0
    for name, tensor in mine.items():
        layer = engine.model.layers.get(name.removesuffix(".weight")) if name.endswith(".weight") else None
        assert torch.equal(tensor, base[name] if layer is None else layer.weight), name
        changed += not torch.equal(tensor, base[name])
    assert changed == len(engine.model.layers)


def test_greedy_tokens_are_those_of_the_head(case: tuple[Engine, Head, Path]):
    engine, head, folder = case
    expected = said(engine, head=head)
    assert expected != said(engine)
    assert said_by(AutoModelForCausalLM.from_pretrained(folder), folder) == expected
    assert said(Engine.load(folder)) == expected


def test_what_belongs_to_the_base_comes_along(tmp_path: Path):
    base = save_tiny(tmp_path / "base", "llama")
    (base / "chat_template.jinja").write_text(TEMPLATE)
    (base / "generation_config.json").write_text('{"eos_token_id": [2, 7], "temperature": 0.2}')
    for name in ("LICENSE", "selfedit.json", "weights.bin", "README.md"):
        (base / name).write_text("{}")
    engine = Engine.load(base)
    save_merged(engine, learned(engine), tmp_path / "out")
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"LICENSE", "config.json", "tokenizer.json", "model.safetensors"} <= names
    assert not names & {"selfedit.json", "weights.bin", "README.md"}
    assert AutoTokenizer.from_pretrained(tmp_path / "out").chat_template == TEMPLATE
    assert json.loads((tmp_path / "out" / "generation_config.json").read_text())["eos_token_id"] == [2, 7]
    assert str(tmp_path) not in (tmp_path / "out" / "config.json").read_text()


def test_large_models_are_written_in_shards(tmp_path: Path):
    engine = Engine.load(save_tiny(tmp_path / "base", "gemma3"))
    head = learned(engine)
    save_merged(engine, head, tmp_path / "out", shard="40KB")
    assert len(list((tmp_path / "out").glob("model-*.safetensors"))) > 2
    assert catalog.check(tmp_path / "out")
    assert said_by(AutoModelForCausalLM.from_pretrained(tmp_path / "out"), tmp_path / "out") == said(
        engine, head=head
    )


def test_another_type_is_one_cast_of_the_head(tmp_path: Path):
    engine = Engine.load(save_tiny(tmp_path / "base", "llama"))
    head = learned(engine)
    save_merged(engine, head, tmp_path / "whole")
    save_merged(engine, head, tmp_path / "half", "bfloat16")
    whole, half = (load_file(tmp_path / name / "model.safetensors") for name in ("whole", "half"))
    assert all(torch.equal(half[name], tensor.to(torch.bfloat16)) for name, tensor in whole.items())
    assert json.loads((tmp_path / "half" / "config.json").read_text())["dtype"] == "bfloat16"


def test_numbers_too_large_for_a_type_are_told(tmp_path: Path):
    engine = Engine.load(save_tiny(tmp_path / "base", "llama"))
    name = "model.layers.0.mlp.up_proj"
    weights = {
        f"{name}.lora_A.weight": torch.full((1, 32), 1e3),
        f"{name}.lora_B.weight": torch.full((56, 1), 1e3),
    }
    (like,) = engine.train([TrainingPlan(TEXTS, rank=1, epochs=0, target_modules=("up_proj",))])
    assert isinstance(like, Adapter)
    weights = {**like.tensors(), **weights}
    with pytest.raises(EngineError, match=f"{name}.weight: holds numbers too large for float16; choose"):
        save_merged(engine, engine.head([Adapter(1, 1, weights, like.meta)]), tmp_path / "out", "float16")


def test_what_the_disk_refuses_is_one_line(tmp_path: Path):
    engine = Engine.load(save_tiny(tmp_path / "base", "llama"))
    (tmp_path / "out" / "model.safetensors").mkdir(parents=True)
    with pytest.raises(ExportError, match=r"out: the model cannot be written \(.*\); free space, or"):
        save_merged(engine, learned(engine), tmp_path / "out")


# -- the base ----------------------------------------------------------------------------------------------


def test_what_is_known_of_a_base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SELFEDIT_CACHE", str(tmp_path / "cache"))
    built_in = base_of("smollm2-135m")
    assert (built_in.place, built_in.licence) == ("smollm2-135m", "Apache-2.0")
    assert built_in.hub == "HuggingFaceTB/SmolLM2-135M-Instruct"
    hub = base_of("org/name")
    assert (hub.place, hub.hub, hub.licence) == ("org/name", "org/name", "")
    assert base_of("gone").place == "gone"


def test_a_folder_tells_its_licence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(tmp_path)
    base = save_tiny(Path("org") / "base", "llama")
    found = base_of("org/base")
    assert (found.place, found.hub, found.licence) == (str(tmp_path / "org" / "base"), "", "")
    (base / "README.md").write_text("---\nlanguage: en\nlicense: mit\n---\nlicense: none\n")
    assert base_of("org/base").licence == "mit"
    (base / "README.md").write_text("no front matter\nlicense: mit\n")
    assert base_of("org/base").licence == ""
    (base / "selfedit.json").write_text('{"licence": "Apache-2.0"}')
    assert base_of("org/base").licence == "Apache-2.0"
