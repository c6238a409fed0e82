"""`selfedit export`: the model for other programs, with a card that says what it learned."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json, StoreDir
from selfedit.cli.progress import Stages
from selfedit.cli.wording import count, short

if TYPE_CHECKING:
    from selfedit.exporting import Exported


def verb(
    folder: Annotated[Path, typer.Argument(help="A new folder, or an empty one.", show_default=False)],
    store: StoreDir,
    at: Annotated[
        str | None, typer.Option(help="As of this commit (or how its id begins).", show_default=False)
    ] = None,
    form: Annotated[
        str, typer.Option(help="merged: a whole model. lora: one LoRA. adapters: each as it was trained.")
    ] = "merged",
    rank: Annotated[
        int | None, typer.Option(help="Of one LoRA, at most. Unset: nothing is lost.", show_default=False)
    ] = None,
    error: Annotated[
        float | None,
        typer.Option(
            help="Of one LoRA: the least rank that is off by no more in any layer.", show_default=False
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Of a merged model: float32, bfloat16 or float16. Unset: as it is computed here.",
            show_default=False,
        ),
    ] = None,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Write the model to FOLDER, to be loaded with transformers or PEFT, or converted for other engines."""
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device) as memory:
        done = memory.export(
            folder, form=form, at=at, rank=rank, error=error, dtype=dtype, watch=stages.watch
        )
    if json:
        output.document(done)
    else:
        show(done)


def show(done: Exported) -> None:
    """What was written, what it lost, and where to read on."""
    from selfedit.model_card import lora_lines

    what = {"merged": "the whole model", "lora": "one LoRA", "adapters": count(len(done.adapters), "adapter")}
    files = count(done.files, "file")
    print(f"Wrote {what[done.form]} to {done.folder}: {output.size(done.bytes)} in {files}.")
    print(f"Holds {count(len(done.commits), 'commit')} on {done.base}; README.md says how to load it.")
    if done.lora:
        for line in lora_lines(done.lora, done.probes):
            print(f"- {line}")
    if done.stale:
        print(
            f"- not yet retrained after a revert, so that traces of it may remain: "
            f"{', '.join(map(short, done.stale))} (`selfedit retrain` does it)"
        )
