"""`selfedit sources`: every version of every document that a store has learned."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Any

from selfedit.cli import output
from selfedit.cli.options import Json, StoreDir
from selfedit.cli.wording import command, short, when
from selfedit.states import State, states

if TYPE_CHECKING:
    from selfedit.store import CommitRow, SourceRow

SHA = 12


def verb(store: StoreDir, json: Json = False) -> None:
    """List the documents that were learned: which version, by which commit, and whether it is live.

    A file with the SHA-256 of a live version is skipped by `learn`; one that differs is learned in its place.
    """
    from selfedit.store import Store

    with Store.open(store) as opened:
        rows = {row.id: row for row in opened.log()}
        known = versions(opened.known_sources())
        found = states(opened, tuple(rows.values()))
    if json:
        output.document([as_json(each, rows[each.commit], found[each.commit]) for each in known])
    else:
        _tell(known, rows, found, store)


def versions(sources: Items[SourceRow]) -> list[SourceRow]:
    """One row for each version of each document: that of the live commit, or of the newest. Newest first."""
    chosen: dict[tuple[str, str, str | None], SourceRow] = {}
    for each in sources:
        key = (each.path, each.sha256, each.place)
        if key not in chosen or (each.live and not chosen[key].live):
            chosen[key] = each
    return list(chosen.values())


def as_json(source: SourceRow, row: CommitRow, state: State) -> dict[str, Any]:
    """A version of a document, and the commit that holds it or held it last."""
    return {
        "path": source.path,
        "place": source.place,
        "sha256": source.sha256,
        "bytes": source.bytes,
        "commit": source.commit,
        "time": row.time,
        "live": source.live,
        "state": state.name,
        "replaced_by": state.replaced_by,
    }


def _tell(known: Items[SourceRow], rows: dict[str, CommitRow], found: dict[str, State], store: Path) -> None:
    if not known:
        print(f"No document has been learned yet. To begin: {command('learn', 'FILE', store=store)}")
        return
    places = defaultdict[str, set[str | None]](set)
    for each in known:
        places[each.path].add(each.place)
    output.listing(
        ["document", "SHA-256", "size", "commit", "when", "state"],
        [
            [
                each.place if each.place and len(places[each.path]) > 1 else each.path,
                each.sha256[:SHA],
                output.size(each.bytes),
                short(each.commit),
                when(rows[each.commit].time),
                str(found[each.commit]),
            ]
            for each in known
        ],
        flexible=0,
    )
