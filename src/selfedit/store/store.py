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
from types import TracebackType
from typing import Any, Self, TypeVar, final

from sqlalchemy import Connection, select

from selfedit.errors import StoreError
from selfedit.store import accepting, creation, history, reading, reports
from selfedit.store import journal as j
from selfedit.store.address import Address
from selfedit.store.backups import Original, back_up
from selfedit.store.blobs import Blobs
from selfedit.store.collecting import Parts, collect
from selfedit.store.departures import left
from selfedit.store.drafts import Draft, path_text, trial_key
from selfedit.store.history import Live
from selfedit.store.journal import Journal
from selfedit.store.lock import Waiting, WriteLock
from selfedit.store.migrations import FORMAT
from selfedit.store.rows import (
    AdapterRow,
    Backup,
    Collected,
    CommitRow,
    Move,
    NewCommit,
    ProbeResult,
    SourceRow,
    TrialRow,
    Verification,
)
from selfedit.store.runs import Kind, Runs
from selfedit.store.spans import unpack
from selfedit.store.stale import stale
from selfedit.store.verify import verify
from selfedit.types import Head, SelfEdit, Task, TrainingPlan, Trial

Found = TypeVar("Found")
Clock = Callable[[], datetime]


def utc_now() -> datetime:
    return datetime.now(UTC)


