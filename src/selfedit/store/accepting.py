"""How an adapter becomes a commit: where it stands in the head, and all its rows in one transaction.

Knows nothing of blobs beyond their names, nor of who judged the adapter.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from selfedit.errors import StoreError
from selfedit.store import history
from selfedit.store import journal as j
from selfedit.store.blobs import Blob
from selfedit.store.drafts import Draft, trial_key
from selfedit.store.history import Slot, Standing
from selfedit.store.rows import NewCommit
from selfedit.types import Head, TrainingPlan


@dataclass(frozen=True, slots=True)
class Place:
    """Where a new commit goes: the place in the head, and what its adapter was trained on there."""

    slot: Slot
    standing: Standing


def place(connection: Connection, plan: TrainingPlan, weights: str, replaces: str | None) -> Place:
    """The end of the head, or the place of the live commit `replaces` (an id, or the beginning of one).

    Raises StoreError if that is not live, or if the plan stands on another head than that of the commits
    before the place.
    """
    slot = history.slot(connection, replaces and history.find(connection, replaces))
    on = plan.head or Head(weights)
    if on.adapters and [each.hash for each in on.adapters] != history.adapters(connection, slot.before):
        raise StoreError("the adapter was trained on another head than the store's; train it again")
    parent, trained_on = history.by_seq(connection, slot.before[-1:]), slot.before if on.adapters else ()
    standing = Standing(parent[0].id if parent else None, plan.id, on.id, trained_on, slot.replaces)
    return Place(slot, standing)


def write(connection: Connection, new: NewCommit, blob: Blob, where: Place, move: tuple[str, str]) -> str:
    """Insert the commit with all its parts and put it into the head; `move` is the verb and the time.

    A commit that is there already becomes live again. Returns its id.
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
    history.append_move(connection, verb, where.slot.head(known or seq), time)
    return commit
