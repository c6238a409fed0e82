"""The precious database: its tables, and the one way to read and to write it.

A file, or a schema of a PostgreSQL database (databases.py, postgres.py); the tables are the same. Knows
nothing of what the rows mean.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    Float,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

from selfedit.errors import StoreError
from selfedit.store.address import Address
from selfedit.store.databases import Database, SqliteFile
from selfedit.store.failures import explained
from selfedit.store.lock import Turn
from selfedit.store.migrations import check_version, migrate, missing
from selfedit.store.postgres import Postgres

ADDRESS = "journal.url"
"""Name of the file that stands where the journal is in a database elsewhere."""

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
COMMIT_SOURCES = _part("commit_sources", *_text("path", "sha256", "place"))
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
RUNS = Table("runs", METADATA, *_text("id", key=True), *_text("recipe", "time"))
ROUNDS = Table(
    "rounds",
    METADATA,
    *_text("run", key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    *_text("id", "adapter", "head", "record", "time"),
)


@final
class Journal:
    """A journal that is open: to be read, or by the one process that writes it."""

    def __init__(self, database: Database, path: Path) -> None:
        """For `create` and `open`. `path` is the file that error lines name."""
        self._database = database
        self._path = path

    @classmethod
    def create(cls, path: Path, now: Callable[[], str], address: Address | None = None) -> Journal:
        """Make a journal with no rows and open it for writing: the file `path`, or tables at `address`."""
        with explained("making the journal", path):
            if address:
                Postgres.make(address, path, f"selfedit: a store, made {now()}")
            else:
                path.touch(exist_ok=False)
        journal = cls(_database(path, Turn(), address), path)
        try:
            with journal.writing("making the journal") as connection:
                migrate(connection, now)
        except BaseException:
            journal.close()
            raise
        return journal

    @classmethod
    def open(cls, path: Path, now: Callable[[], str], *, turn: Turn | None = None, url: str = "") -> Journal:
        """Open the journal at `path`; with a `turn` to be written, which brings an older one up to date.

        `url` may bring the password of a database elsewhere. Raises StoreVersionError for a newer one.
        """
        address = Address.read(path, url) if path.name == ADDRESS else None
        journal = cls(_database(path, turn, address), path)
        try:
            journal._bring_up_to_date(now, write=turn is not None)
        except BaseException:
            journal.close()
            raise
        return journal

    def close(self) -> None:
        """Let go of what a writer holds. Further calls do nothing."""
        self._database.close()

    def _bring_up_to_date(self, now: Callable[[], str], *, write: bool) -> None:
        with self.reading() as connection:
            check_version(connection, self._path.parent)
            behind = missing(connection)
        if behind and not write:
            hint = "run a writing command (such as `selfedit learn`) once to bring it up to date"
            raise StoreError(f"{self._path.parent}: made by an older version of selfedit; {hint}")
        if behind:
            with self.writing("bringing the journal up to date") as connection:
                migrate(connection, now)

    def compact(self, table: str) -> None:
        """Leave nothing of a table's former rows in the database's files."""
        with explained("removing what was erased", self._path):
            self._database.compact(table)

    @contextmanager
    def reading(self) -> Generator[Connection]:
        """One consistent view, to be left soon: a writer's commit to a file waits for it."""
        with explained("reading the journal", self._path), self._database.reading() as connection:
            yield connection

    @contextmanager
    def writing(self, doing: str) -> Generator[Connection]:
        """One transaction: durable when the block has ended, and without a trace if it raised."""
        with explained(doing, self._path), self._database.writing() as connection:
            yield connection


def _database(path: Path, turn: Turn | None, address: Address | None) -> Database:
    return Postgres(address, path, turn=turn) if address else SqliteFile(path, write=turn is not None)
