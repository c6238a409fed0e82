"""How a journal came to its present tables: named steps, only ever added to.

A step that has been released is never changed: it is the only description of the stores made with it. The SQL
is what SQLite and PostgreSQL share; `{bytes}` is the one type that they name differently. A test holds the
result to the tables in `journal.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, inspect, text

from selfedit.errors import StoreError, StoreVersionError

FORMAT = 1
"""Raised only when what a migration cannot express changes (the blobs' layout, the hashes of the chain)."""

_FIRST = """
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE texts (hash TEXT PRIMARY KEY, body {bytes}, erased TEXT);
CREATE TABLE sources (path TEXT, sha256 TEXT, bytes BIGINT NOT NULL, PRIMARY KEY (path, sha256));
CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    title TEXT NOT NULL REFERENCES texts (hash),
    passage TEXT NOT NULL REFERENCES texts (hash)
);
CREATE TABLE probes (
    id TEXT PRIMARY KEY,
    topic TEXT NOT NULL REFERENCES texts (hash),
    question TEXT NOT NULL REFERENCES texts (hash),
    answer TEXT NOT NULL REFERENCES texts (hash),
    origin TEXT NOT NULL
);
CREATE TABLE task_probes (
    task TEXT REFERENCES tasks (id),
    probe TEXT REFERENCES probes (id),
    ordinal INTEGER NOT NULL,
    PRIMARY KEY (task, probe)
);
CREATE TABLE self_edits (
    id TEXT PRIMARY KEY,
    task TEXT NOT NULL REFERENCES tasks (id),
    format TEXT NOT NULL,
    text TEXT NOT NULL REFERENCES texts (hash),
    lines TEXT NOT NULL,
    settings TEXT NOT NULL
);
CREATE INDEX self_edits_task ON self_edits (task);
CREATE TABLE plans (id TEXT PRIMARY KEY, head TEXT, body TEXT NOT NULL);
CREATE TABLE adapters (
    hash TEXT PRIMARY KEY,
    blob TEXT NOT NULL,
    bytes BIGINT NOT NULL,
    plan TEXT NOT NULL REFERENCES plans (id),
    head_trained_on TEXT NOT NULL,
    rank INTEGER NOT NULL,
    config TEXT NOT NULL,
    losses TEXT NOT NULL,
    erased TEXT
);
CREATE TABLE outcomes (
    key TEXT PRIMARY KEY,
    edit TEXT NOT NULL REFERENCES self_edits (id),
    plan TEXT REFERENCES plans (id),
    adapter TEXT,
    time TEXT NOT NULL,
    reward DOUBLE PRECISION,
    parts TEXT,
    failed_at TEXT,
    what TEXT REFERENCES texts (hash)
);
CREATE INDEX outcomes_edit ON outcomes (edit);
CREATE TABLE commits (
    id TEXT PRIMARY KEY,
    seq BIGINT NOT NULL UNIQUE,
    parent TEXT REFERENCES commits (id),
    time TEXT NOT NULL,
    adapter TEXT NOT NULL REFERENCES adapters (hash),
    head_trained_on TEXT NOT NULL,
    trained_on TEXT NOT NULL,
    plan TEXT NOT NULL REFERENCES plans (id),
    recall_before DOUBLE PRECISION,
    recall_after DOUBLE PRECISION,
    concise_before DOUBLE PRECISION,
    concise_after DOUBLE PRECISION,
    mismatch_before DOUBLE PRECISION,
    mismatch_after DOUBLE PRECISION,
    retention DOUBLE PRECISION,
    gate TEXT REFERENCES texts (hash),
    settings TEXT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL,
    tokens BIGINT NOT NULL,
    record TEXT NOT NULL
);
CREATE INDEX commits_parent ON commits (parent);
CREATE TABLE commit_sources (
    commit_id TEXT REFERENCES commits (id),
    ordinal INTEGER,
    path TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    PRIMARY KEY (commit_id, ordinal),
    FOREIGN KEY (path, sha256) REFERENCES sources (path, sha256)
);
CREATE INDEX commit_sources_source ON commit_sources (path, sha256);
CREATE TABLE commit_tasks (
    commit_id TEXT REFERENCES commits (id),
    ordinal INTEGER,
    task TEXT NOT NULL REFERENCES tasks (id),
    source TEXT NOT NULL,
    PRIMARY KEY (commit_id, ordinal)
);
CREATE TABLE commit_edits (
    commit_id TEXT REFERENCES commits (id),
    ordinal INTEGER,
    edit TEXT NOT NULL REFERENCES self_edits (id),
    PRIMARY KEY (commit_id, ordinal)
);
CREATE TABLE commit_texts (
    commit_id TEXT REFERENCES commits (id),
    ordinal INTEGER,
    text TEXT NOT NULL REFERENCES texts (hash),
    task TEXT REFERENCES tasks (id),
    PRIMARY KEY (commit_id, ordinal)
);
CREATE INDEX commit_texts_text ON commit_texts (text);
CREATE TABLE commit_probes (
    commit_id TEXT REFERENCES commits (id),
    ordinal INTEGER,
    probe TEXT NOT NULL REFERENCES probes (id),
    task TEXT NOT NULL REFERENCES tasks (id),
    role TEXT NOT NULL,
    dropped TEXT,
    answer_before TEXT REFERENCES texts (hash),
    correct_before BOOLEAN,
    concise_before BOOLEAN,
    answer_after TEXT REFERENCES texts (hash),
    correct_after BOOLEAN,
    concise_after BOOLEAN,
    PRIMARY KEY (commit_id, ordinal)
);
CREATE INDEX commit_probes_probe ON commit_probes (probe);
CREATE TABLE head_moves (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    previous TEXT REFERENCES head_moves (id),
    time TEXT NOT NULL,
    verb TEXT NOT NULL,
    live TEXT NOT NULL
)
"""

_UNDO = """
ALTER TABLE commits ADD COLUMN replaces TEXT REFERENCES commits (id);
CREATE TABLE reports (
    seq BIGINT PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    time TEXT NOT NULL,
    value TEXT NOT NULL REFERENCES texts (hash)
);
CREATE INDEX reports_subject ON reports (kind, subject, seq);
CREATE TABLE erasures (commit_id TEXT PRIMARY KEY REFERENCES commits (id), time TEXT NOT NULL)
"""

_PLACES = "ALTER TABLE commit_sources ADD COLUMN place TEXT"

_RUNS = """
CREATE TABLE runs (id TEXT PRIMARY KEY, recipe TEXT NOT NULL REFERENCES texts (hash), time TEXT NOT NULL);
CREATE TABLE rounds (
    run TEXT REFERENCES runs (id),
    number INTEGER,
    id TEXT NOT NULL UNIQUE,
    adapter TEXT REFERENCES adapters (hash),
    head TEXT NOT NULL,
    record TEXT NOT NULL REFERENCES texts (hash),
    time TEXT NOT NULL,
    PRIMARY KEY (run, number)
)
"""

_NO_SAMPLES = "ALTER TABLE texts ALTER COLUMN body SET STATISTICS 0"

MIGRATIONS: dict[str, str] = {
    "0001_first": _FIRST,
    "0002_undo": _UNDO,
    "0003_places": _PLACES,
    "0004_runs": _RUNS,
}
"""Name → statements, in order. Add at the end; never edit, reorder or remove."""


def migrate(connection: Connection, now: Callable[[], str]) -> None:
    """Apply the steps that the journal lacks, all in the caller's transaction."""
    connection.exec_driver_sql(
        "CREATE TABLE IF NOT EXISTS migrations (name TEXT PRIMARY KEY, applied_at TEXT NOT NULL)"
    )
    for name in missing(connection):
        for statement in _spelt(MIGRATIONS[name], connection.dialect.name).split(";"):
            connection.exec_driver_sql(statement)
        done = text("INSERT INTO migrations (name, applied_at) VALUES (:name, :now)")
        connection.execute(done, {"name": name, "now": now()})


def _spelt(statements: str, dialect: str) -> str:
    """In a database's own words.

    PostgreSQL compares texts byte by byte here, as SQLite does: other orders change with the system below it,
    and the indexes with them. It takes no samples of texts' bodies, which erasing would not reach.
    """
    if dialect != "postgresql":
        return statements.format(bytes="BLOB")
    words = statements.replace(" TEXT", ' TEXT COLLATE "C"').format(bytes="BYTEA")
    return words if "CREATE TABLE texts" not in words else f"{words};{_NO_SAMPLES}"


def missing(connection: Connection) -> list[str]:
    """The steps that the journal lacks, in order."""
    have = _applied(connection)
    return [name for name in MIGRATIONS if name not in have]


def check_version(connection: Connection, place: Path) -> None:
    """Raise StoreVersionError for a newer version's journal, StoreError for what is no journal."""
    if not inspect(connection).has_table("migrations"):
        raise StoreError(
            f"{place}: its database is no journal of selfedit; choose another place with --store"
        )
    unknown = sorted(_applied(connection) - set(MIGRATIONS))
    if unknown:
        raise StoreVersionError(_newer(place, f"migration {unknown[-1]}"))
    formats = connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'format'").scalars().all()
    if any(int(found) > FORMAT for found in formats):
        raise StoreVersionError(_newer(place, f"format {formats[0]}, this version reads up to {FORMAT}"))


def _applied(connection: Connection) -> set[str]:
    return set(connection.exec_driver_sql("SELECT name FROM migrations").scalars())


def _newer(place: Path, what: str) -> str:
    return f"{place}: made by a newer version of selfedit ({what}); upgrade it: pip install -U selfedit"
