"""A whole copy of a store, made while others read and write it.

The journal is copied as it stands at one moment, then every file that it names; the copy appears under its
name when it is whole and on the disk. Whatever the journal is kept in, the copy's is a file. Knows nothing of
what the rows mean.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from sqlalchemy import Connection, select
from sqlalchemy.exc import DBAPIError, OperationalError

from selfedit.errors import StoreError
from selfedit.store import creation
from selfedit.store import journal as j
from selfedit.store.blobs import Blobs, sync_folder
from selfedit.store.databases import sqlite_engine
from selfedit.store.failures import explained
from selfedit.store.journal import Journal
from selfedit.store.rows import Backup

_ATTEMPTS = 3
"""A journal that names a blob which was erased meanwhile is copied again, so often at most."""
_ROWS = 1000


@dataclass(frozen=True, slots=True)
class Original:
    """The store to be copied: its folder, its journal, and the time."""

    folder: Path
    journal: Journal
    now: Callable[[], str]


def back_up(store: Original, target: Path) -> Backup:
    """Copy the store to `target`, which is missing or empty. Raises StoreError."""
    creation.refuse_occupied(target, "name an empty or a new folder for the copy")
    if target.is_relative_to(store.folder):
        raise StoreError(f"{target}: inside the store that it is to be a copy of; name a folder elsewhere")
    with explained("copying the store", target):
        creation.build(target, "backup", lambda folder: _fill(folder, store, target)).release()
        sizes = [each.stat().st_size for each in target.rglob("*") if each.is_file()]
    return Backup(target, len(list(target.glob(f"{creation.BLOBS}/*/*"))), sum(sizes))


def _fill(folder: Path, store: Original, target: Path) -> None:
    (folder / creation.BLOBS).mkdir()
    ours, theirs = Blobs(store.folder / creation.BLOBS), Blobs(folder / creation.BLOBS)
    missing = list[str]()
    for _ in range(_ATTEMPTS):
        with store.journal.reading() as connection, explained("copying the store", target):
            named = _copy_journal(connection, folder / creation.JOURNAL, store.now)
        missing = [digest for digest in sorted(named) if not theirs.take(digest, ours)]
        theirs.keep_only(named)
        if not missing:
            break
    else:
        what = f"{ours.path(missing[0])}: missing, so there can be no whole copy"
        raise StoreError(f"{what}; put it back from an earlier one, if `selfedit verify` misses it too")
    theirs.sync()
    _copy_runs(store.folder / creation.RUNS, folder / creation.RUNS)
    sync_folder(folder)


def _copy_journal(connection: Connection, target: Path, now: Callable[[], str]) -> set[str]:
    """Copy the journal into a new file; returns the names of the blobs that a store with this journal has."""
    target.unlink(missing_ok=True)
    # Asked first, so that this and the copy are of one moment: nothing is locked before something is read.
    kept = select(j.ADAPTERS.c.blob).where(j.ADAPTERS.c.erased.is_(None))
    named = set(connection.execute(kept).scalars())
    if connection.dialect.name == "sqlite":
        _copy_pages(connection, target)
    else:
        _copy_rows(connection, target, now)
    return named


def _copy_pages(connection: Connection, target: Path) -> None:
    """Copy a SQLite database as `connection` sees it into a new file, durably."""
    try:
        with closing(sqlite3.connect(target, isolation_level=None)) as copy:
            copy.execute("PRAGMA synchronous=OFF").close()
            cast(sqlite3.Connection, connection.connection.driver_connection).backup(copy)
    except sqlite3.Error as error:
        raise OperationalError("copying a database", None, error) from error
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _copy_rows(connection: Connection, target: Path, now: Callable[[], str]) -> None:
    """Copy a journal that is kept elsewhere, row by row, into a new file, durably."""
    copy = Journal.create(target, now)
    with copy.writing("copying the journal") as into:
        for table in j.METADATA.tables.values():
            order = table.c.seq if "seq" in table.c else None
            rows = connection.execute(select(table).order_by(order), execution_options={"yield_per": _ROWS})
            for some in rows.mappings().partitions():
                into.execute(table.insert(), [dict(row) for row in some])
    copy.close()


def _copy_runs(source: Path, target: Path) -> None:
    if not source.exists():
        return
    try:
        with sqlite_engine(source, write=False).connect() as connection, connection.begin():
            _copy_pages(connection, target)
    except DBAPIError:
        target.unlink(missing_ok=True)
        if source.exists():  # it may be dropped at any time
            raise
