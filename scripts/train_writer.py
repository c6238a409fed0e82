"""Train the question writer that ships with the built-in model: a small LoRA, by our own engine.

    SELFEDIT_DATA=DIR python scripts/train_writer.py OUT [--dtype bfloat16]

Rows: a person's question to (title, sentence, answer), twice; and, once, the answer to that question with the
sentence in view, which is how pairs are checked. Titles of the reporting passages are never among them.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path

import safetensors.torch
import torch

from selfedit.edits import writer
from selfedit.engine import Adapter, Engine
from selfedit.tasks import read_squad
from selfedit.types import Sequence, Task, TrainingPlan


def rows(tasks: list[Task]) -> tuple[Sequence, ...]:
    """Training rows of the writer and of the checker."""
    asking = writer.training_rows(tasks)
    return (*asking, *asking, *(checking(row) for row in asking))


def checking(row: Sequence) -> Sequence:
    """The row that answers what `row` asks: the same lines, question and answer changed about."""
    *head, text, answer, _ = row.prompt.split("\n")
    topic = head[0].removeprefix("Topic: ") if head else ""
    sentence = text.removeprefix("Text: ")
    prompt = writer.check_prompt(sentence, row.completion.strip(), topic)
    return Sequence(prompt, " " + answer.removeprefix("Answer: "))


def main() -> None:
    """Train, and write the adapter in bfloat16."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFEDIT_DATA", "data")))
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--threads", type=int)
    given = parser.parse_args()
    tasks = [
        t for name in ("train", "train_extra") for t in read_squad(given.data / "squad" / f"{name}.json")
    ]
    engine = Engine.load("smollm2-135m", dtype=given.dtype)
    engine.threads = given.threads or engine.threads
    plan = TrainingPlan(
        rows(tasks), rank=16, alpha=32, learning_rate=1e-3, epochs=1, batch_size=16, warmup=0.05, dropout=0.0
    )
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        print(f"{done}/{total} tokens, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    (adapter,) = engine.train([plan], progress)
    if not isinstance(adapter, Adapter):
        sys.exit(f"training failed: {adapter.what}")
    folder = adapter.save(given.out)
    halves = {f"base_model.model.{name}": t.to(torch.bfloat16) for name, t in adapter.tensors().items()}
    safetensors.torch.save_file(halves, folder / "adapter_model.safetensors", metadata={"format": "pt"})
    loss = sum(adapter.losses[-20:]) / 20
    print(f"{len(plan.sequences)} rows, loss {loss:.3f}, {time.monotonic() - began:.0f} s")


if __name__ == "__main__":
    main()
