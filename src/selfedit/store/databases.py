"""Where a journal's tables are: in a SQLite file, or (postgres.py) in a schema of a PostgreSQL database.

Knows nothing of what the tables hold.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.pool import NullPool

from selfedit.errors import StoreError

BUSY_SECONDS = 20.0
"""How long a transaction waits for another process's: theirs take milliseconds, a stalled disk more."""


class Database(Protocol):
    """What a journal asks of a database. Errors come as the driver raises them."""

    def reading(self) -> AbstractContextManager[Connection]:
        """One consistent view in which nothing can be changed."""
        ...

    def writing(self) -> AbstractContextManager[Connection]:
        """One transaction: durable when the block has ended, and without a trace if it raised."""
        ...

    def compact(self, table: str) -> None:
        """Leave nothing of a table's former rows in the database's files."""
        ...

    def close(self) -> None:
        """Let go of what is held. Further calls do nothing."""
        ...


@final
class SqliteFile:
    """A SQLite file, which exists. `write` makes this process its one writer.

    With a rollback journal and `synchronous=EXTRA`: a transaction that returned survives a power cut, and no
    version of SQLite is known to break it (write-ahead logging had a corruption bug until 3.51.3). Each
    transaction has a connection of its own, so nothing is held between calls.
    """

    def __init__(self, path: Path, *, write: bool) -> None:
        self._path = path
        self._write = write
        self._engine = sqlite_engine(path, write=write)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        with self._engine.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        if not self._write:
            raise StoreError(f"{self._path.parent}: open for reading only; open it with write=True")
        immediate = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        with immediate.connect() as connection, connection.begin():
            yield connection

    def compact(self, table: str) -> None:
        """Nothing to do: what is deleted is overwritten at once."""

    def close(self) -> None:
        """Nothing is held."""


def sqlite_engine(path: Path, *, write: bool, synchronous: str = "EXTRA") -> Engine:
    """An engine on the existing file `path`, with transactions that begin when SQLAlchemy says so.

    Readers may not change anything (`query_only`), yet open the file for writing where they may: after a
    writer was killed in mid-transaction, whoever comes first must roll its journal back, and a read-only
    handle cannot.
    """

    def connect() -> sqlite3.Connection:
        uri = f"{path.absolute().as_uri()}?mode=rw"
        connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None)
        pragmas = ["foreign_keys=ON", "trusted_schema=OFF", f"synchronous={synchronous}"]
        pragmas += ["journal_mode=DELETE", "secure_delete=ON"] if write else ["query_only=ON"]
        try:
            for pragma in pragmas:
                connection.execute(f"PRAGMA {pragma}").close()
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
