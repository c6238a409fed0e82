"""`selfedit verify`: is everything in a store still as it was written?"""

from __future__ import annotations

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir
from selfedit.cli.wording import count

FOUND_PROBLEMS = 1


def verb(store: StoreDir, json: Json = False) -> None:
    """Hash every text and every adapter, and check the chain of commits. Changes nothing."""
    from selfedit.store import Store

    with Store.open(store) as opened:
        found = opened.verify()
    if json:
        output.document(found)
    elif found.ok:
        print(f"Whole: {count(found.checked, 'thing')} checked, each as it was written.")
    else:
        for problem in found.problems:
            print(f"- {problem}")
        print(f"{count(len(found.problems), 'problem')} among {count(found.checked, 'thing')} checked.")
        print("Put the store back from a backup; what was learned from whole texts can be learned again.")
    raise typer.Exit(0 if found.ok else FOUND_PROBLEMS)
