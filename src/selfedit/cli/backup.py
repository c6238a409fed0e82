"""`selfedit backup`: a whole copy of a store, made while it is in use."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir
from selfedit.cli.wording import count


def verb(
    target: Annotated[
        Path, typer.Argument(help="A new folder, which will be a store itself.", show_default=False)
    ],
    store: StoreDir,
    json: Json = False,
) -> None:
    """Copy a store as it stands, safely while another process learns. The copy is a store like any other."""
    from selfedit.store import Store

    with Store.open(store) as opened:
        made = opened.backup(target)
    if json:
        output.document(made)
    else:
        print(f"Copied to {made.path}: {count(made.blobs, 'adapter')}, {output.size(made.bytes)} in all.")
