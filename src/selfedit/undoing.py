"""Taking back what was learned: revert, roll back, and retrain what stood on it.

Every change of the head is one step of the store; what is to be retrained follows from its journal, so that
it can be broken off anywhere and gone on with later. Loads no model unless it must train or prove.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace
from itertools import takewhile
from typing import final

from selfedit import lifelong
from selfedit.asking import BASE, check_kept
from selfedit.errors import StoreError
from selfedit.lessons import Hire, Lesson
from selfedit.proving import Proof, prove
from selfedit.revising import same_again, without_file
from selfedit.store import CommitRow, Store
from selfedit.types import Sequence


@final
@dataclass(frozen=True)
class Undone:
    """What a `revert` or a `retrain` did."""

    reverted: tuple[str, ...] = ()
    """Ids that left the head."""
    stale: tuple[str, ...] = ()
    """Ids that are still to be retrained."""
    retrained: tuple[tuple[str, str], ...] = ()
    """Each with the one that took its place."""
    failures: tuple[str, ...] = ()
    """What could not be retrained, a line each."""
    proofs: tuple[Proof, ...] = ()
    seconds: float = 0.0
    tokens: int = 0
    """Trained tokens."""


NOTHING = Undone()


@final
@dataclass(frozen=True)
class Moved:
    """A head that was moved to an earlier or a later point."""

    verb: str
    commit: str
    """Where to: a commit's id, or `base`."""
    live: tuple[str, ...]
    left: tuple[str, ...]
    joined: tuple[str, ...]


def revert(store: Store, hire: Hire, commit: str, *, source: str | None, now: bool) -> Undone:
    """Take a commit out of the head, or one file out of a commit; with `now`, retrain and prove as well.

    Raises StoreError for a commit that is not live and for a file that it did not learn.
    """
    began = time.monotonic()
    row = live_commit(store, commit)
    lesson = without_file(store, row, source) if source is not None else None
    if lesson and lesson.documents:
        done = _trained(store, hire, row, lesson, Undone(reverted=(row.id,)))
    else:
        store.move_head("revert", [each.id for each in store.head() if each.id != row.id])
        done = Undone(reverted=(row.id,))
    if done.failures:
        done = replace(done, reverted=())
    elif now:
        done = retrain(store, hire, done)
    return _ended(store, done, began)


def live_commit(store: Store, commit: str) -> CommitRow:
    """The live commit whose id begins so. Raises StoreError, and says what became of one that is not live."""
    row = store.commit(commit)
    if row.live:
        return row
    later = replaced_by(store, row.id)
    if later is not None and store.commit(later).live:
        raise StoreError(
            f"commit {row.id[:12]}: {later[:12]} took its place in the head; name that one instead"
        )
    how = {"revert": "was reverted already", "rollback": "left the head by a rollback"}
    why = how.get(store.left().get(row.id, ""), "is not in the head any more")
    back = f"`selfedit rollback {row.id[:12]}` goes back to when it was made"
    raise StoreError(f"commit {row.id[:12]}: {why}; there is nothing to take back ({back})")


def replaced_by(store: Store, commit: str) -> str | None:
    """The last in the row of those that took its place; of several a live one, else the newest."""
    rows = store.log()
    found = None
    while later := [row for row in rows if row.replaces == (found or commit)]:
        found = next((row.id for row in later if row.live), later[0].id)
    return found


def rollback(store: Store, commit: str) -> Moved:
    """Make the head what it was when `commit` was accepted (`base`: empty). Nothing is deleted.

    A later commit brings it forward again. Raises StoreError where weights of that head were erased.
    """
    rows = () if commit == BASE else store.head_at(commit)
    before, after = [row.id for row in store.head()], [row.id for row in rows]
    check_kept(store, rows)
    if before != after:
        store.move_head("rollback", after)
    return Moved(
        "rollback",
        commit if commit == BASE else store.commit(commit).id,
        tuple(after),
        tuple(each for each in before if each not in after),
        tuple(each for each in after if each not in before),
    )


