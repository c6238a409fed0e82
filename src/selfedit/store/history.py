"""Commits and head moves: the chain that they form, written and read.

A commit's id is the hash of the hashes of what it was made of, and of its parent's id; its `record` is the
hash of all that stands about it. A move's id hashes the move and the one before. Texts enter by hash alone,
so the chain holds when a text is erased. Knows nothing of files.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Table, func, select

from selfedit.errors import StoreError
from selfedit.store import journal as j
from selfedit.store.drafts import Draft, path_text, texts_of, to_json
from selfedit.store.rows import CommitRow, Cost, Figures, Move, NewCommit, Source
from selfedit.store.spans import holds, pack, unpack
from selfedit.types import content_hash

PARTS = (j.COMMIT_SOURCES, j.COMMIT_TASKS, j.COMMIT_EDITS, j.COMMIT_TEXTS, j.COMMIT_PROBES)
"""The tables that hold a commit's numbered parts."""

Parts = Mapping[str, Items[Mapping[str, Any]]]
"""Name of a table of `PARTS` → its rows for one commit, in order, without `commit_id` and `ordinal`."""

_FEW = 100
"""Up to so many commits are looked up one by one; for more, all are read."""


@dataclass(frozen=True, slots=True)
class Live:
    """A commit in the head: its number, id and adapter."""

    seq: int
    id: str
    adapter: str


@dataclass(frozen=True, slots=True)
class Slot:
    """A place in the head: the numbers of the commits before it and after it, and whose place it is."""

    before: tuple[int, ...]
    after: tuple[int, ...] = ()
    replaces: str | None = None

    def head(self, seq: int) -> list[int]:
        """The head with commit `seq` in this place, and in no other."""
        if seq in self.before or seq in self.after:
            return [*(e for e in self.before if e != seq), seq, *(e for e in self.after if e != seq)]
        return [*self.before, seq, *self.after]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a new commit goes: its parent, what trained its adapter, and the head that it was trained on."""

    parent: str | None
    plan: str
    head_trained_on: str
    trained_on: tuple[int, ...]
    """Numbers of the commits in that head."""
    replaces: str | None
    """The commit whose place it takes."""


# -- the chain ------------------------------------------------------------------------------------


def commit_id(row: Mapping[str, Any], parts: Parts) -> str:
    """The id of the commit that `row` (of `commits`) and `parts` describe, wherever its files lay."""
    made_of = {name: row[name] for name in ("parent", "adapter", "head_trained_on", "plan")}
    made_of["sources"] = [[each["path"], each["sha256"]] for each in parts["commit_sources"]]
    for name in ("task", "edit", "text", "probe"):
        made_of[f"{name}s"] = [each[name] for each in parts[f"commit_{name}s"]]
    return content_hash(["commit", made_of])


def commit_record(row: Mapping[str, Any], parts: Parts) -> str:
    """The hash of everything that stands about a commit. None is left out, so columns may be added."""
    rows = {name: [_given(each) for each in parts[name]] for name in sorted(parts)}
    return content_hash(["record", {k: v for k, v in _given(row).items() if k != "record"}, rows])


def move_id(row: Mapping[str, Any]) -> str:
    """The id of a head move."""
    return content_hash(["move", *(row[name] for name in ("previous", "seq", "time", "verb", "live"))])


def _given(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in row.items() if value is not None}


# -- writing --------------------------------------------------------------------------------------


def draft_commit(draft: Draft, new: NewCommit, standing: Standing, place: tuple[int, str]) -> str:
    """Put a commit and its parts into `draft`; `place` is its number and time. Returns its id."""
    parts = _draft_parts(draft, new)
    gate = None if new.gate is None else draft.text(to_json(dict(new.gate)))
    row: dict[str, Any] = {
        "parent": standing.parent,
        "adapter": new.adapter.hash,
        "plan": standing.plan,
        "head_trained_on": standing.head_trained_on,
        "trained_on": pack(standing.trained_on),
        "replaces": standing.replaces,
        **{name: None if value is None else float(value) for name, value in asdict(new.figures).items()},
        "gate": gate,
        "settings": to_json(dict(new.settings)),
        "seconds": float(new.cost.seconds),
        "tokens": new.cost.tokens,
    }
    row |= {"id": commit_id(row, parts), "seq": place[0], "time": place[1]}
    draft.row(j.COMMITS, **row, record=commit_record(row, parts))
    for table in PARTS:
        for ordinal, part in enumerate(parts[table.name]):
            draft.row(table, commit_id=row["id"], ordinal=ordinal, **part)
    return row["id"]


def _draft_parts(draft: Draft, new: NewCommit) -> Parts:
    texts = texts_of(new.plan)
    return {
        "commit_sources": [_draft_source(draft, each) for each in new.sources],
        "commit_tasks": [{"task": draft.task(each), "source": path_text(each.source)} for each in new.tasks],
        "commit_edits": [{"edit": draft.edit(each)} for each in new.edits],
        "commit_texts": [{"text": text, "task": new.text_tasks.get(text)} for text in texts],
        "commit_probes": [draft.result(each) for each in new.probes],
    }


def _draft_source(draft: Draft, source: Source) -> dict[str, Any]:
    place = None if source.place is None else path_text(source.place)
    return {"path": draft.source(source), "sha256": source.sha256, "place": place}


def append_move(connection: Connection, verb: str, live: Iterable[int], time: str) -> None:
    """Note that the commits with the numbers `live` are the head from now on."""
    last = (
        connection.execute(select(j.HEAD_MOVES).order_by(j.HEAD_MOVES.c.seq.desc()).limit(1))
        .mappings()
        .first()
    )
    row: dict[str, Any] = {"seq": last["seq"] + 1 if last else 1, "previous": last["id"] if last else None}
    row |= {"time": time, "verb": verb, "live": pack(live)}
    connection.execute(j.HEAD_MOVES.insert().values(id=move_id(row), **row))


def move(connection: Connection, verb: str, ids: Items[str], time: str) -> None:
    """Make the commits `ids`, in this order, the head. Raises StoreError for those that cannot be in it."""
    both = j.COMMITS.join(j.ADAPTERS, j.ADAPTERS.c.hash == j.COMMITS.c.adapter)
    query = select(j.COMMITS.c.id, j.COMMITS.c.seq, j.ADAPTERS.c.erased).select_from(both)
    known = {row.id: row for row in connection.execute(query)}
    for each in ids:
        if each not in known:
            raise StoreError(f"commit {each!r}: not in the store; the head was not moved")
        if known[each].erased:
            why = "its weights were erased; the head was not moved; learn its documents again to have it back"
            raise StoreError(f"commit {each[:12]}: {why}")
    if len(set(ids)) < len(ids):
        raise StoreError("a commit is named twice; the head was not moved")
    append_move(connection, verb, [known[each].seq for each in ids], time)


def next_seq(connection: Connection) -> int:
    """The number of the commit to come."""
    return (connection.execute(select(func.max(j.COMMITS.c.seq))).scalar() or 0) + 1


# -- reading --------------------------------------------------------------------------------------


def live_seqs(connection: Connection) -> list[int]:
    """The numbers of the live commits, in the head's order."""
    last = select(j.HEAD_MOVES.c.live).order_by(j.HEAD_MOVES.c.seq.desc()).limit(1)
    return unpack(connection.execute(last).scalar() or "")


