"""Bulk that work can bring back: samples, answers, verdicts, rows, each by the hash of what it depends on.

Lives in a database of its own, which may be dropped at any time: the next writer makes it anew, and a reader
without it finds nothing. Knows nothing of commits.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal, final

from sqlalchemy import Column, Connection, MetaData, Table, Text, inspect, select
from sqlalchemy.dialects import sqlite

from selfedit.errors import StoreError
from selfedit.store.blobs import sync_folder
from selfedit.store.databases import sqlite_engine
from selfedit.store.drafts import to_json
from selfedit.store.failures import explained

Kind = Literal["sample", "answer", "verdict", "row"]
"""A row is all of one method on one passage."""

_METADATA = MetaData()
_RESULTS = Table(
    "results",
    _METADATA,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
)


@final
class Runs:
    """The results in the file `path`, which need not exist."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._engines = {
            write: sqlite_engine(path, write=write, synchronous="NORMAL") for write in (True, False)
        }

    def put(self, kind: Kind, values: Mapping[str, Any]) -> None:
        """Keep JSON values by key, in one transaction; a key that is there already keeps its value."""
        rows = [{"kind": kind, "key": key, "value": to_json(value)} for key, value in values.items()]
        if rows:
            with self._connected("writing results", write=True) as connection:
                connection.execute(sqlite.insert(_RESULTS).on_conflict_do_nothing(), rows)

    def get(self, kind: Kind, key: str) -> Any | None:
        """The value under `key`, or None."""
        if not self._path.exists():
            return None
        with self._connected("reading results", write=False) as connection:
            if not inspect(connection).has_table(_RESULTS.name):
                return None  # its first writer was killed before it had made the table
            wanted = (_RESULTS.c.kind == kind) & (_RESULTS.c.key == key)
            value = connection.execute(select(_RESULTS.c.value).where(wanted)).scalar()
        return None if value is None else json.loads(value)

    def drop(self) -> None:
        """Remove all of it. Only the holder of the write lock may ask for it."""
        with contextlib.suppress(StoreError):
            self.get("sample", "")  # so that no transaction that was broken off is undone in a new file
        with explained("removing results", self._path):
            for path in (self._path.with_name(f"{self._path.name}-journal"), self._path):
                path.unlink(missing_ok=True)
            sync_folder(self._path.parent)

    @contextmanager
    def _connected(self, doing: str, *, write: bool) -> Generator[Connection]:
        hint = f"{doing} (runs.db may be deleted; it is made anew)"
        with explained(hint, self._path):
            if write and not self._path.exists():
                self._path.touch()
            with self._engines[write].connect() as connection, connection.begin():
                if write:
                    _METADATA.create_all(connection)
                yield connection