@final
class Store:
    """A store that is open. Make one with `create` or `open`; close it, or use it in a `with`."""

    def __init__(self, path: Path, lock: WriteLock | None, clock: Clock, url: str = "") -> None:
        """For `create` and `open`, which hand over the lock if the store is to be written."""
        self.path = path
        self._lock = lock
        self._clock = clock
        turn = lock.turn if lock else None
        self._journal = Journal.open(creation.journal_at(path), self._now, turn=turn, url=url)
        self._blobs = Blobs(path / creation.BLOBS)
        self._runs = Runs(path / creation.RUNS)
        with self._journal.reading() as connection:
            self._meta = {row.name: row.value for row in connection.execute(select(j.META))}
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- what it was made on --------------------------------------------------------------------

    @property
    def base(self) -> str:
        """The base model as it was named when the store was made."""
        return self._meta["base"]

    @property
    def weights(self) -> str:
        """Hash of the base's weights."""
        return self._meta["weights"]

    @property
    def dtype(self) -> str:
        """The type that the base's weights are computed in."""
        return self._meta["dtype"]

    @property
    def heads_folder(self) -> Path:
        """Where merged heads are cached; it need not exist, and may be deleted at any time."""
        return self.path / creation.HEADS

    def check_weights(self, weights: str) -> None:
        """Raise StoreError unless `weights` is the hash of the weights that the store was made on."""
        if weights != self.weights:
            made = f"made on {self.base} with weights {self.weights[:12]}, not on {weights[:12]}"
            raise StoreError(f"{self.path}: {made}; use that base, or choose another store")

    # -- history --------------------------------------------------------------------------------

    def head(self) -> tuple[CommitRow, ...]:
        """The live commits, in the order in which their adapters are merged."""
        with self._journal.reading() as connection:
            return history.rows(connection, history.live_seqs(connection))

    def log(self) -> tuple[CommitRow, ...]:
        """Every commit ever made, newest first; `live` tells whether it is in the head."""
        with self._journal.reading() as connection:
            return tuple(reversed(history.commits(connection)))

    def head_at(self, commit: str) -> tuple[CommitRow, ...]:
        """The head as it stood when the commit whose id begins with `commit` was accepted."""
        return self._of(
            commit, lambda connection, found: history.rows(connection, history.head_with(connection, found))
        )

    def stale(self) -> tuple[CommitRow, ...]:
        """The live commits that rest on what is no longer live and want retraining, in the head's order."""
        with self._journal.reading() as connection:
            return history.rows(connection, [each.seq for each in stale(connection)])

    def commit(self, commit: str) -> CommitRow:
        """The commit whose id begins with `commit`. Raises StoreError if there is none, or several."""
        with self._journal.reading() as connection:
            return self._commit(connection, history.find(connection, commit))

    def moves(self, last: int = 20) -> tuple[Move, ...]:
        """The last entries in the head's log, newest first."""
        with self._journal.reading() as connection:
            return tuple(history.moves(connection, last))

    def left(self) -> dict[str, str]:
        """Id of a commit that is not live → the verb (`revert`, `rollback`, ...) that took it out."""
        with self._journal.reading() as connection:
            return left(connection)

    def moves_of(self, verb: str) -> tuple[tuple[Move, Move], ...]:
        """Every entry of this kind in the head's log with the entry before it, newest first."""
        with self._journal.reading() as connection:
            return tuple(history.moves_of(connection, verb))

    def known_sources(self) -> tuple[SourceRow, ...]:
        """Every version of every document that a commit learned, newest first."""
        return tuple(
            SourceRow(source.path, source.sha256, source.bytes, commit.id, commit.live)
            for commit in self.log()
            for source in commit.sources
        )

    def source_commit(self, path: str, sha256: str) -> CommitRow | None:
        """The newest live commit that learned this version of the document, if there is one."""
        part = j.COMMIT_SOURCES
        learned = select(part.c.commit_id).where(part.c.path == path_text(path), part.c.sha256 == sha256)
        with self._journal.reading() as connection:
            found = history.commits(connection, j.COMMITS.c.id.in_(learned))
        return next((commit for commit in reversed(found) if commit.live), None)

    # -- what belongs to a commit (by id or the beginning of one) -----------------------------------

    def probes(self, commit: str) -> tuple[ProbeResult, ...]:
        """Its probes, with the answers before and after; those whose text was erased are left out."""
        return self._of(commit, lambda connection, found: tuple(reading.results(connection, [found])[found]))

    def all_probes(self, commits: Iterable[str]) -> dict[str, list[ProbeResult]]:
        """The probes of all these commits (whole ids) at once: commit → as `probes` gives them."""
        with self._journal.reading() as connection:
            return reading.results(connection, commits)

    def tasks(self, commit: str) -> tuple[Task, ...]:
        """Its tasks, each with all probes ever recorded for it; those whose text was erased are left out."""
        return self._of(commit, reading.tasks)

    def passages(self, commits: Iterable[str]) -> tuple[Task, ...]:
        """The tasks of all these commits (whole ids), each once, without probes, in no particular order."""
        with self._journal.reading() as connection:
            return reading.passages(connection, commits)

    def edits(self, commit: str) -> tuple[SelfEdit, ...]:
        """The self-edits that it was trained on; those whose text was erased are left out."""
        return self._of(commit, reading.edits)

    def texts_used(self, commit: str) -> tuple[str, ...]:
        """The hashes of all texts that it was trained on."""
        return tuple(self.text_tasks(commit))

    def text_tasks(self, commit: str) -> dict[str, str | None]:
        """Hash of a text that it was trained on → id of the task that it stems from, if one was named."""
        return self._of(commit, reading.text_tasks)

    def trained_on(self, commit: str) -> tuple[str, ...]:
        """The ids of the commits in the head that its adapter was trained on, in order."""
        return self._of(
            commit, lambda connection, found: tuple(each.id for each in _trained_on(connection, found))
        )

    def plan(self, commit: str) -> TrainingPlan:
        """The plan that trained it, with its head. Raises StoreError if a text of it was erased."""

        def read(connection: Connection, commit: str) -> TrainingPlan:
            adapters = tuple(
                reading.adapter(connection, each.adapter) for each in _trained_on(connection, commit)
            )
            plan_id = connection.execute(
                select(j.COMMITS.c.plan).where(j.COMMITS.c.id == commit)
            ).scalar_one()
            return reading.plan(connection, plan_id, Head(self.weights, adapters))

        return self._of(commit, read)

    def gate_report(self, commit: str) -> Mapping[str, Any] | None:
        """The gate's report; None where there was no gate or the report was erased."""
        return self._of(commit, reading.gate_report)

    def report(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        """The newest report of this kind on `subject`; None if there is none or it was erased."""
        with self._journal.reading() as connection:
            return reports.newest(connection, kind, subject)

    # -- adapters, texts, trials, results -----------------------------------------------------------

    def adapter(self, digest: str) -> AdapterRow:
        """A kept adapter, by the engine's hash of it. Raises StoreError if there is none."""
        with self._journal.reading() as connection:
            return reading.adapter(connection, digest)

    def adapter_path(self, digest: str) -> Path:
        """The safetensors file of an adapter: to be read only. Raises StoreError if it is unknown or gone."""
        row = self.adapter(digest)
        path = self._blobs.path(row.blob)
        if row.erased:
            raise StoreError(f"adapter {digest[:12]}: its weights were erased; learn its documents again")
        if not path.is_file():
            raise StoreError(
                f"adapter {digest[:12]}: its weights are not in the store; put {path} back from a backup"
            )
        return path

    def text(self, digest: str) -> str:
        """A text by its hash. Raises StoreError if it is unknown or erased."""
        with self._journal.reading() as connection:
            found = reading.texts(connection, [digest])
        if digest not in found:
            raise StoreError(f"text {digest[:12]}: not in this store, or erased; only its hash is left")
        return found[digest]

    def trial(self, key: str) -> TrialRow | None:
        """How the trial with this key ended, if it has been recorded."""
        with self._journal.reading() as connection:
            return reading.trials(connection, [key]).get(key)

    def edit(self, edit: str) -> SelfEdit | None:
        """A recorded self-edit by its id; None if it is unknown or erased."""
        with self._journal.reading() as connection:
            return reading.edit(connection, edit)

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
        """Keep bulk (JSON by key) in runs.db, which may be dropped at any time."""
        self._check_writer()
        self._runs.put(kind, values)

    def result(self, kind: Kind, key: str) -> Any | None:
        """A value from runs.db, or None."""
        return self._runs.get(kind, key)

    # -- the steps that change the head -------------------------------------------------------------

    def accept(self, new: NewCommit, *, verb: str = "learn", replaces: str | None = None) -> CommitRow:
        """Make a commit of an adapter and put it at the end of the head: all of it durable, or nothing.

        With `replaces` it takes the place of that live commit. A commit that has been made before from the
        same things on the same parent is not made twice; it becomes live again. Raises StoreError if the plan
        stands on another head than that of the commits before its place.
        """
        self._check_writer()
        self.check_weights(new.plan.head.base if new.plan.head else self.weights)
        with self._journal.reading() as connection:
            place = accepting.place(connection, new.plan, self.weights, replaces)
        blob = self._blobs.add(new.adapter.weights)
        with self._writing("writing a commit") as connection:
            commit = accepting.write(connection, new, blob, place, (verb, self._now()))
            return self._commit(connection, commit)

    def move_head(self, verb: str, commits: Items[str]) -> None:
        """Make these commits (ids), in this order, the head.

        Raises StoreError for unknown and repeated ones, and for those whose weights were erased.
        """
        with self._writing("moving the head") as connection:
            history.move(connection, verb, commits, self._now())

    def gc(self, *, erase: Items[str] = ()) -> Collected:
        """Remove what is not needed: weights that no commit has, unfinished files, cached heads.

        With `erase` (commits, by id or the beginning of one) also their texts that no other commit holds and
        their weights, for good; so too the weights of commits that are not live and replayed these texts.
        Raises StoreError, and changes nothing, if one of them is live or a live commit replayed its texts.
        """
        self._check_writer()
        log = self.path / creation.RETRAINING
        parts = Parts(self._journal, self._blobs, self._runs, self.heads_folder, log)
        return collect(parts, erase, self._now())

    def backup(self, target: str | os.PathLike[str]) -> Backup:
        """Copy the store to the new folder `target`, whole or not at all; others may go on writing.

        The copy is a store like any other, its journal a file. Raises StoreError where `target` is taken.
        """
        return back_up(Original(self.path, self._journal, self._now), _place(target))

    def verify(self) -> Verification:
        """Hash every blob and text, and check the chain of commits and of head moves."""
        return verify(self._journal, self._blobs)

    # -- inside -------------------------------------------------------------------------------------

    def _of(self, commit: str, read: Callable[[Connection, str], Found]) -> Found:
        """What `read` finds for the commit whose id begins with `commit`."""
        with self._journal.reading() as connection:
            return read(connection, history.find(connection, commit))

    def _commit(self, connection: Connection, commit: str) -> CommitRow:
        return history.commits(connection, j.COMMITS.c.id == commit)[0]

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


def _trained_on(connection: Connection, commit: str) -> list[Live]:
    packed = connection.execute(select(j.COMMITS.c.trained_on).where(j.COMMITS.c.id == commit)).scalar_one()
    return history.by_seq(connection, unpack(packed))


def _place(path: str | os.PathLike[str]) -> Path:
    return Path(os.path.realpath(path))


def _stamp(clock: Clock) -> str:
    return clock().astimezone(UTC).isoformat(timespec="microseconds")
