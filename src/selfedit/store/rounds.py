"""Runs of a recipe and what their rounds left behind, written and read.

A round is written once, when it has ended. Its id hashes all that stands about it and the id of the round
before; the first one's, the run. Knows nothing of files, nor of what a record says.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Row, select

from selfedit.errors import StoreError
from selfedit.store import journal as j
from selfedit.store import reading
from selfedit.store.blobs import Blob
from selfedit.store.drafts import Draft, text_hash, to_json
from selfedit.store.rows import NewAdapter, RoundRow, RunRow
from selfedit.types import Head, TrainingPlan, content_hash

_FIRST = (0, 1)
"""The numbers that a run's first round may have."""


@dataclass(frozen=True, slots=True)
class Round:
    """A round that has ended, to be written."""

    run: str
    number: int
    record: Mapping[str, Any]
    adapter: NewAdapter | None
    plan: TrainingPlan | None
    """What trained the adapter; without one, its head alone counts: the policy that stays."""


# -- writing --------------------------------------------------------------------------------------


def begin(connection: Connection, draft: Draft, run: RunRow) -> None:
    """Insert the run, unless it is there. Raises StoreError if it is there with another recipe."""
    recipe = to_json(dict(run.recipe))
    known = connection.execute(select(j.RUNS.c.recipe).where(j.RUNS.c.id == run.id)).scalar()
    if known is None:
        draft.row(j.RUNS, id=run.id, recipe=draft.text(recipe), time=run.time)
        draft.write(connection)
    elif known != text_hash(recipe):
        what = "is there with another recipe; take another store, or drop it first (selfedit gc --drop-run)"
        raise StoreError(f"run {run.id[:12]}: {what}")


def written(connection: Connection, new: Round, weights: str) -> bool:
    """Is this round there already? Raises StoreError for one that differs, and for one that cannot be next.

    `weights` is the hash of the base's.
    """
    name = f"round {new.number} of run {new.run[:12]}"
    made = (new.adapter.hash if new.adapter else None, text_hash(to_json(dict(new.record))))
    if new.adapter and new.plan is None:
        raise StoreError(f"{name}: an adapter without the plan that trained it; give both")
    rows = _rows(connection, new.run)
    if known := next((row for row in rows if row.number == new.number), None):
        if made != (known.adapter, known.record) or (new.plan and known.head != _head(new, rows, weights)):
            raise StoreError(f"{name}: has ended already, with another adapter or record; it stays as it was")
        return True
    check(connection, new.run)
    if rows and rows[-1].number != new.number - 1:
        raise StoreError(f"{name}: the last one there is {rows[-1].number}; end them in order")
    if not rows and new.number not in _FIRST:
        raise StoreError(f"{name}: none before it has ended; begin with 0 or 1")
    return False


def write(connection: Connection, new: Round, blob: Blob | None, place: tuple[str, str]) -> None:
    """Insert a round with its policy; `place` is the hash of the base's weights and the time."""
    weights, time = place
    draft, rows = Draft(time), _rows(connection, new.run)
    if new.adapter and new.plan and blob:
        stood_on = (new.plan.head or Head(weights)).id
        draft.adapter(new.adapter, blob, draft.plan(new.plan), stood_on, new.plan.rank)
    row = {
        "run": new.run,
        "number": new.number,
        "adapter": new.adapter.hash if new.adapter else None,
        "head": _head(new, rows, weights),
        "record": draft.text(to_json(dict(new.record))),
        "time": time,
    }
    before = rows[-1].id if rows else _start(check(connection, new.run))
    draft.row(j.ROUNDS, id=round_id(row, before), **row)
    draft.write(connection)


def remove(connection: Connection, run: str) -> None:
    """Delete a run's rows. Who calls has seen to the texts and adapters that it alone had."""
    connection.execute(j.ROUNDS.delete().where(j.ROUNDS.c.run == run))
    connection.execute(j.RUNS.delete().where(j.RUNS.c.id == run))


