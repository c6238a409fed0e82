"""How an adapter becomes a commit: where it stands in the head, and all its rows in one transaction.

Knows nothing of blobs beyond their names, nor of who judged the adapter.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass

from sqlalchemy import Connection, select

from selfedit.errors import StoreError
from selfedit.store import history
from selfedit.store import journal as j
from selfedit.store.blobs import Blob
from selfedit.store.drafts import Draft, trial_key
from selfedit.store.history import Slot, Standing
from selfedit.store.rows import NewCommit
from selfedit.store.spans import Numbers, runs
from selfedit.types import Head, TrainingPlan


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new commit goes: the place in the head, and what its adapter was trained on there."""

    slot: Slot
    standing: Standing


def place(
    connection: Connection, plan: TrainingPlan, weights: str, replaces: str | None, beside: Items[str] = ()
) -> Place:
    """The end of the head, or the place of the live commit `replaces` (an id, or the beginning of one).

    Raises StoreError if that is not live, or if the plan stands on anything but the base or the commits
    before the place, all but those `beside` (ids), which answer alone.
    """
    slot = history.slot(connection, replaces and history.find(connection, replaces))
    on = plan.head or Head(weights)
    below = [each for each in history.by_seq(connection, slot.before) if each.id not in beside]
    if on.adapters and [each.hash for each in on.adapters] != [each.adapter for each in below]:
        raise StoreError("the adapter was trained on another head than the store's; train it again")
    parent = history.by_seq(connection, slot.before[-1:])
    trained_on = tuple(each.seq for each in below) if on.adapters else ()
    standing = Standing(parent[0].id if parent else None, plan.id, on.id, trained_on, slot.replaces)
    return Place(slot, standing)


def write(
    connection: Connection,
    new: NewCommit,
    blob: Blob,
    where: Place,
    move: tuple[str, str],
    *,
    aside: bool = False,
    gone: Items[str] = (),
) -> str:
    """Insert the commit with all its parts and put it into the head; `move` is the verb and the time.

    A commit that is there already becomes live again. With `aside` the head stays as it is; `gone` (ids)
    leave it in the same step. Returns its id.
    """
    verb, time = move
    draft, seq = Draft(time), history.next_seq(connection)
    plan = draft.plan(new.plan)
    draft.adapter(new.adapter, blob, plan, where.standing.head_trained_on, new.plan.rank)
    commit = history.draft_commit(draft, new, where.standing, (seq, time))
    for trial in new.trials:
        draft.trial(trial_key(trial), trial)
    known = connection.execute(select(j.COMMITS.c.seq).where(j.COMMITS.c.id == commit)).scalar()
    draft.write(connection, commit=known is None)
    connection.execute(j.ERASURES.delete().where(j.ERASURES.c.commit_id == commit))
    head = history.live_seqs(connection) if aside else where.slot.head(known or seq)
    history.append_move(connection, verb, _less(connection, head, gone), time)
    return commit


def _less(connection: Connection, head: Items[int], gone: Items[str]) -> list[int]:
    """The numbers without those of the commits `gone`."""
    if not gone:
        return list(head)
    return [each.seq for each in history.by_seq(connection, head) if each.id not in gone]


def enter(connection: Connection, commit: str, move: tuple[str, str], gone: Items[str] = ()) -> None:
    """Put a commit (id) that was set aside into the head: in the place it was made for, or at the end.

    `gone` (ids) leave it in the same step; `move` is the verb and the time.

    Raises StoreError where it is live, where its weights were erased, or where it was trained on what is not
    live any more.
    """
    row = history.commits(connection, j.COMMITS.c.id == commit)[0]
    if row.live:
        raise StoreError(f"commit {commit[:12]}: live already; there is nothing to approve")
    if row.erased:
        raise StoreError(f"commit {commit[:12]}: its weights were erased; learn its documents again")
    replaces = history.commits(connection, j.COMMITS.c.id == row.replaces) if row.replaces else []
    slot = history.slot(connection, row.replaces if replaces and replaces[0].live else None)
    trained_on = connection.execute(
        select(j.COMMITS.c.trained_on).where(j.COMMITS.c.id == commit)
    ).scalar_one()
    before = Numbers()
    for seq in slot.before:
        before.add(seq)
    if not all(before.hold(first, last) for first, last in runs(trained_on)):
        raise StoreError(
            f"commit {commit[:12]}: trained on what is not live any more; learn it again with --no-gate"
        )
    verb, time = move
    history.append_move(connection, verb, _less(connection, slot.head(row.seq), gone), time)
