"""`selfedit reject`: what the gate held back stays out."""

from __future__ import annotations

from typing import Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, NoWait, StoreDir, access
from selfedit.cli.quarantine import as_json
from selfedit.cli.wording import command, short


def verb(
    candidate: Annotated[str, typer.Argument(help="How its id begins.", show_default=False)],
    store: StoreDir,
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Decide against what was held back. Nothing is deleted; `selfedit gc --erase` does that."""
    from selfedit.memory import Memory

    with Memory.open(store, access=access(no_wait)) as memory:
        found = memory.reject(candidate)
    if json:
        output.document(as_json(found))
        return
    print(f"Rejected: {short(found.id)}. The model is as it was.")
    if found.trained:
        erase = command("gc", "--erase", short(found.id), store=store)
        print(f"To remove its texts and weights for good:  {erase}")
