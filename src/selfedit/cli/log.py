"""`selfedit log`: every commit of a store, newest first."""

from __future__ import annotations

from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir
from selfedit.cli.wording import change, command, count, files, short, when
from selfedit.states import State, states

if TYPE_CHECKING:
    from selfedit.store import CommitRow


def verb(
    store: StoreDir,
    last: Annotated[
        int | None, typer.Option("--last", "-n", min=1, help="Only the newest so many.", show_default="all")
    ] = None,
    json: Json = False,
) -> None:
    """List what was learned, newest first: when, from what, what it did to recall, and where it stands."""
    from selfedit.store import Store

    with Store.open(store) as opened:
        rows = opened.log()
        found = states(opened, rows)
    shown = rows[:last]
    if json:
        output.document([as_json(row, found[row.id]) for row in shown])
    else:
        _tell(shown, found, store)


def as_json(row: CommitRow, state: State) -> dict[str, Any]:
    """A commit under the names that the command line promises, and more."""
    return {
        "commit": row.id,
        "parent": row.parent,
        "time": row.time,
        "sources": row.sources,
        "live": row.live,
        "recall_before": row.figures.recall_before,
        "recall_after": row.figures.recall_after,
        "concise_before": row.figures.concise_before,
        "concise_after": row.figures.concise_after,
        "state": state.name,
        "stale": state.name == "stale",
        "replaces": row.replaces,
        "replaced_by": state.replaced_by,
        "erased": row.erased,
        "seconds": row.cost.seconds,
        "tokens": row.cost.tokens,
    }


def _tell(rows: Items[CommitRow], found: dict[str, State], store: Path) -> None:
    if not rows:
        print(f"Nothing has been learned yet. To begin: {command('learn', 'FILE', store=store)}")
        return
    output.listing(
        ["commit", "when", "what", "recall", "state"],
        [
            [
                short(row.id),
                when(row.time),
                files(row.sources),
                change(row.figures.recall_before, row.figures.recall_after),
                str(found[row.id]),
            ]
            for row in rows
        ],
        flexible=2,
    )
    names = [state.name for state in found.values()]
    print(f"\n{count(len(names), 'commit')}, {names.count('live') + names.count('stale')} live.")
    if stale := names.count("stale"):
        print(f"{count(stale, 'commit')} to be retrained: {command('retrain', store=store)}")
