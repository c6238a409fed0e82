"""Options that several verbs share, so that they are named and explained alike."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output

if TYPE_CHECKING:
    from selfedit.memory import Access

StoreDir = Annotated[Path, typer.Option(help="The store.", show_default=False)]
Commit = Annotated[str, typer.Argument(help="A commit's id, or how it begins.", show_default=False)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
NoWait = Annotated[
    bool, typer.Option("--no-wait", help="Fail at once if another process writes; else wait for it.")
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def access(no_wait: bool, journal: str = "") -> Access:
    """How a verb that writes opens its store: it waits for another writer and says so, or fails at once."""
    from selfedit.memory import Access

    return Access(0.0 if no_wait else math.inf, output.say, journal)
