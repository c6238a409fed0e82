"""`selfedit revert`: take a commit out of the model, or one file out of a commit."""

from __future__ import annotations

from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import background, output
from selfedit.cli.background import Background
from selfedit.cli.options import Commit, Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages
from selfedit.cli.retrain import exit_code, retraining_lines
from selfedit.cli.wording import command, count, files, short
from selfedit.errors import StoreError

if TYPE_CHECKING:
    from selfedit.store import CommitRow
    from selfedit.undoing import Undone

Source = Annotated[
    str | None,
    typer.Option(help="Take out this file alone: the commit is trained anew without it.", show_default=False),
]
Now = Annotated[
    bool,
    typer.Option("--now", help="Wait for the retraining and the proof; else it goes on in the background."),
]


def verb(
    commit: Commit,
    store: StoreDir,
    source: Source = None,
    now: Now = False,
    device: Device = "auto",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Take a commit out of the model at once; where others were trained on top of it, they are trained again.

    What answers alone (as commits do unless --retention says otherwise) leaves nothing to train.
    Nothing is deleted: `selfedit rollback` leads back, `selfedit gc --erase` erases for good.
    """
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device, access=access(no_wait)) as memory:
        done = memory.revert(commit, source=source, now=now, watch=stages.watch)
        rows = {row.id: row for row in memory.log()}
    started = None if now else in_background(done.stale, store, device)
    if json:
        output.document({**output.plain(done), "background": started})
    else:
        _tell(done, rows, source, store)
        if started:
            _tell_of(started, store)
    raise typer.Exit(exit_code(done))


def in_background(stale: Items[str], store: Path, device: str) -> Background | None:
    """Start the retraining of what is stale. Where that cannot be, the revert stands all the same: a note."""
    try:
        return background.begin("retrain", store, device) if stale else None
    except StoreError as error:
        output.say(f"selfedit: {error}; to retrain: {command('retrain', store=store)}")
        return None


def _tell(done: Undone, rows: dict[str, CommitRow], source: str | None, store: Path) -> None:
    left = count(sum(row.live for row in rows.values()), "live commit")
    for commit in done.reverted:
        what = _named(rows[commit])
        print(f"Out of the model: {f'{source}, of {what}' if source else what}. It now has {left}.")
    print("".join(f"{line}\n" for line in retraining_lines(done)), end="")
    if done.stale:
        print(f"To be trained again, for resting on what is out: {_list(done.stale, rows)}.")
        print("Until then it answers as before, and may hold traces of what is out.")
    elif done.reverted and not done.proofs:
        print(f"Nothing rests on it. To prove that it is out: {command('retrain', store=store)}")


def _tell_of(started: Background, store: Path) -> None:
    who = f"process {started.pid}" if started.pid else "the process that is at it already"
    print(f"This is done in the background by {who}, which writes to {store / started.log.name}")
    print(f"To wait for it: {command('retrain', store=store)}")


def _named(row: CommitRow) -> str:
    return f"{short(row.id)} ({files(row.sources)})"


def _list(commits: Items[str], rows: dict[str, CommitRow]) -> str:
    return ", ".join(_named(rows[each]) for each in commits)
