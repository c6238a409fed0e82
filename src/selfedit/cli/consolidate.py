"""`selfedit consolidate`: all live commits become one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import background, output
from selfedit.cli.learn import as_json, exit_code, show_report
from selfedit.cli.options import Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages
from selfedit.cli.wording import command

Apart = Annotated[
    bool, typer.Option("--background", help="Do it in a process of its own, and ask on meanwhile.")
]


def verb(
    store: StoreDir,
    apart: Apart = False,
    device: Device = "auto",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Train one adapter of all that was learned, and let it take the place of the commits.

    One model can be exported then. It takes as long as learning all of it again, without the writing.
    """
    if apart:
        return _begin(store, device, json)
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device, access=access(no_wait)) as memory:
        report = memory.consolidate(watch=stages.watch)
    if json:
        output.document(as_json(report))
    else:
        show_report(report, store)
    raise typer.Exit(exit_code(report))


def _begin(store: Path, device: str, json: bool) -> None:
    """Start it; what is wrong with the store is said now, not in a file."""
    from selfedit.consolidating import several
    from selfedit.store import Store

    with Store.open(store) as opened:
        several(opened)
    started = background.begin("consolidate", store, device)
    if json:
        return output.document(started)
    who = f"process {started.pid}" if started.pid else "the process that is at it already"
    print(f"This is done in the background by {who}, which writes to {store / started.log.name}")
    print(f"To see how it ended: {command('log', store=store)}, {command('quarantine', store=store)}")
