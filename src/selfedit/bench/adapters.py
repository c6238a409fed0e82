"""Random adapters on disk in PEFT's layout, so that every side loads the very same files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from peft import get_peft_model
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM

from selfedit.bench.rivals import lora_config
from selfedit.types import TrainingPlan

SCALE = 0.01
"""Standard deviation of B: far enough from nought to change answers, near enough to keep text."""


def skeleton(config: Any, plan: TrainingPlan) -> Any:
    """The PEFT model of a plan without storage."""
    with torch.device("meta"):
        return get_peft_model(AutoModelForCausalLM.from_config(config), lora_config(plan))


def lora_weights(config: Any, plan: TrainingPlan) -> int:
    """Weights of one adapter."""
    return sum(value.numel() for value in skeleton(config, plan).parameters() if value.requires_grad)


def write_random(config: Any, plan: TrainingPlan, folder: Path, count: int) -> list[str]:
    """Write `count` adapters of the plan's rank and modules; their folders. Equal arguments, equal files."""
    model = skeleton(config, plan)
    shapes = {
        name.replace(".default.", "."): tuple(value.shape)
        for name, value in model.named_parameters()
        if value.requires_grad
    }
    folders = [folder / f"adapter-{i}" for i in range(count)]
    for number, target in enumerate(folders):
        target.mkdir(parents=True, exist_ok=True)
        save_file(_draw(shapes, plan.seed + number), target / "adapter_model.safetensors", {"format": "pt"})
        model.peft_config["default"].save_pretrained(str(target))
    return [str(target) for target in folders]


def _draw(shapes: dict[str, tuple[int, ...]], seed: int) -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return {
        name: torch.randn(shape, generator=generator) * (shape[1] ** -0.5 if "lora_A" in name else SCALE)
        for name, shape in shapes.items()
    }
