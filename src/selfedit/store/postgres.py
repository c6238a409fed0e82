"""A journal's tables in one schema of a PostgreSQL database.

Readers see one snapshot in a read-only transaction, on a connection of their own for each. A writer has one
connection for its life, and an advisory lock that goes with it: whoever writes without the lock has no
connection to write on, on whatever machine. Connections go straight to the server (or through a pooler in
session mode). Knows nothing of what the tables hold.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import socket
import threading
import weakref
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, final

from sqlalchemy import Connection, Engine, TextClause, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from selfedit.errors import StoreBusyError, StoreError
from selfedit.store.address import Address
from selfedit.store.failures import explained, unreachable
from selfedit.store.lock import Holder, Turn, await_turn

GRACE_SECONDS = 3.0
"""How long a killed writer's server process may take to notice; a second writer is refused after that."""

_ALIVE = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
}
"""A server or a network that is gone is noticed within a minute, by both sides."""
_SESSION = {
    "client_min_messages": "warning",
    "statement_timeout": "600s",
    "lock_timeout": "20s",
    "idle_in_transaction_session_timeout": "600s",
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
}
"""Settings of each connection."""
_SINCE_14 = {"idle_session_timeout": "0", "client_connection_check_interval": "2s"}
_DURABLE = (
    "set_config('synchronous_commit', replace(current_setting('synchronous_commit'), 'off', 'on'), false)"
)
"""Whatever the server's habit: a transaction that returned is on its disk."""


@final
class Postgres:
    """A schema of a PostgreSQL database (a `databases.Database`).

    With a `turn` this process is its one writer.
    """

    def __init__(self, address: Address, place: Path, *, turn: Turn | None = None) -> None:
        """Raises StoreBusyError if another process, on whatever machine, is the writer."""
        self._place = place
        engine = create_engine(
            "postgresql+psycopg://",
            module=_driver(place),
            creator=lambda: _connected(address, place, turn.verb if turn else ""),
            poolclass=QueuePool,
            pool_size=1,
            max_overflow=-1,
            pool_pre_ping=True,
            use_native_hstore=False,
        )
        self._engine = engine
        self._schema = address.schema
        self._reader = engine.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
        try:
            self._writer = _Writer(engine, address.schema, place, turn) if turn else None
        except BaseException:
            engine.dispose()
            raise
        weakref.finalize(self, _let_go, engine, self._writer)

    @staticmethod
    def make(address: Address, place: Path, comment: str) -> None:
        """Write the new file `place`, and make the schema with nothing in it but a count of its writers."""
        with Postgres(address, place)._once("making the journal") as connection:
            _make_schema(connection, address, place)
            connection.exec_driver_sql(f"COMMENT ON SCHEMA {address.schema} IS '{comment}'")
            address.write(place)

    @staticmethod
    def check(address: Address, place: Path) -> None:
        """Raise StoreError where `make` would, if it can be told without making anything."""
        with Postgres(address, place)._once("making the journal") as connection:
            _make_schema(connection, address, place)
            connection.rollback()

    @staticmethod
    def drop_unused(address: Address, place: Path) -> None:
        """Remove the schema of a store that was never finished, unless anything was ever committed to it."""
        with Postgres(address, place)._once("removing an unfinished journal") as connection:
            moves = connection.exec_driver_sql("SELECT to_regclass('head_moves') IS NOT NULL").scalar_one()
            if not (moves and connection.exec_driver_sql("SELECT 1 FROM head_moves LIMIT 1").first()):
                connection.exec_driver_sql(f"DROP SCHEMA IF EXISTS {address.schema} CASCADE")

    @contextmanager
    def reading(self) -> Generator[Connection]:
        with self._reader.connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Generator[Connection]:
        if self._writer is None:
            raise StoreError(f"{self._place.parent}: open for reading only; open it with write=True")
        with self._writer.transaction() as connection:
            yield connection

    def compact(self, table: str) -> None:
        """Write the table anew (VACUUM FULL), so that no file of it holds the bytes of former rows.

        They remain in the server's write-ahead log until it is recycled, in its archives, replicas and
        backups, in a log of statements with their parameters if it keeps one, and in disk blocks that were
        freed. A transaction that began before and still reads keeps them too: compact again after it.
        Readers wait meanwhile.
        """
        alone = self._engine.execution_options(isolation_level="AUTOCOMMIT")
        with alone.connect() as connection:
            connection.detach()  # not to be used again: it has no time limit
            connection.exec_driver_sql("SET statement_timeout = 0")
            connection.exec_driver_sql(f"VACUUM FULL {self._schema}.{table}")

    def close(self) -> None:
        _let_go(self._engine, self._writer)

    @contextmanager
    def _once(self, doing: str) -> Generator[Connection]:
        """A transaction about the schema as a whole; nothing is held after it."""
        try:
            with explained(doing, self._place), self._engine.begin() as connection:
                yield connection
        finally:
            self.close()


