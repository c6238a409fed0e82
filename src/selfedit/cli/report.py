"""`selfedit report`: all that a store holds as one HTML page, for people to look at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir


def verb(
    store: StoreDir,
    out: Annotated[Path, typer.Option(help="The page to write.")] = Path("report.html"),
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no page of ours.")] = False,
    json: Json = False,
) -> None:
    """Write one HTML page, for which no network is needed: rounds, tables, answers, history, cost, settings.

    Nothing is changed in the store, and no model is loaded.
    """
    from datetime import UTC, datetime

    from selfedit.report.writing import write

    written = write(store, out, datetime.now(UTC), force=force)
    if json:
        output.document({"page": written.page, "sections": written.sections, "bytes": written.bytes})
    else:
        print(written.holds)
        print(f"The page: {written.page} ({output.size(written.bytes)})")
