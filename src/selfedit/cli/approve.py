"""`selfedit approve`: what the gate held back becomes live all the same."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output
from selfedit.cli.learn import as_json, exit_code, show_report
from selfedit.cli.options import Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages
from selfedit.cli.wording import command, listed, short


def verb(
    candidate: Annotated[str, typer.Argument(help="How its id begins.", show_default=False)],
    store: StoreDir,
    device: Device = "auto",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Make live what was held back; what was refused before training is learned now, without the gate."""
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device, access=access(no_wait)) as memory:
        report = memory.approve(candidate, watch=stages.watch)
    if json:
        output.document(as_json(report))
    elif report.tasks:
        show_report(report, store)
    else:
        _tell(report.commits, store)
    raise typer.Exit(exit_code(report))


def _tell(commits: tuple[str, ...], store: Path) -> None:
    print(f"Live now: {listed(commits)}")
    for each in commits:
        print(f"To take it back:  {command('revert', short(each), store=store)}")
