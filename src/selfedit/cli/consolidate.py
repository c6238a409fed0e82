"""`selfedit consolidate`: all live commits become one."""

from __future__ import annotations

import typer

from selfedit.cli import output
from selfedit.cli.learn import as_json, exit_code, show_report
from selfedit.cli.options import Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages


def verb(
    store: StoreDir,
    device: Device = "auto",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Train one adapter of all that was learned, and let it take the place of the commits.

    One model can be exported then. It takes as long as learning all of it again, without the writing.
    """
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device, access=access(no_wait)) as memory:
        report = memory.consolidate(watch=stages.watch)
    if json:
        output.document(as_json(report))
    else:
        show_report(report, store)
    raise typer.Exit(exit_code(report))
