"""`selfedit rollback`: the model as it was when a commit was learned, or forward again."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, NoWait, StoreDir, access
from selfedit.cli.wording import command, count, listed, short

if TYPE_CHECKING:
    from selfedit.undoing import Moved


def verb(
    commit: Annotated[
        str,
        typer.Argument(help="A commit's id, or how it begins; `base`: nothing learned.", show_default=False),
    ],
    store: StoreDir,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Make the model what it was when COMMIT was learned. Deletes nothing; a later commit leads forward."""
    from selfedit.memory import Memory

    with Memory.open(store, access=access(no_wait)) as memory:
        newest = next((row.id for row in memory.log()), None)
        moved = memory.rollback(commit)
    if json:
        output.document(moved)
    else:
        _tell(moved, newest, store)


def _tell(moved: Moved, newest: str | None, store: Path) -> None:
    point = (
        "before anything was learned" if moved.commit == "base" else f"when {short(moved.commit)} was learned"
    )
    print(f"The model is as it was {point}: {count(len(moved.live), 'live commit')}.")
    if not moved.left and not moved.joined:
        print("It was so already.")
    for what, commits in (("Out of it", moved.left), ("In it again", moved.joined)):
        if commits:
            print(f"{what}: {listed(commits)}")
    if newest and newest not in moved.live:
        print(f"Nothing was deleted. To go forward again: {command('rollback', short(newest), store=store)}")
