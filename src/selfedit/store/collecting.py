"""Removing for good what nobody needs, or what nobody may have any more.

The journal goes first and the files after it: a store that was killed in between verifies, and has files too
many, which the next collection removes. Knows nothing of what the texts say.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, select

from selfedit.store import erasing, history, rounds
from selfedit.store import journal as j
from selfedit.store.blobs import Blobs
from selfedit.store.failures import explained
from selfedit.store.journal import Journal
from selfedit.store.rows import Collected
from selfedit.store.runs import Runs


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a store that is open for writing."""

    journal: Journal
    blobs: Blobs
    runs: Runs
    heads: Path
    """The folder of cached heads."""
    logs: tuple[Path, ...]
    """What work in the background said."""


def collect(store: Parts, erase: Items[str], time: str) -> Collected:
    """Remove files that no row names or nobody finished, and the commits `erase` (ids, or how they begin).

    Raises StoreError, before anything is changed, if one of these may not be erased.
    """
    texts, weights = _erase(store, erase, time) if erase else (0, 0)
    with store.journal.reading() as connection:
        kept = select(j.ADAPTERS.c.blob).where(j.ADAPTERS.c.erased.is_(None))
        named = set(connection.execute(kept).scalars())
    store.blobs.sweep()
    removed = store.blobs.keep_only(named)
    store.journal.compact("texts")
    return Collected(len(removed), texts, weights, sum(removed) + _empty(store.heads))


def drop_run(connection: Connection, run: str, time: str) -> None:
    """Remove a run from the journal, in the caller's transaction. Raises StoreError if there is none."""
    rounds.check(connection, run)
    erasing.carry_out(connection, erasing.plan_run(connection, run), time)
    rounds.remove(connection, run)


def _erase(store: Parts, erase: Items[str], time: str) -> tuple[int, int]:
    with store.journal.reading() as connection:
        erasure = erasing.plan(connection, [history.find(connection, commit) for commit in erase])
    # Before the journal, which would not tell that this is still to be done.
    store.runs.drop()
    for log in store.logs:
        with explained("removing what was said in the background", log):
            log.unlink(missing_ok=True)
    with store.journal.writing("erasing") as connection:
        return erasing.carry_out(connection, erasure, time)


def _empty(folder: Path) -> int:
    """Remove all that is in a folder, and itself; returns how many bytes that were.

    A reader may come and go there meanwhile: it removes by itself what it makes of an erased adapter.
    """
    size = 0
    with explained("removing cached heads", folder):
        for each in sorted(folder.rglob("*"), reverse=True):
            with suppress(FileNotFoundError):
                if each.is_dir() and not each.is_symlink():
                    each.rmdir()
                else:
                    size += each.lstat().st_size
                    each.unlink()
    with suppress(OSError):
        folder.rmdir()
    return size
