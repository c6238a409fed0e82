"""`selfedit quarantine`: what the gate held back, why, and how to decide."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir
from selfedit.cli.wording import command, count, files, short, when

if TYPE_CHECKING:
    from selfedit.memory import Candidate


def verb(
    store: StoreDir,
    every: Annotated[bool, typer.Option("--all", help="What was decided on, too.")] = False,
    json: Json = False,
) -> None:
    """List what the gate held back and nobody has decided on, with the reasons."""
    from selfedit.memory import Memory

    with Memory.open(store) as memory:
        found = memory.quarantine(every=every)
    if json:
        output.document([as_json(each) for each in found])
        return
    for each in found:
        print(f"{short(each.id)}  {when(each.time)}  {files(each.sources)}  ({_state(each)})")
        for reason in each.reasons:
            print(f"  - {reason}")
    waiting = [each for each in found if each.state == "waiting"]
    if waiting:
        first = short(waiting[0].id)
        print(
            f"\n{count(len(waiting), 'candidate')} waiting. To let one in all the same, or decide against it:"
        )
        print(f"  {command('approve', first, store=store)}")
        print(f"  {command('reject', first, store=store)}")
    elif not found:
        print("Nothing is held back.")


def _state(candidate: Candidate) -> str:
    what = "trained" if candidate.trained else "not trained"
    return what if candidate.state == "waiting" else f"{what}, {candidate.state}"


def as_json(candidate: Candidate) -> dict[str, Any]:
    """A candidate for programs."""
    return {
        "id": candidate.id,
        "state": candidate.state,
        "time": candidate.time,
        "reasons": candidate.reasons,
        "sources": candidate.sources,
        "trained": candidate.trained,
    }
