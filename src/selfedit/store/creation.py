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
from selfedit.store.blobs import sync_folder
from selfedit.store.failures import explained
from selfedit.store.journal import Journal
from selfedit.store.lock import WriteLock

JOURNAL, RUNS, BLOBS, LOCK, HEADS = "journal.db", "runs.db", "blobs", "lock", "heads"


def is_store(path: Path) -> bool:
    """Does a store stand at `path`? Says nothing of whether it is a good one."""
    return os.path.isfile(path / JOURNAL)


def make(path: Path, meta: Mapping[str, str], verb: str, now: Callable[[], str]) -> WriteLock:
    """Make a store at `path`, missing folders above it too; returns its write lock, held.

    Raises StoreError where something else stands in its place or nothing can be written.
    """
    with explained("making the store", path):
        _refuse_occupied(path)
        _make_parents(path.parent)
        _sweep(path)
        building = path.parent / f".{path.name}.new-{uuid.uuid4().hex}"
        lock = None
        try:
            building.mkdir()
            lock = WriteLock.acquire(building / LOCK, verb)
            _fill(building, meta, now)
            _put_in_place(building, path)
        except BaseException:
            if lock:
                lock.release()
            shutil.rmtree(building, ignore_errors=True)
            raise
    return lock


def _refuse_occupied(path: Path) -> None:
    if is_store(path):
        raise StoreError(f"{path}: a store already; open it, or choose another place with --store")
    if path.is_dir() and any(path.iterdir()):
        raise StoreError(
            f"{path}: a folder with other things in it; choose an empty or a new one with --store"
        )
    for place in (path, *path.parents):
        if os.path.lexists(place) and not place.is_dir():
            raise StoreError(f"{place}: a file, where a folder is needed; choose another place with --store")


def _make_parents(folder: Path) -> None:
    """Make `folder` and what is missing above it, durably."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    for made in reversed(missing):
        sync_folder(made.parent)


def _sweep(path: Path) -> None:
    """Remove what makers that were killed left beside `path`: those whose lock nobody holds."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.new-*"):
        if not (left / LOCK).exists():
            continue
        try:
            lock = WriteLock.acquire(left / LOCK, "")
        except StoreBusyError:
            continue
        shutil.rmtree(left, ignore_errors=True)
        lock.release()


def _fill(folder: Path, meta: Mapping[str, str], now: Callable[[], str]) -> None:
    (folder / BLOBS).mkdir()
    journal = Journal.create(folder / JOURNAL, now)
    rows = [{"name": name, "value": value} for name, value in meta.items()]
    with journal.writing("making the journal") as connection:
        connection.execute(j.META.insert(), rows)
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
