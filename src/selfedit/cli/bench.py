"""`selfedit bench`: benchmarks against named rivals, in the same run on the same work."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output


class Name(StrEnum):
    train = "train"
    generate = "generate"
    score = "score"
    trial = "trial"


Count = Annotated[int | None, typer.Option(show_default=False)]


def verb(
    name: Annotated[Name, typer.Argument(help="What to measure.", show_default=False)],
    base: Annotated[str, typer.Option(help="Built-in name, hub name, folder or GGUF file.")] = "smollm2-135m",
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with squad/train.json; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Random-word texts, no data.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds, to see that it works.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    plans: Count = None,
    sequences: Count = None,
    epochs: Count = None,
    rank: Count = None,
    subset: Count = None,
    requests: Count = None,
    max_tokens: Count = None,
    json: Annotated[bool, typer.Option("--json", help="One JSON array on standard output.")] = False,
) -> None:
    """Measure one verb against its rivals. The rivals do the same work with PEFT and transformers alone."""
    from selfedit.bench import markdown, run, settings_for

    folder = str(data) if data else os.environ.get("SELFEDIT_DATA")
    settings = settings_for(
        name.value, quick=quick, base=base, data=folder, synthetic=synthetic, device=device, dtype=dtype,
        plans=plans, sequences=sequences, epochs=epochs, rank=rank, subset=subset, requests=requests,
        max_tokens=max_tokens,
    )  # fmt: skip
    rows = [row.as_json() for row in run(settings)]
    if json:
        output.document(rows)
    else:
        print(markdown(rows))
