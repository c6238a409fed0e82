"""Does everything in a store still have the hash that it is known by?

Reads all of it and changes nothing. Each transaction is short, so writers go on meanwhile. Knows nothing of
how to mend what is broken.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import Connection, func, inspect, select

from selfedit.errors import StoreError
from selfedit.store import history, reports
from selfedit.store import journal as j
from selfedit.store.blobs import Blobs
from selfedit.store.journal import Journal
from selfedit.store.rows import Verification
from selfedit.store.spans import highest

_BATCH = 500


def verify(journal: Journal, blobs: Blobs) -> Verification:
    """Check texts, blobs, commits, head moves and the references among them."""
    checked, problems = 0, list[str]()
    try:
        for problem in _all(journal, blobs):
            checked += 1
            if problem:
                problems.append(problem)
    except StoreError as error:
        problems.append(str(error))
    return Verification(not problems, checked, tuple(problems))


def _all(journal: Journal, blobs: Blobs) -> Iterator[str | None]:
    """One item for each thing that was looked at: what is wrong with it, or None."""
    with journal.reading() as connection:
        found = list(_database(connection))
    yield from found
    yield from _texts(journal)
    yield from _commits(journal)
    with journal.reading() as connection:
        moves = list(_moves(connection))
        adapters = connection.execute(select(j.ADAPTERS.c.hash, j.ADAPTERS.c.blob, j.ADAPTERS.c.erased)).all()
        kept = [_report_problem(row) for row in connection.execute(select(j.REPORTS)).mappings()]
    yield from moves
    yield from kept
    for adapter in adapters:
        problem = None if adapter.erased else blobs.problem(adapter.blob)
        yield f"adapter {adapter.hash[:12]}: {problem}" if problem else None


def _database(connection: Connection) -> Iterator[str | None]:
    """What the database says of itself."""
    if connection.dialect.name == "postgresql":
        yield from _references(connection)
        return
    for row in connection.exec_driver_sql("PRAGMA foreign_key_check"):
        yield f"journal: a row of {row[0]} refers to a row of {row[2]} that is not there"
    for line in connection.exec_driver_sql("PRAGMA integrity_check").scalars():
        yield None if line == "ok" else f"journal: {line}"


def _references(connection: Connection) -> Iterator[str | None]:
    """Rows that refer to rows that are not there: the server takes none, a restored copy may hold some."""
    inspector = inspect(connection)
    for name in sorted(inspector.get_table_names()):
        for key in inspector.get_foreign_keys(name):
            mine, theirs = key["constrained_columns"], key["referred_columns"]
            same = " AND ".join(f"here.{a} = there.{b}" for a, b in zip(mine, theirs, strict=True))
            given = " AND ".join(f"here.{a} IS NOT NULL" for a in mine)
            lost = f"SELECT 1 FROM {name} here LEFT JOIN {key['referred_table']} there ON {same}"
            query = f"{lost} WHERE {given} AND there.{theirs[0]} IS NULL LIMIT 1"
            found = connection.exec_driver_sql(query).first()
            what = f"a row of {name} refers to a row of {key['referred_table']} that is not there"
            yield f"journal: {what}" if found else None


def _texts(journal: Journal) -> Iterator[str | None]:
    last = ""
    while True:
        query = select(j.TEXTS).where(j.TEXTS.c.hash > last).order_by(j.TEXTS.c.hash).limit(_BATCH)
        with journal.reading() as connection:
            rows = connection.execute(query).all()
        for row in rows:
            yield _text_problem(row.hash, row.body, row.erased)
        if not rows:
            return
        last = rows[-1].hash


def _text_problem(digest: str, body: bytes | None, erased: str | None) -> str | None:
    if body is None:
        return None if erased else f"text {digest[:12]}: missing, and not marked as erased"
    return None if hashlib.sha256(body).hexdigest() == digest else f"text {digest[:12]}: has another hash"


def _commits(journal: Journal) -> Iterator[str | None]:
    last = 0
    while True:
        query = select(j.COMMITS).where(j.COMMITS.c.seq > last).order_by(j.COMMITS.c.seq).limit(_BATCH)
        with journal.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            parts = history.parts_of(connection, [row["id"] for row in rows])
        for row in rows:
            yield _commit_problem(row, parts[row["id"]])
        if not rows:
            return
        last = rows[-1]["seq"]


def _commit_problem(row: Mapping[str, Any], parts: history.Parts) -> str | None:
    if history.commit_id(row, parts) != row["id"]:
        return f"commit {row['id'][:12]}: its contents have another hash"
    if history.commit_record(row, parts) != row["record"]:
        return f"commit {row['id'][:12]}: its record (figures, time, settings) was changed"
    return None


def _report_problem(row: Mapping[Any, Any]) -> str | None:
    return None if reports.report_id(row) == row["id"] else f"report {row['seq']}: was changed"


def _moves(connection: Connection) -> Iterator[str | None]:
    newest = connection.execute(select(func.max(j.COMMITS.c.seq))).scalar() or 0
    previous = None
    for row in connection.execute(select(j.HEAD_MOVES).order_by(j.HEAD_MOVES.c.seq)).mappings():
        yield _move_problem(row, previous, newest)
        previous = row["id"]


def _move_problem(row: Mapping[Any, Any], previous: str | None, newest: int) -> str | None:
    if row["previous"] != previous or history.move_id(row) != row["id"]:
        return f"head move {row['seq']}: breaks the chain"
    if highest(row["live"]) > newest:
        return f"head move {row['seq']}: names a commit that is not there"
    return None
