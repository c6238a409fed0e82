"""`selfedit gc`: make room, and erase for good what is no longer wanted."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, NoWait, StoreDir
from selfedit.cli.wording import count, listed
from selfedit.errors import StoreError

if TYPE_CHECKING:
    from selfedit.store import Collected, Store


def verb(
    store: StoreDir,
    erase: Annotated[
        list[str] | None,
        typer.Option(
            "--erase",
            metavar="COMMIT",
            help="Remove this commit's texts and weights for good; can be given again.",
            show_default=False,
        ),
    ] = None,
    drop_run: Annotated[
        list[str] | None,
        typer.Option(
            "--drop-run",
            metavar="RUN",
            help="Forget this run of `train`, its rounds and policies; can be given again.",
            show_default=False,
        ),
    ] = None,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Remove what nothing needs: caches, and files left by work that was broken off.

    With --erase also the texts and weights of a commit that was reverted, with --drop-run a run of `train`:
    its trials and self-edits stay. There is no way back from either.
    """
    from selfedit.store import Store

    wait = 0.0 if no_wait else math.inf
    with Store.open(store, write=True, verb="gc", wait=wait, waiting=output.say) as opened:
        runs = [_run(opened, each) for each in drop_run or ()]
        for run in dict.fromkeys(runs):
            opened.drop_run(run)
        erased = [opened.commit(each).id for each in erase or ()]
        collected = opened.gc(erase=erased)
    if json:
        output.document({**output.plain(collected), "erased": erased, "dropped": runs})
    else:
        if runs:
            print(f"Forgotten: {count(len(set(runs)), 'run')} of `selfedit train`.")
        _tell(collected, erased)


def _run(store: Store, name: str) -> str:
    """The id that begins like this. Raises StoreError where none or several do."""
    found = [run.id for run in store.runs() if name and run.id.startswith(name)]
    if len(found) == 1:
        return found[0]
    held = listed([run.id for run in store.runs()]) or "none"
    raise StoreError(f"run {name!r}: {len(found)} runs begin so; the store has: {held}")


def _tell(found: Collected, erased: list[str]) -> None:
    if erased:
        what = f"{count(found.texts, 'text')} and {count(found.weights, 'adapter')}"
        print(f"Erased for good, of {listed(erased)}: {what}.")
        print("Hashes and figures stay, so `selfedit verify` still holds. Copies elsewhere are out of reach.")
    print(f"Freed {output.size(found.bytes)} in {count(found.blobs, 'file')}.")