def retrain(store: Store, hire: Hire, done: Undone = NOTHING) -> Undone:
    """Retrain every stale commit from the front to the back, then make the proofs that are outstanding.

    Each is durable once it is done. What fails stays where it is, and those after it with it.
    """
    began = time.monotonic()
    while (stale := store.stale()) and not done.failures:
        done = _retrained(store, hire, stale[0], done)
    if not done.failures:
        done = replace(done, proofs=prove(store, hire))
    return _ended(store, done, began)


def _retrained(store: Store, hire: Hire, row: CommitRow, done: Undone) -> Undone:
    """One stale commit trained again, on the live commits before it; not a second time."""
    try:
        lesson = same_again(store, row, lost_texts(store, row))
    except StoreError as error:
        return replace(done, failures=(*done.failures, _failure(row, str(error))))
    known = made_before(store, row, lesson)
    if known is None:
        return _trained(store, hire, row, lesson, done)
    head = [known.id if each.id == row.id else each.id for each in store.head()]
    store.move_head("retrain", head)
    return replace(done, retrained=(*done.retrained, (row.id, known.id)))


def made_before(store: Store, row: CommitRow, lesson: Lesson) -> CommitRow | None:
    """A commit that took this one's place once, trained on the same texts and on what is before it now."""
    before = tuple(each.id for each in commits_before(store, row.id))
    texts = set(lesson.earlier.texts) if lesson.earlier else set[str | Sequence]()
    once = (each for each in store.log() if each.replaces == row.id and not each.live)
    return next(
        (
            each
            for each in once
            if each.sources == row.sources
            and not store.adapter(each.adapter).erased
            and store.trained_on(each.id) == before
            and set(store.plan(each.id).sequences) == texts
        ),
        None,
    )


def _trained(store: Store, hire: Hire, row: CommitRow, lesson: Lesson, done: Undone) -> Undone:
    """The lesson learned in the commit's place, or a line on why not."""
    pupil = hire(commits_before(store, row.id))
    pupil.begin(f"retraining {row.id[:12]}")
    report = lifelong.learn(pupil, lesson)
    failures = () if report.accepted else (_failure(row, report.reason),)
    return replace(
        done,
        retrained=(*done.retrained, *report.replaced),
        failures=(*done.failures, *failures),
        tokens=done.tokens + report.tokens,
    )


def _failure(row: CommitRow, why: str) -> str:
    return f"commit {row.id[:12]}: not retrained ({why}); it stays as it was: run again, or revert it whole"


def commits_before(store: Store, commit: str) -> tuple[CommitRow, ...]:
    """The live commits before a live one."""
    return tuple(takewhile(lambda each: each.id != commit, store.head()))


def standing(store: Store, lesson: Lesson) -> tuple[CommitRow, ...]:
    """What a lesson stands on: the commits before the one whose place it takes, or all that are live.

    What answers alone is trained on none of them, and stands beside all others.
    """
    if lesson.earlier is None:
        return store.head()
    if lesson.settings.retention.routed:
        return tuple(each for each in store.head() if each.id != lesson.earlier.commit)
    return commits_before(store, lesson.earlier.commit)


def lost_texts(store: Store, row: CommitRow) -> frozenset[str]:
    """Hashes of texts that a commit replayed and that dead commits brought, but none live before it."""
    replayed = {text for text, task in store.text_tasks(row.id).items() if task is None}
    if not replayed:
        return frozenset()
    before = _brought(store, commits_before(store, row.id))
    return frozenset((replayed & _brought(store, (each for each in store.log() if not each.live))) - before)


def _brought(store: Store, rows: Iterable[CommitRow]) -> set[str]:
    return {text for row in rows for text, task in store.text_tasks(row.id).items() if task}


def _ended(store: Store, done: Undone, began: float) -> Undone:
    """With what is still stale, and the time that it took."""
    return replace(done, stale=tuple(row.id for row in store.stale()), seconds=time.monotonic() - began)