def live(connection: Connection) -> list[Live]:
    """The live commits, in the head's order."""
    return by_seq(connection, live_seqs(connection))


def slot(connection: Connection, replaces: str | None = None) -> Slot:
    """The end of the head, or the place of the live commit `replaces` (an id). Raises StoreError."""
    head = live_seqs(connection)
    if replaces is None:
        return Slot(tuple(head))
    seq = connection.execute(select(j.COMMITS.c.seq).where(j.COMMITS.c.id == replaces)).scalar_one()
    if seq not in head:
        raise StoreError(f"commit {replaces[:12]}: not in the head any more; nothing can take its place")
    at = head.index(seq)
    return Slot(tuple(head[:at]), tuple(head[at + 1 :]), replaces)


def head_with(connection: Connection, commit: str) -> list[int]:
    """The numbers of the commits in the first head that held `commit` (an id), in order.

    Raises StoreError for one that was only set aside.
    """
    seq = connection.execute(select(j.COMMITS.c.seq).where(j.COMMITS.c.id == commit)).scalar_one()
    # Every acceptance is a move, so no commit can be in a move of a smaller number than its own.
    moves = select(j.HEAD_MOVES.c.live).where(j.HEAD_MOVES.c.seq >= seq).order_by(j.HEAD_MOVES.c.seq)
    found = (unpack(live) for live in connection.execute(moves).scalars() if holds(live, seq))
    head = next(found, None)
    if head is None:
        raise StoreError(f"commit {commit[:12]}: was never live; `selfedit approve` makes a candidate live")
    return head


def by_seq(connection: Connection, seqs: Iterable[int]) -> list[Live]:
    """The commits with these numbers, in this order."""
    wanted = list(seqs)
    columns = select(j.COMMITS.c.seq, j.COMMITS.c.id, j.COMMITS.c.adapter)
    query = columns.where(j.COMMITS.c.seq.in_(wanted)) if len(wanted) < _FEW else columns
    known = {row[0]: row for row in connection.execute(query).all()}  # at once: `for` would fetch each
    return [Live(*known[seq]) for seq in wanted]


def rows(connection: Connection, seqs: Items[int]) -> tuple[CommitRow, ...]:
    """The commits with these numbers, in this order."""
    found = commits(connection, *([j.COMMITS.c.seq.in_(seqs)] if len(seqs) < _FEW else []))
    known = {row.seq: row for row in found}
    return tuple(known[seq] for seq in seqs)


