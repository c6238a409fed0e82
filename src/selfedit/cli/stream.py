"""`selfedit stream`: documents learned one after another by several methods, and what is kept of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.eval import check_store
from selfedit.cli.options import Device, Json, NoWait, access
from selfedit.cli.progress import Stages
from selfedit.cli.solved import figure
from selfedit.cli.tracking import Track, Tracking
from selfedit.cli.wording import count, share, span

if TYPE_CHECKING:
    from selfedit.config.streaming import StreamRecipe
    from selfedit.streaming import Figure, StreamRow, StreamTable

NOTHING_LEARNED = 1


def verb(
    recipe: Annotated[
        str, typer.Argument(help="A recipe that ships, by name, or a YAML file.", show_default=False)
    ],
    store: Annotated[
        Path, typer.Option(help="Where everything is kept; made if it is not there.", show_default=False)
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that the recipe's paths begin at; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    methods: Annotated[
        str, typer.Option(help="By name, commas between. Unset: the recipe's.", show_default=False)
    ] = "",
    sequences: Annotated[
        int | None,
        typer.Option(help="Only the first so many of the recipe's.", min=1, show_default=False),
    ] = None,
    device: Device = "auto",
    dtype: Annotated[
        str | None,
        typer.Option(help="Of a new store: auto, float32 or bfloat16.", show_default="auto"),
    ] = None,
    track: Track = "",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Learn documents one after another, and measure after each what is still known of those before.

    Methods stand side by side, on the same documents and self-edits, with the model that was never edited
    and, as the ceiling, one adapter of all documents at once.
    Every step is kept in the store when it has ended: broken off at any point, it goes on where it was when
    it is called again; a method may be added later, and nothing is computed twice. Exit code 1: a method
    could not learn anything at all.
    """
    from selfedit.memory import Memory
    from selfedit.recipes import load_stream
    from selfedit.streaming import Wanted, stream

    held = load_stream(recipe)
    folder = data or (Path(found) if (found := os.environ.get("SELFEDIT_DATA")) else None)
    names = tuple(name.strip() for name in methods.split(",") if name.strip())
    wanted = Wanted(held, folder, names, sequences)
    wanted.check()
    check_store(store, held.base, dtype)
    with (
        Tracking(track, f"stream {recipe}", held.model_dump(mode="json")) as tracking,
        Stages() as stages,
        Memory.open_or_make(store, held.base, device=device, dtype=dtype, access=access(no_wait)) as memory,
    ):
        table = stream(memory, wanted, watch=stages.watch)
        for row in table.rows:
            tracking.log(as_figures(row), 0, f"stream/{row.method}/")
    if json:
        output.document({"methods": list(table.rows)})
    else:
        _tell(table, held)
    nothing = any(row.failures == row.sequences * row.documents for row in table.rows)
    raise typer.Exit(NOTHING_LEARNED if nothing else 0)


def as_figures(row: StreamRow) -> dict[str, Any]:
    """What a tracker is told of a row."""
    groups = {name: getattr(row, name) for name in ("just_learned", "after_last", "kept", "backward")}
    found = {f"{group}/{name}": each.value for group, held in groups.items() for name, each in held.items()}
    return found | {"tokens": row.tokens, "seconds": row.seconds, "bytes": row.bytes}


# -- for people ------------------------------------------------------------------------------------------


def _tell(table: StreamTable, recipe: StreamRecipe) -> None:
    rows = table.rows
    aloud = recipe.accuracy != "off"
    first = next((row.method for row in rows[1:]), "the first")
    if aloud:
        _answered(rows, first)
    _likely(rows, first)
    print(
        f"{count(rows[0].sequences, 'sequence')} of {count(rows[0].documents, 'document')}, "
        f"{rows[0].questions:,} questions. Means over documents, [95% interval]; differences are paired."
    )
    if aloud:
        print(
            f"Concise answers, by the grader {recipe.grader}; accuracy and mismatch (what answers to other "
            "questions earn) after the last document."
        )
    print("Tokens and seconds of learning and bytes kept, a document; log-probabilities in nats a token.")
    for row in rows:
        for line in _more(row):
            print(f"{row.method}: {line}")


def _answered(rows: Items[StreamRow], first: str) -> None:
    heads = ("method", "just learned", "after the last", "kept", "less base", f"less {first}")
    output.table(
        [*heads, "accuracy", "mismatch"],
        [
            (
                row.method,
                _figure(row.just_learned, "concise"),
                _figure(row.after_last, "concise"),
                _figure(row.kept, "concise"),
                _figure(row.against_base, "concise", signed=True),
                _figure(row.against_first, "concise", signed=True),
                _figure(row.after_last, "accuracy"),
                _figure(row.after_last, "mismatch", bare=True),
            )
            for row in rows
        ],
    )


def _likely(rows: Items[StreamRow], first: str) -> None:
    heads = ("log-probability", "just learned", "after the last", "gain kept", "backward", "forward")
    output.table(
        [*heads, f"less {first}", "tokens", "time", "bytes"],
        [
            (
                row.method,
                _figure(row.just_learned, "logprob"),
                _figure(row.after_last, "logprob"),
                _figure(row.kept, "logprob"),
                _figure(row.backward, "logprob", signed=True),
                _figure(row.forward, "logprob", signed=True),
                _figure(row.against_first, "logprob", signed=True),
                f"{row.tokens:,.0f}",
                span(row.seconds),
                output.size(row.bytes),
            )
            for row in rows
        ],
    )


def _figure(held: Mapping[Any, Figure], name: str, *, signed: bool = False, bare: bool = False) -> str:
    found = held.get(name)
    return "-" if found is None else figure(found.value, None if bare else found.ci95, signed=signed)


def _more(row: StreamRow) -> list[str]:
    """What a table has no room for."""
    told: list[str] = []
    if (sung := row.canaries) is not None and row.method != "base":
        known = (
            f"{figure(sung.right.value, sung.right.ci95)} still right, "
            if sung.right.value is not None
            else ""
        )
        told.append(
            f"canaries: {known}log-probability {figure(sung.logprob.value, sung.logprob.ci95, signed=True)}"
        )
    if row.routed:
        each = ", ".join(f"{name} {figure(x.value, x.ci95)}" for name, x in row.routing.items())
        told.append(f"the document found by {row.routed}; of all questions: {each}")
    if row.scales:
        told.append(f"scales: {', '.join(share(scale) for scale in row.scales)}")
    trouble = {
        "failed training": row.failures,
        "dropped adapter": row.dropped,
        "unusable self-edit": row.unusable,
        "document with collapsed answers": row.collapsed,
    }
    named = [f"{number} x {what}" for what, number in trouble.items() if number]
    return [*told, *([", ".join(named)] if named else [])]