def _make_schema(connection: Connection, address: Address, place: Path) -> None:
    encoding = connection.exec_driver_sql("SHOW server_encoding").scalar_one()
    if encoding != "UTF8":
        what = f"its encoding is {encoding}, which not every text fits; make a database with UTF8"
        raise StoreError(f"{place}: {address}: {what}")
    connection.exec_driver_sql(f"CREATE SCHEMA {address.schema}")
    connection.exec_driver_sql("CREATE SEQUENCE writers")


def _let_go(engine: Engine, writer: _Writer | None) -> None:
    if writer:
        writer.close()
    engine.dispose()


@final
class _Writer:
    """The one connection that may write: the schema's advisory lock is held on it as long as it lasts.

    If the server was gone meanwhile, the lock is taken anew; unless another writer had it in between, work
    goes on. Every taking of the lock draws a number, so that this can be told.
    """

    def __init__(self, engine: Engine, schema: str, place: Path, turn: Turn) -> None:
        self._engine = engine.execution_options(isolation_level="SERIALIZABLE", postgresql_readonly=False)
        self._key = int.from_bytes(hashlib.sha256(schema.encode()).digest()[:8], signed=True)
        self._place = place
        self._turn = turn
        self._alone = threading.Lock()
        self._connection: Connection | None = None
        self._number = 0
        with explained("opening it for writing", place):
            self._take()

    @contextmanager
    def transaction(self) -> Generator[Connection]:
        with self._alone:
            connection = self._held()
            with connection.begin():
                yield connection

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(DBAPIError):
                connection.close()

    def _held(self) -> Connection:
        """The connection with the lock on it, after a look whether the server is still at its other end."""
        if self._connection is not None and _answers(self._connection):
            return self._connection
        self.close()
        before = self._number
        connection = self._take()
        if self._number != before + 1:
            self._number = before  # so that it stays refused
            self.close()
            why = "the connection to the server was lost, and another process wrote meanwhile"
            raise StoreBusyError(f"{self._place.parent}: {why}; run the command again")
        return connection

    def _take(self) -> Connection:
        connection = self._engine.connect()
        try:
            self._lock(connection)
            with connection.begin():
                self._number = connection.exec_driver_sql("SELECT nextval('writers')").scalar_one()
        except BaseException:
            connection.close()
            raise
        self._connection = connection
        return connection

    def _lock(self, connection: Connection) -> None:
        def ask(query: TextClause) -> Any:
            with connection.begin():
                return connection.execute(query, {"key": self._key}).scalar()

        patient = replace(self._turn, wait=max(self._turn.wait, GRACE_SECONDS))
        await_turn(self._place.parent, lambda: ask(_TAKE), lambda: ask(_HOLDER) or "another process", patient)


_TAKE = text("SELECT pg_try_advisory_lock(:key)")
_HOLDER = text(
    "SELECT application_name FROM pg_locks JOIN pg_stat_activity USING (pid)"
    " WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND application_name <> ''"
    " AND (classid::bigint << 32 | objid::bigint) = :key"
)


def _answers(connection: Connection) -> bool:
    if connection.invalidated or connection.closed:
        return False
    try:
        with connection.begin():
            connection.exec_driver_sql("SELECT 1")
    except DBAPIError:
        return False
    return True


def _driver(place: Path) -> Any:
    """psycopg, which only these stores need. Raises StoreError where it or its libpq is missing."""
    try:
        import psycopg
    except ImportError as error:
        what = f"its journal is on PostgreSQL, whose driver cannot be loaded ({error})"
        raise StoreError(f"{place.parent}: {what}; pip install 'selfedit[postgres]'") from error
    return psycopg


def _connected(address: Address, place: Path, verb: str) -> Any:
    """A connection whose names mean the tables in the schema. Raises StoreError if there can be none."""
    psycopg = _driver(place)
    options = {name: value for name, value in _ALIVE.items() if name not in address.options}
    secret = {"password": address.password} if address.password else {}
    name = str(Holder(os.getpid(), socket.gethostname(), verb))
    try:
        connection = psycopg.connect(
            address.url, **options, **secret, application_name=name, client_encoding="UTF8", autocommit=True
        )
    except psycopg.Error as error:
        raise StoreError(unreachable(place, str(address), str(error))) from error
    try:
        _set_up(connection, address.schema)
    except BaseException:
        connection.close()
        raise
    return connection


def _set_up(connection: Any, schema: str) -> None:
    new = connection.info.server_version >= 140000
    settings = {**_SESSION, **(_SINCE_14 if new else {}), "search_path": f"{schema}, pg_temp"}
    calls = ", ".join("set_config(%s, %s, false)" for _ in settings)
    values = [each for pair in settings.items() for each in pair]
    connection.execute(f"SELECT {calls}, {_DURABLE}", values)
    connection.prepare_threshold = None
    connection.autocommit = False
