"""Does everything in a store still have the hash that it is known by?

Reads all of it and changes nothing. Each transaction is short, so writers go on meanwhile; files are hashed
beside it, on all processors. Knows nothing of how to mend what is broken.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from concurrent.futures import ThreadPoolExecutor
from itertools import repeat
from typing import Any

from sqlalchemy import ColumnElement, Connection, func, inspect, literal_column, select

from selfedit.errors import StoreError
from selfedit.store import history, reports, rounds
from selfedit.store import journal as j
from selfedit.store.blobs import Blobs
from selfedit.store.journal import Journal
from selfedit.store.reading import batches
from selfedit.store.rows import Verification
from selfedit.store.spans import highest

_TEXTS, _COMMITS = 4000, 500
"""Rows that one transaction reads."""
_FILES = 32
"""Files that a thread is given at a time."""

Looked = tuple[int, list[str]]
"""How many things were looked at, and what is wrong with them."""


def verify(journal: Journal, blobs: Blobs) -> Verification:
    """Check texts, blobs, commits, head moves, rounds and the references among them."""
    checked, problems = 0, list[str]()
    try:
        for count, found in _all(journal, blobs):
            checked += count
            problems += found
    except StoreError as error:
        problems.append(str(error))
    return Verification(not problems, checked, tuple(problems))


def _all(journal: Journal, blobs: Blobs) -> Iterator[Looked]:
    with journal.reading() as connection:
        kept = j.ADAPTERS.c.erased.is_(None)
        rows = connection.execute(select(j.ADAPTERS.c.hash, j.ADAPTERS.c.blob).where(kept))
        adapters: list[tuple[str, str]] = [(row.hash, row.blob) for row in rows]
        tables = inspect(connection).get_table_names()
    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        # What the database does, and hashing, leave the interpreter to the rest meanwhile.
        sound = pool.map(_table, repeat(journal), tables)
        parts = [adapters[at : at + _FILES] for at in range(0, len(adapters), _FILES)]
        files = pool.map(_bad_blobs, parts, repeat(blobs))
        yield from _texts(journal)
        yield from _commits(journal)
        with journal.reading() as connection:
            found = [_moves(connection), _reports(connection), rounds.problems(connection)]
        yield from (*found, *sound)
        bad = {adapter: problem for part in files for adapter, problem in part}
    finally:
        pool.shutdown(cancel_futures=True)  # whoever interrupts need not wait for the rest
    yield len(adapters), _not_erased(journal, bad)


def _bad_blobs(adapters: Items[tuple[str, str]], blobs: Blobs) -> list[tuple[str, str]]:
    found = ((adapter, blobs.problem(blob)) for adapter, blob in adapters)
    return [(adapter, problem) for adapter, problem in found if problem]


def _not_erased(journal: Journal, bad: Mapping[str, str]) -> list[str]:
    """What is wrong with adapters, those left out that were erased since the others were looked at."""
    erased = set[str]()
    with journal.reading() as connection:
        for batch in batches(bad):
            gone = j.ADAPTERS.c.hash.in_(batch) & j.ADAPTERS.c.erased.is_not(None)
            erased.update(connection.execute(select(j.ADAPTERS.c.hash).where(gone)).scalars())
    return [f"adapter {each[:12]}: {problem}" for each, problem in bad.items() if each not in erased]


def _table(journal: Journal, name: str) -> Looked:
    """What the database says of one table. Of all at once, it would keep writers waiting."""
    with journal.reading() as connection:
        if connection.dialect.name == "postgresql":
            return 1, [f"journal: {each}" for each in _references(connection, name)]
        lost = {row[2] for row in connection.exec_driver_sql(f"PRAGMA foreign_key_check({name})")}
        found = [f"a row of {name} refers to a row of {other} that is not there" for other in sorted(lost)]
        lines = connection.exec_driver_sql(f"PRAGMA integrity_check({name})").scalars().all()
    return 1, [f"journal: {each}" for each in (*found, *lines) if each != "ok"]


def _references(connection: Connection, name: str) -> Iterator[str]:
    """Rows that refer to rows that are not there: the server takes none, a restored copy may hold some."""
    for key in inspect(connection).get_foreign_keys(name):
        mine, theirs = key["constrained_columns"], key["referred_columns"]
        same = " AND ".join(f"here.{a} = there.{b}" for a, b in zip(mine, theirs, strict=True))
        given = " AND ".join(f"here.{a} IS NOT NULL" for a in mine)
        lost = f"SELECT 1 FROM {name} here LEFT JOIN {key['referred_table']} there ON {same}"
        if connection.exec_driver_sql(f"{lost} WHERE {given} AND there.{theirs[0]} IS NULL LIMIT 1").first():
            yield f"a row of {name} refers to a row of {key['referred_table']} that is not there"


def _texts(journal: Journal) -> Iterator[Looked]:
    last: Any = None
    while True:
        with journal.reading() as connection:
            # In a file, as they lie in it: by hash each would be a page of its own to be read.
            place: ColumnElement[Any] = (
                literal_column("rowid") if connection.dialect.name == "sqlite" else j.TEXTS.c.hash
            )
            query = select(place, j.TEXTS.c.hash, j.TEXTS.c.body, j.TEXTS.c.erased)
            query = query.order_by(place).limit(_TEXTS)
            rows = connection.execute(query if last is None else query.where(place > last)).all()
        if not rows:
            return
        found = [_text_problem(digest, body, erased) for _, digest, body, erased in rows]
        yield len(rows), [each for each in found if each]
        last = rows[-1][0]


def _text_problem(digest: str, body: object, erased: str | None) -> str | None:
    if body is None:
        return None if erased else f"text {digest[:12]}: missing, and not marked as erased"
    if not isinstance(body, bytes):  # SQLite lets any kind of value stand in any column
        return f"text {digest[:12]}: is no longer kept as bytes"
    return None if hashlib.sha256(body).hexdigest() == digest else f"text {digest[:12]}: has another hash"


def _commits(journal: Journal) -> Iterator[Looked]:
    last = 0
    while True:
        query = select(j.COMMITS).where(j.COMMITS.c.seq > last).order_by(j.COMMITS.c.seq).limit(_COMMITS)
        with journal.reading() as connection:
            rows = [dict(row) for row in connection.execute(query).mappings()]
            parts = history.parts_of(connection, [row["id"] for row in rows])
        if not rows:
            return
        found = [_commit_problem(row, parts[row["id"]]) for row in rows]
        yield len(rows), [each for each in found if each]
        last = rows[-1]["seq"]


def _commit_problem(row: Mapping[str, Any], parts: history.Parts) -> str | None:
    if history.commit_id(row, parts) != row["id"]:
        return f"commit {row['id'][:12]}: its contents have another hash"
    if history.commit_record(row, parts) != row["record"]:
        return f"commit {row['id'][:12]}: its record (figures, time, settings) was changed"
    return None


def _reports(connection: Connection) -> Looked:
    rows = [dict(row) for row in connection.execute(select(j.REPORTS)).mappings()]
    bad = [row["seq"] for row in rows if reports.report_id(row) != row["id"]]
    return len(rows), [f"report {seq}: was changed" for seq in bad]


def _moves(connection: Connection) -> Looked:
    newest = connection.execute(select(func.max(j.COMMITS.c.seq))).scalar() or 0
    rows = connection.execute(select(j.HEAD_MOVES).order_by(j.HEAD_MOVES.c.seq)).mappings().all()
    before = [None, *(row["id"] for row in rows)]
    found = [_move_problem(row, previous, newest) for row, previous in zip(rows, before, strict=False)]
    return len(rows), [each for each in found if each]


def _move_problem(row: Mapping[Any, Any], previous: str | None, newest: int) -> str | None:
    if row["previous"] != previous or history.move_id(row) != row["id"]:
        return f"head move {row['seq']}: breaks the chain"
    if highest(row["live"]) > newest:
        return f"head move {row['seq']}: names a commit that is not there"
    return None