def _head(new: Round, rows: list[Row[Any]], weights: str) -> str:
    """Id of the head that the next round stands on; `rows` are the run's other rounds."""
    before = [row.head for row in rows if row.number < new.number]
    if new.plan is None and before:
        return before[-1]
    on = (new.plan.head if new.plan else None) or Head(weights)
    return Head(on.base, (*on.adapters, *([new.adapter] if new.adapter else []))).id


# -- reading --------------------------------------------------------------------------------------


def check(connection: Connection, run: str) -> Row[Any]:
    """The row of a run. Raises StoreError if there is none."""
    row = connection.execute(select(j.RUNS).where(j.RUNS.c.id == run)).first()
    if row is None:
        raise StoreError(f"run {run[:12]!r}: not in this store; give the whole id of one that was begun")
    return row


def runs(connection: Connection) -> list[RunRow]:
    """Every run, the oldest first."""
    rows = connection.execute(select(j.RUNS).order_by(j.RUNS.c.time, j.RUNS.c.id)).all()
    texts = reading.texts(connection, (row.recipe for row in rows))
    return [RunRow(row.id, _json(texts, row.recipe), row.time) for row in rows]


def rounds(connection: Connection, run: str) -> list[RoundRow]:
    """A run's rounds, in order; none where there is no such run."""
    rows = _rows(connection, run)
    texts = reading.texts(connection, (row.record for row in rows))
    return [
        RoundRow(row.run, row.number, row.adapter, row.head, _json(texts, row.record), row.time)
        for row in rows
    ]


def adapters(connection: Connection) -> list[tuple[str, str]]:
    """Run and adapter, wherever a round has one."""
    rows = connection.execute(select(j.ROUNDS.c.run, j.ROUNDS.c.adapter)).all()
    return [(row.run, row.adapter) for row in rows if row.adapter]


def texts(connection: Connection) -> Iterator[tuple[str, str]]:
    """Run and text, wherever one holds the other: its recipe, its records, what its policies trained on."""
    for query in (select(j.RUNS.c.id, j.RUNS.c.recipe), select(j.ROUNDS.c.run, j.ROUNDS.c.record)):
        for row in connection.execute(query).all():
            yield row[0], row[1]
    policies = j.ROUNDS.join(j.ADAPTERS, j.ADAPTERS.c.hash == j.ROUNDS.c.adapter)
    policies = policies.join(j.PLANS, j.PLANS.c.id == j.ADAPTERS.c.plan)
    for row in connection.execute(select(j.ROUNDS.c.run, j.PLANS.c.body).select_from(policies)).all():
        yield from ((row.run, line[0]) for line in json.loads(row.body)["sequences"])


def _rows(connection: Connection, run: str) -> list[Row[Any]]:
    query = select(j.ROUNDS).where(j.ROUNDS.c.run == run).order_by(j.ROUNDS.c.number)
    return list(connection.execute(query).all())


def _json(texts: Mapping[str, str], digest: str) -> Any:
    if digest not in texts:
        raise StoreError(f"text {digest[:12]}: of a run, and not in this store; put a backup in its place")
    return json.loads(texts[digest])


# -- the chain ------------------------------------------------------------------------------------


def round_id(row: Mapping[str, Any], before: str) -> str:
    """The id of the round that `row` describes, after that of the round before."""
    names = ("run", "number", "adapter", "head", "record", "time")
    return content_hash(["round", before, *(row[name] for name in names)])


def _start(run: Row[Any]) -> str:
    """What the first round of a run comes after."""
    return content_hash(["run", run.id, run.recipe, run.time])


def problems(connection: Connection) -> tuple[int, list[str]]:
    """How many rounds there are, and a line for each that is not as it was written."""
    count, found = 0, list[str]()
    for run in connection.execute(select(j.RUNS).order_by(j.RUNS.c.id)).all():
        rows = connection.execute(
            select(j.ROUNDS).where(j.ROUNDS.c.run == run.id).order_by(j.ROUNDS.c.number)
        )
        every = [dict(row) for row in rows.mappings()]
        chain = pairwise([_start(run), *(row["id"] for row in every)])
        changed = [
            row for row, (before, own) in zip(every, chain, strict=True) if round_id(row, before) != own
        ]
        found += [f"round {row['number']} of run {run.id[:12]}: breaks the chain" for row in changed]
        count += len(every)
    return count, found
