"""Make the writer that ships of a run's policy: one LoRA for the warm start and all rounds.

    SELFEDIT_DATA=DIR python scripts/ship_writer.py RECIPE STORE OUT [--rounds N] [--rank 16]

The sum of the shipped writer and of what the rounds made of it has a higher rank than either; the nearest
adapter of the given rank takes its place, in bfloat16, and how far it is off is printed.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

import safetensors.torch
import torch

from selfedit.engine import Adapter
from selfedit.engine.lowrank import summed
from selfedit.memory import Memory
from selfedit.recipes import load_recipe
from selfedit.reinforcing import campaign
from selfedit.store import Store


def main() -> None:
    """Sum, cut, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("recipe")
    parser.add_argument("store", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFEDIT_DATA", "data")))
    parser.add_argument("--rounds", type=int, help="only the first so many")
    parser.add_argument("--rank", type=int, default=16)
    given = parser.parse_args()
    recipe = load_recipe(given.recipe)
    with Memory.open(given.store) as memory, Store.open(given.store) as store:
        made = campaign(store, memory.worker, recipe, given.data).policies
        last = given.rounds or max(made, default=0)
        head = made.get(last)
        if head is None:
            sys.exit(f"{given.store}: no policy after round {last} of {given.recipe}; selfedit train first")
        parts = [each for each in head.adapters if isinstance(each, Adapter)]
        found = summed(parts, rank=given.rank, base=recipe.base)
    folder = found.adapter.save(given.out)
    halves = {f"base_model.model.{name}": t.to(torch.bfloat16) for name, t in found.adapter.tensors().items()}
    safetensors.torch.save_file(halves, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    size = (folder / "adapter_model.safetensors").stat().st_size / 1e6
    print(
        f"{len(parts)} adapters of rank {found.full_rank} together → rank {found.adapter.rank}: "
        f"{found.overall:.1%} of the update is lost ({found.worst[1]:.1%} in {found.worst[0]}); {size:.1f} MB"
    )


if __name__ == "__main__":
    main()
