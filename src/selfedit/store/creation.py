"""Making a store's directory: whole, or not at all.

It is built under a hidden name beside its place, with the write lock held, and renamed. Knows nothing of what
the journal's rows mean.
"""

from __future__ import annotations

import errno
import glob
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path

from selfedit.errors import StoreBusyError, StoreError
from selfedit.store import journal as j
from selfedit.store.address import Address
from selfedit.store.blobs import sync_folder
from selfedit.store.failures import explained
from selfedit.store.hidden import alone
from selfedit.store.journal import ADDRESS, Journal
from selfedit.store.lock import WriteLock
from selfedit.store.postgres import Postgres

JOURNAL, RUNS, BLOBS, LOCK, HEADS = "journal.db", "runs.db", "blobs", "lock", "heads"
LOGS = "retrain.log", "consolidate.log"
"""What is said by work in the background."""


def is_store(path: Path) -> bool:
    """Does a store stand at `path`? Says nothing of whether it is a good one."""
    return os.path.isfile(path / JOURNAL) or os.path.isfile(path / ADDRESS)


def journal_at(path: Path) -> Path:
    """The journal of the store at `path`: its file, or the file that says in which database it is."""
    return path / (ADDRESS if os.path.isfile(path / ADDRESS) else JOURNAL)


def make(
    path: Path,
    meta: Mapping[str, str],
    verb: str,
    now: Callable[[], str],
    address: Address | None = None,
) -> WriteLock:
    """Make a store at `path`, missing folders above it too; returns its write lock, held.

    Its journal is a file in it, or tables at `address`. Raises StoreError where something else stands in its
    place or nothing can be written.
    """
    with explained("making the store", path):
        refuse_occupied(path, "choose an empty or a new place with --store")
        return build(path, verb, lambda folder: _fill(folder, meta, now, address), address)


def build(path: Path, verb: str, fill: Callable[[Path], None], address: Address | None = None) -> WriteLock:
    """Put the store that `fill` makes in a given folder at `path`; returns its write lock, held."""
    _make_parents(path.parent)
    building = path.parent / f".{path.name}.new-{uuid.uuid4().hex}"
    lock = None
    try:
        with alone(path.parent):
            _sweep(path)
            building.mkdir()
            lock = WriteLock.acquire(building / LOCK, verb)
        fill(building)
        _put_in_place(building, path)
    except BaseException:
        if lock:
            lock.release()
        _remove(building, address)
        raise
    return lock


def refuse_occupied(path: Path, remedy: str) -> None:
    """Raise StoreError where no store can be put because something else is there."""
    if is_store(path):
        raise StoreError(f"{path}: a store already; {remedy}")
    if path.is_dir() and any(path.iterdir()):
        raise StoreError(f"{path}: a folder with other things in it; {remedy}")
    for place in (path, *path.parents):
        if os.path.lexists(place) and not place.is_dir():
            raise StoreError(f"{place}: a file, where a folder is needed; {remedy}")


def _make_parents(folder: Path) -> None:
    """Make `folder` and what is missing above it, durably."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_folder(made.parent)


def _sweep(path: Path) -> None:
    """Remove what makers that were killed left beside `path`: those whose lock nobody holds."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.new-*"):
        try:
            lock = WriteLock.acquire(left / LOCK, "")
        except StoreBusyError:
            continue
        _remove(left)
        lock.release()


def _remove(building: Path, address: Address | None = None) -> None:
    """Remove an unfinished store: its tables elsewhere first, which only the folder can tell of."""
    try:
        if (building / ADDRESS).exists():
            Postgres.drop_unused(address or Address.read(building / ADDRESS), building / ADDRESS)
    except StoreError:
        return
    shutil.rmtree(building, ignore_errors=True)


def _fill(folder: Path, meta: Mapping[str, str], now: Callable[[], str], address: Address | None) -> None:
    (folder / BLOBS).mkdir()
    journal = Journal.create(folder / (ADDRESS if address else JOURNAL), now, address)
    try:
        rows = [{"name": name, "value": value} for name, value in meta.items()]
        with journal.writing("making the journal") as connection:
            connection.execute(j.META.insert(), rows)
    finally:
        journal.close()
    sync_folder(folder)


def _put_in_place(building: Path, path: Path) -> None:
    try:
        os.rename(building, path)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise StoreError(
                f"{path}: another process just made a store there; run the command again"
            ) from error
        raise
    sync_folder(path.parent)
