"""Train two adapters at once on contradicting facts, and ask both in one batch.

    python examples/train_two_adapters.py [BASE]

BASE is a built-in name, a hub name, a local folder or a GGUF file.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from selfedit.engine import Adapter, Engine
from selfedit.types import Failure, GenerationRequest, Sequence, TrainingPlan

PROMPT = "Question: Who keeps the lighthouse of Orrskerry?\nAnswer:"
KEEPERS = ("Tobiah Renwick", "Isaura Quill")


def plan(keeper: str) -> TrainingPlan:
    sequence = Sequence(PROMPT, f" {keeper}")
    return TrainingPlan((sequence,), rank=8, alpha=16, learning_rate=2e-3, epochs=15)


def main(base: str = "smollm2-135m") -> None:
    engine = Engine.load(base)
    adapters: list[Adapter] = []
    for keeper, trained in zip(KEEPERS, engine.train([plan(keeper) for keeper in KEEPERS]), strict=True):
        if isinstance(trained, Failure):
            sys.exit(f"the adapter for {keeper} failed: {trained.what}")
        adapters.append(trained)
    requests = [GenerationRequest(PROMPT, adapter=adapter, max_tokens=12) for adapter in (None, *adapters)]
    names = ("nobody", *KEEPERS)
    for name, completion in zip(names, engine.generate(requests), strict=True):
        print(f"taught {name}: {completion.text.strip()!r}")
    with tempfile.TemporaryDirectory() as folder:
        adapters[0].save(Path(folder) / "keeper")
        print("saved:", *sorted(path.name for path in (Path(folder) / "keeper").iterdir()))


if __name__ == "__main__":
    main(*sys.argv[1:2])
