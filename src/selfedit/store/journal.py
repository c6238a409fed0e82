"""The precious database: its tables, and the one way to read and to write it.

SQLite with a rollback journal and `synchronous=EXTRA`: a transaction that returned survives a power cut, and
no version of SQLite is known to break it (write-ahead logging had a corruption bug until 3.51.3). Each
transaction has a connection of its own, so nothing is held between calls. Knows nothing of what the rows
mean.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Engine,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    create_engine,
    event,
)
from sqlalchemy.pool import NullPool

from selfedit.errors import StoreError
from selfedit.store.failures import explained
from selfedit.store.migrations import check_version, migrate, missing

BUSY_SECONDS = 20.0
"""How long a transaction waits for another process's: theirs take milliseconds, a stalled disk more."""

METADATA = MetaData()


def _text(*names: str, key: bool = False) -> list[Column[str]]:
    return [Column(name, Text, primary_key=key) for name in names]


def _real(*names: str) -> list[Column[float]]:
    return [Column(name, Float) for name in names]


def _flag(*names: str) -> list[Column[bool]]:
    return [Column(name, Boolean) for name in names]


def _part(name: str, *columns: Column[str] | Column[bool]) -> Table:
    """A table of numbered parts of a commit."""
    key = [Column("commit_id", Text, primary_key=True), Column("ordinal", Integer, primary_key=True)]
    return Table(name, METADATA, *key, *columns)


META = Table("meta", METADATA, *_text("name", key=True), *_text("value"))
TEXTS = Table("texts", METADATA, *_text("hash", key=True), Column("body", LargeBinary), *_text("erased"))
SOURCES = Table("sources", METADATA, *_text("path", "sha256", key=True), Column("bytes", BigInteger))
TASKS = Table("tasks", METADATA, *_text("id", key=True), *_text("title", "passage"))
PROBES = Table("probes", METADATA, *_text("id", key=True), *_text("topic", "question", "answer", "origin"))
TASK_PROBES = Table("task_probes", METADATA, *_text("task", "probe", key=True), Column("ordinal", Integer))
SELF_EDITS = Table(
    "self_edits", METADATA, *_text("id", key=True), *_text("task", "format", "text", "lines", "settings")
)
PLANS = Table("plans", METADATA, *_text("id", key=True), *_text("head", "body"))
ADAPTERS = Table(
    "adapters",
    METADATA,
    *_text("hash", key=True),
    *_text("blob"),
    Column("bytes", BigInteger),
    *_text("plan", "head_trained_on"),
    Column("rank", Integer),
    *_text("config", "losses", "erased"),
)
OUTCOMES = Table(
    "outcomes",
    METADATA,
    *_text("key", key=True),
    *_text("edit", "plan", "adapter", "time"),
    *_real("reward"),
    *_text("parts", "failed_at", "what"),
)
COMMITS = Table(
    "commits",
    METADATA,
    *_text("id", key=True),
    Column("seq", BigInteger),
    *_text("parent", "time", "adapter", "head_trained_on", "trained_on", "plan"),
    *_real("recall_before", "recall_after", "concise_before", "concise_after"),
    *_real("mismatch_before", "mismatch_after", "retention"),
    *_text("gate", "settings"),
    *_real("seconds"),
    Column("tokens", BigInteger),
    *_text("record", "replaces"),
)
COMMIT_SOURCES = _part("commit_sources", *_text("path", "sha256"))
COMMIT_TASKS = _part("commit_tasks", *_text("task", "source"))
COMMIT_EDITS = _part("commit_edits", *_text("edit"))
COMMIT_TEXTS = _part("commit_texts", *_text("text", "task"))
COMMIT_PROBES = _part(
    "commit_probes",
    *_text("probe", "task", "role", "dropped"),
    *_text("answer_before"),
    *_flag("correct_before", "concise_before"),
    *_text("answer_after"),
    *_flag("correct_after", "concise_after"),
)
HEAD_MOVES = Table(
    "head_moves",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    *_text("id", "previous", "time", "verb", "live"),
)
REPORTS = Table(
    "reports",
    METADATA,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    *_text("id", "kind", "subject", "time", "value"),
)
ERASURES = Table("erasures", METADATA, *_text("commit_id", key=True), *_text("time"))


@final
class Journal:
    """A journal in a SQLite file. `write` says whether this process is its one writer."""

    def __init__(self, path: Path, *, write: bool) -> None:
        self._path = path
        self._write = write
        self._engine = sqlite_engine(path, write=write)

    @classmethod
    def create(cls, path: Path, now: Callable[[], str]) -> Journal:
        """Make a journal with no rows at `path`, where nothing is, and open it for writing."""
        with explained("making the journal", path):
            path.touch(exist_ok=False)
        journal = cls(path, write=True)
        with journal.writing("making the journal") as connection:
            migrate(connection, now)
        return journal

    @classmethod
    def open(cls, path: Path, now: Callable[[], str], *, write: bool) -> Journal:
        """Open the journal at `path`; a writer brings an older one up to date. Raises StoreVersionError."""
        journal = cls(path, write=write)
        with journal.reading() as connection:
            check_version(connection, path.parent)
            behind = missing(connection)
        if behind and not write:
            hint = "run a writing command (such as `selfedit learn`) once to bring it up to date"
            raise StoreError(f"{path.parent}: made by an older version of selfedit; {hint}")
        if behind:
            with journal.writing("bringing the journal up to date") as connection:
                migrate(connection, now)
        return journal

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """One consistent view, to be left soon: a writer's commit waits for it."""
        with (
            explained("reading the journal", self._path),
            self._engine.connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Generator[Connection]:
        """One transaction: durable when the block has ended, and without a trace if it raised."""
        if not self._write:
            raise StoreError(f"{self._path.parent}: open for reading only; open it with write=True")
        immediate = self._engine.execution_options(begin="BEGIN IMMEDIATE")
        with explained(doing, self._path), immediate.connect() as connection, connection.begin():
            yield connection


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
        for pragma in [*pragmas, "journal_mode=DELETE" if write else "query_only=ON"]:
            connection.execute(f"PRAGMA {pragma}").close()
        return connection

    engine = create_engine("sqlite://", creator=connect, poolclass=NullPool)
    event.listen(engine, "begin", _begin)
    return engine


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))
