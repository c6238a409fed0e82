"""The store: a durable history of everything that a model learned.

A directory with a journal (what was learned, from where, how it did), blobs (the adapters) and runs (bulk
that can be had again). One process writes, any number read. What a method has returned from survives `kill
-9` and power cuts. Knows nothing of models, tensors or how adapters come about.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Mapping
from collections.abc import Sequence as Items
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar, final

from sqlalchemy import Connection

from selfedit.errors import StoreError
from selfedit.store import accepting, creation, history, reports, rounds
from selfedit.store.address import Address
from selfedit.store.backups import Original, back_up
from selfedit.store.collecting import Parts, collect, drop_run
from selfedit.store.drafts import Draft, trial_key
from selfedit.store.journal import ADDRESS, Journal
from selfedit.store.lock import Waiting, WriteLock
from selfedit.store.migrations import FORMAT
from selfedit.store.postgres import Postgres
from selfedit.store.readable import Readable
from selfedit.store.rows import (
    Backup,
    Collected,
    CommitRow,
    NewAdapter,
    NewCommit,
    RoundRow,
    RunRow,
)
from selfedit.store.runs import Kind
from selfedit.types import FewShot, SelfEdit, Task, TrainingPlan, Trial

Found = TypeVar("Found")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@final
class Store(Readable):
    """A store that is open, to be read or also written.

    Make one with `create` or `open`; close it, or use it in a `with`.
    """

    def __init__(self, path: Path, lock: WriteLock | None, clock: Clock, url: str = "") -> None:
        """For `create` and `open`, which hand over the lock if the store is to be written."""
        self._lock = lock
        self._clock = clock
        turn = lock.turn if lock else None
        journal = Journal.open(creation.journal_at(path), self._now, turn=turn, url=url)
        super().__init__(path, journal)
        if lock:
            self._blobs.sweep()

    @classmethod
    def create(
        cls,
        path: str | os.PathLike[str],
        *,
        base: str,
        weights: str,
        dtype: str,
        journal: str = "",
        verb: str = "",
        clock: Clock = utc_now,
    ) -> Self:
        """Make a store at `path` and open it for writing.

        `base` is the model as the user named it, `weights` the hash of its weights. The journal is a file in
        it, or in the PostgreSQL database with the URL `journal`; whoever opens it later brings the password.
        Raises StoreError where `path` is taken or cannot be written.
        """
        place = _place(path)
        meta = {
            "format": str(FORMAT),
            "base": base,
            "weights": weights,
            "dtype": dtype,
            "created": _stamp(clock),
        }
        address = Address.new(journal) if journal else None
        lock = creation.make(place, meta, verb, lambda: _stamp(clock), address)
        return cls._with(lock, place, clock, journal)

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str],
        *,
        write: bool = False,
        verb: str = "",
        wait: float = 0.0,
        waiting: Waiting | None = None,
        journal: str = "",
        clock: Clock = utc_now,
    ) -> Self:
        """Open the store at `path`. A writer must be alone: StoreBusyError names who holds it.

        A second writer waits for `wait` seconds (`math.inf`: until the first is done), and `waiting` is told
        once for whom; a reader never waits. `verb` is what others are told that this process is doing.
        `journal` may be the URL of the store's journal on PostgreSQL, for its password. Raises
        StoreVersionError for a newer version's.
        """
        place = _place(path)
        if not creation.is_store(place):
            what = "no store here" if place.exists() else "no such store"
            raise StoreError(f"{place}: {what}; make one with `selfedit learn FILE --store {place}`")
        if not write:
            return cls._with(None, place, clock, journal)
        lock = WriteLock.acquire(place / creation.LOCK, verb, wait=wait, waiting=waiting)
        return cls._with(lock, place, clock, journal)

    @staticmethod
    def exists(path: str | os.PathLike[str]) -> bool:
        """Does a store stand at `path`?"""
        return creation.is_store(_place(path))

    @staticmethod
    def check_journal(url: str, path: str | os.PathLike[str]) -> None:
        """Raise StoreError if a new store at `path` cannot have its journal at `url`. Makes nothing."""
        Postgres.check(Address.new(url), _place(path) / ADDRESS)

    @classmethod
    def _with(cls, lock: WriteLock | None, path: Path, clock: Clock, url: str) -> Self:
        try:
            return cls(path, lock, clock, url)
        except BaseException:
            if lock:
                lock.release()
            raise

    def close(self) -> None:
        """Give the write lock back. Further calls do nothing."""
        self._journal.close()
        if self._lock:
            self._lock.release()
            self._lock = None

    # -- what is kept on the way ----------------------------------------------------------------------

    def record_texts(self, texts: Items[str]) -> tuple[str, ...]:
        """Keep texts; returns their hashes."""
        draft = self._draft()
        hashes = tuple(draft.text(text) for text in texts)
        self._write("writing texts", draft)
        return hashes

    def record_tasks(self, tasks: Iterable[Task]) -> None:
        """Keep tasks with their probes. A task comes before whatever refers to it."""
        draft = self._draft()
        for task in tasks:
            draft.task(task)
        self._write("writing tasks", draft)

    def record_demonstrations(self, tasks: Iterable[FewShot[Any]]) -> None:
        """Keep tasks of demonstrations, which self-edits refer to as to any task."""
        draft = self._draft()
        for task in tasks:
            draft.demonstrations(task)
        self._write("writing tasks", draft)

    def record_edits(self, edits: Iterable[SelfEdit]) -> None:
        """Keep self-edits whose tasks are recorded."""
        draft = self._draft()
        for edit in edits:
            draft.edit(edit)
        self._write("writing self-edits", draft)

    def record_trial(self, trial: Trial, *, key: str = "") -> str:
        """Keep a trial whose task is recorded; returns its key, by default that of its edit and plan."""
        key = key or trial_key(trial)
        self.record_trials({key: trial})
        return key

    def record_trials(self, trials: Mapping[str, Trial]) -> None:
        """Keep trials by key (the hash of all that their outcomes depend on); a key keeps its first trial."""
        draft = self._draft()
        for key, trial in trials.items():
            draft.trial(key, trial)
        self._write("writing trials", draft)

    def keep_report(self, kind: str, subject: str, value: Mapping[str, Any]) -> None:
        """Keep what was found out about `subject` (such as a commit's id) as JSON; the newest counts."""
        with self._writing("writing a report") as connection:
            time = self._now()
            reports.keep(connection, Draft(time), (kind, subject, time), value)

    def put_results(self, kind: Kind, values: Mapping[str, Any]) -> None:
        """Keep bulk (JSON by key) in runs.db, all or nothing; the file may be dropped at any time."""
        self._check_writer()
        self._runs.put(kind, values)

    # -- runs of a recipe ---------------------------------------------------------------------------

    def begin_run(self, run: str, recipe: Mapping[str, Any]) -> None:
        """Note that a run (an id of the caller's making) is under way; again is well.

        Raises StoreError if it is there with another recipe.
        """
        with self._writing("beginning a run") as connection:
            rounds.begin(connection, self._draft(), RunRow(run, recipe, self._now()))

    def end_round(
        self,
        run: str,
        number: int,
        record: Mapping[str, Any],
        adapter: NewAdapter | None,
        plan: TrainingPlan | None,
    ) -> RoundRow:
        """Keep what a round left behind, for good: all of it durable, or nothing.

        `record` is the caller's JSON, `adapter` the reinforced policy (None: nothing was reinforced), `plan`
        what trained it. Without an adapter a plan tells by its head which policy stays; without either it is
        the last round's. Rounds are counted from 0 or 1. The same again changes nothing. Raises StoreError
        for another round of this number, for one that skips some, and for a run that was not begun.
        """
        self._check_writer()
        self.check_weights(plan.head.base if plan and plan.head else self.weights)
        new = rounds.Round(run, number, record, adapter, plan)
        with self._journal.reading() as connection:
            known = rounds.written(connection, new, self.weights)
        blob = self._blobs.add(adapter.weights) if adapter else None
        with self._writing("ending a round") as connection:
            if not known:
                rounds.write(connection, new, blob, (self.weights, self._now()))
            return next(row for row in rounds.rounds(connection, run) if row.number == number)

    def drop_run(self, run: str) -> None:
        """Forget a run with its rounds; trials and self-edits stay, the next `gc` removes its weights.

        What it alone held goes for good: recipe, records, and the texts that its policies were trained on.
        Raises StoreError if there is none.
        """
        with self._writing("dropping a run") as connection:
            drop_run(connection, run, self._now())

    # -- the steps that change the head -------------------------------------------------------------

    def accept(
        self,
        new: NewCommit,
        *,
        verb: str = "learn",
        replaces: str | None = None,
        beside: Items[str] = (),
        aside: bool = False,
        gone: Items[str] = (),
    ) -> CommitRow:
        """Make a commit of an adapter and put it at the end of the head: all of it durable, or nothing.

        With `replaces` it takes the place of that live commit; with `aside` it stays out of the head until it
        is approved; `gone` (ids) leave the head in the same step. A commit that has been made before from the
        same things on the same parent is not made twice; it becomes live again. Raises StoreError if the plan
        stands on anything but the base or the commits before its place, all but those `beside` (ids), which
        answer alone.
        """
        self._check_writer()
        self.check_weights(new.plan.head.base if new.plan.head else self.weights)
        with self._journal.reading() as connection:
            place = accepting.place(connection, new.plan, self.weights, replaces, beside)
        blob = self._blobs.add(new.adapter.weights)
        with self._writing("writing a commit") as connection:
            move = (verb, self._now())
            commit = accepting.write(connection, new, blob, place, move, aside=aside, gone=gone)
            return self._commit(connection, commit)

    def enter(self, commit: str, *, verb: str = "approve", gone: Items[str] = ()) -> CommitRow:
        """Put a commit (whole id) that was set aside into the head, where it was to stand; `gone` leave it.

        Raises StoreError where it is live or erased, or was trained on what is not live any more.
        """
        with self._writing("moving the head") as connection:
            accepting.enter(connection, commit, (verb, self._now()), gone)
            return self._commit(connection, commit)

    def move_head(self, verb: str, commits: Items[str]) -> None:
        """Make these commits (ids), in this order, the head.

        Raises StoreError for unknown and repeated ones, and for those whose weights were erased.
        """
        with self._writing("moving the head") as connection:
            history.move(connection, verb, commits, self._now())

    def gc(self, *, erase: Items[str] = ()) -> Collected:
        """Remove what is not needed: weights that no commit and no run has, unfinished files, cached heads.

        With `erase` (commits, by id or the beginning of one) also their texts that no other commit holds and
        their weights, for good; so too the weights of commits that are not live and replayed these texts.
        Raises StoreError, and changes nothing, if one of them is live, or a live commit or a run learned from
        its texts.
        """
        self._check_writer()
        logs = tuple(self.path / name for name in creation.LOGS)
        parts = Parts(self._journal, self._blobs, self._runs, self.heads_folder, logs)
        return collect(parts, erase, self._now())

    def backup(self, target: str | os.PathLike[str]) -> Backup:
        """Copy the store to the new folder `target`, whole or not at all; others may go on writing.

        The copy is a store like any other, its journal a file. Raises StoreError where `target` is taken.
        """
        return back_up(Original(self.path, self._journal, self._now), _place(target))

    # -- inside -------------------------------------------------------------------------------------

    def _now(self) -> str:
        return _stamp(self._clock)

    def _draft(self) -> Draft:
        return Draft(self._now())

    def _check_writer(self) -> None:
        if self._lock is None:
            raise StoreError(f"{self.path}: open for reading only; open it with write=True")

    def _write(self, doing: str, draft: Draft) -> None:
        with self._writing(doing) as connection:
            draft.write(connection)

    @contextmanager
    def _writing(self, doing: str) -> Generator[Connection]:
        self._check_writer()
        with self._journal.writing(doing) as connection:
            yield connection


def _place(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.realpath(path))


def _stamp(clock: Clock) -> str:
    return clock().astimezone(UTC).isoformat(timespec="microseconds")