def commits(connection: Connection, *where: ColumnElement[bool]) -> list[CommitRow]:
    """The commits for which `where` holds (all of them without it), in the order of acceptance."""
    alive = set(live_seqs(connection))
    chosen = select(j.COMMITS.c.id).where(*where)
    parts = j.COMMIT_SOURCES.join(
        j.SOURCES,
        (j.SOURCES.c.path == j.COMMIT_SOURCES.c.path) & (j.SOURCES.c.sha256 == j.COMMIT_SOURCES.c.sha256),
    )
    query = (
        select(j.COMMIT_SOURCES, j.SOURCES.c.bytes).select_from(parts).order_by(j.COMMIT_SOURCES.c.ordinal)
    )
    sources: dict[str, list[Source]] = defaultdict(list)
    chosen_too = query.where(j.COMMIT_SOURCES.c.commit_id.in_(chosen)) if where else query
    for row in connection.execute(chosen_too).all():
        sources[row.commit_id].append(Source(row.path, row.sha256, row.bytes, row.place))
    every = select(j.COMMITS, j.ERASURES.c.time.label("erased"))
    every = every.outerjoin(j.ERASURES, j.ERASURES.c.commit_id == j.COMMITS.c.id)
    found = connection.execute(every.where(*where).order_by(j.COMMITS.c.seq))
    names, settings = list(found.keys()), _Settings()
    rows = (dict(zip(names, row, strict=True)) for row in found.all())
    return [_commit(row, tuple(sources[row["id"]]), row["seq"] in alive, settings) for row in rows]


def find(connection: Connection, prefix: str) -> str:
    """The id of the one commit that begins with `prefix`. Raises StoreError if there is none, or several."""
    known = j.COMMITS.c.id.startswith(prefix, autoescape=True)
    found = connection.execute(select(j.COMMITS.c.id).where(known).limit(9)).scalars().all()
    if not prefix or not found:
        raise StoreError(f"commit {prefix!r}: none has an id that begins so; `selfedit log` lists them")
    if len(found) > 1:
        short = ", ".join(each[: len(prefix) + 4] for each in sorted(found))
        raise StoreError(f"commit {prefix!r}: {len(found)} ids or more begin so ({short}); give more of it")
    return found[0]


def moves(connection: Connection, last: int) -> list[Move]:
    """The `last` entries in the head's log, newest first."""
    ids = _ids(connection)
    rows = connection.execute(select(j.HEAD_MOVES).order_by(j.HEAD_MOVES.c.seq.desc()).limit(last)).all()
    return [_move((row.seq, row.time, row.verb, row.live), ids) for row in rows]


def moves_of(connection: Connection, verb: str) -> list[tuple[Move, Move]]:
    """Every entry of this kind in the head's log after the one before it, newest first."""
    before, after = j.HEAD_MOVES.alias(), j.HEAD_MOVES.alias()
    pairs = before.join(after, after.c.seq == before.c.seq + 1)
    columns = [each.c[name] for each in (before, after) for name in ("seq", "time", "verb", "live")]
    query = select(*columns).select_from(pairs).where(after.c.verb == verb).order_by(after.c.seq.desc())
    ids = _ids(connection)
    return [(_move(row[:4], ids), _move(row[4:], ids)) for row in connection.execute(query).all()]


def _ids(connection: Connection) -> dict[int, str]:
    """Number of a commit → its id."""
    return {row.seq: row.id for row in connection.execute(select(j.COMMITS.c.seq, j.COMMITS.c.id)).all()}


def _move(row: Items[Any], ids: Mapping[int, str]) -> Move:
    seq, time, verb, packed = row
    return Move(seq, time, verb, tuple(ids[each] for each in unpack(packed)))


def parts_of(connection: Connection, ids: Items[str]) -> dict[str, dict[str, list[dict[str, Any]]]]:
    """The parts of the commits `ids`: commit → `Parts`."""
    found: dict[str, dict[str, list[dict[str, Any]]]] = {
        each: {table.name: [] for table in PARTS} for each in ids
    }
    for table in PARTS:
        for commit, part in _part_rows(connection, table, ids):
            found[commit][table.name].append(part)
    return found


def _part_rows(connection: Connection, table: Table, ids: Items[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    names = [each.name for each in table.columns if each.name not in ("commit_id", "ordinal")]
    query = select(table.c.commit_id, *(table.c[name] for name in names)).where(table.c.commit_id.in_(ids))
    for commit, *values in connection.execute(query.order_by(table.c.commit_id, table.c.ordinal)).all():
        yield commit, dict(zip(names, values, strict=True))


class _Settings(dict[str, Mapping[str, Any]]):
    """JSON text → its value, read once: many commits share their settings."""

    def __missing__(self, text: str) -> Mapping[str, Any]:
        return self.setdefault(text, json.loads(text))


def _commit(
    row: Mapping[str, Any], sources: tuple[Source, ...], is_live: bool, settings: _Settings
) -> CommitRow:
    same = ("id", "seq", "parent", "time", "adapter", "head_trained_on", "plan", "gate", "replaces", "erased")
    return CommitRow(
        **{name: row[name] for name in same},
        sources=sources,
        figures=Figures(**{name: row[name] for name in Figures.__dataclass_fields__}),
        settings=settings[row["settings"]],
        cost=Cost(row["seconds"], row["tokens"]),
        live=is_live,
    )
