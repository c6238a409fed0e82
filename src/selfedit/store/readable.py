"""What can be asked of a store that is open.

Each answer is one consistent view; no reader waits for the writer's lock. Knows nothing of locks, nor
of how anything comes into a store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import Connection, select

from selfedit.errors import StoreError
from selfedit.store import creation, history, reading, reports, rounds
from selfedit.store import journal as j
from selfedit.store.blobs import Blobs
from selfedit.store.departures import left
from selfedit.store.drafts import path_text
from selfedit.store.history import Live
from selfedit.store.journal import Journal
from selfedit.store.rows import (
    AdapterRow,
    CommitRow,
    Move,
    ProbeResult,
    ReportRow,
    RoundRow,
    RunRow,
    SourceRow,
    TrialRow,
    Verification,
)
from selfedit.store.runs import Kind, Runs
from selfedit.store.spans import unpack
from selfedit.store.stale import stale
from selfedit.store.verify import verify
from selfedit.types import FewShot, Head, SelfEdit, Task, TrainingPlan

Found = TypeVar("Found")


class Readable(ABC):
    """A store as a reader sees it."""

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path = path
        self._journal = journal
        self._blobs = Blobs(path / creation.BLOBS)
        self._runs = Runs(path / creation.RUNS)
        with journal.reading() as connection:
            self._meta = {row.name: row.value for row in connection.execute(select(j.META))}

    @abstractmethod
    def close(self) -> None:
        """Let go of what is held. Further calls do nothing."""

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
    def created(self) -> str:
        """When it was made."""
        return self._meta["created"]

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
            SourceRow(source.path, source.sha256, source.bytes, commit.id, commit.live, source.place)
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
        """The tasks of all these commits (whole ids), each once, without probes."""
        found = self.passages_by(commits).values()
        return tuple({task.id: task for mine in found for task in mine}.values())

    def passages_by(self, commits: Iterable[str]) -> dict[str, list[Task]]:
        """The tasks of these commits (whole ids), without probes: commit → its tasks, in order."""
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

    def known_tasks(self, ids: Iterable[str]) -> dict[str, Task]:
        """Recorded tasks by whole id, each with all its probes; unknown and erased ones are left out."""
        with self._journal.reading() as connection:
            return reading.known(connection, ids)

    def demonstrations(self, ids: Iterable[str]) -> dict[str, FewShot[Any]]:
        """Recorded tasks of demonstrations by whole id; unknown, erased and other ones are left out."""
        with self._journal.reading() as connection:
            return reading.demonstrations(connection, ids)

    def gate_report(self, commit: str) -> Mapping[str, Any] | None:
        """The gate's report; None where there was no gate or the report was erased."""
        return self._of(commit, reading.gate_report)

    def report(self, kind: str, subject: str) -> Mapping[str, Any] | None:
        """The newest report of this kind on `subject`; None if there is none or it was erased."""
        with self._journal.reading() as connection:
            return reports.newest(connection, kind, subject)

    def reports(self, kind: str) -> list[ReportRow]:
        """The newest report of this kind on every subject that has one, the oldest first."""
        with self._journal.reading() as connection:
            return reports.every(connection, kind)

    # -- runs -----------------------------------------------------------------------------------

    def runs(self) -> list[RunRow]:
        """Every run of a recipe, the oldest first."""
        with self._journal.reading() as connection:
            return rounds.runs(connection)

    def rounds(self, run: str) -> list[RoundRow]:
        """The rounds of a run that have ended, in order; none where there is no such run."""
        with self._journal.reading() as connection:
            return rounds.rounds(connection, run)

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

    def result(self, kind: Kind, key: str) -> Any | None:
        """A value from runs.db, or None."""
        return self._runs.get(kind, key)

    def verify(self) -> Verification:
        """Hash every blob and text, and check the chains of commits, of head moves and of rounds."""
        return verify(self._journal, self._blobs)

    # -- inside -------------------------------------------------------------------------------------

    def _of(self, commit: str, read: Callable[[Connection, str], Found]) -> Found:
        """What `read` finds for the commit whose id begins with `commit`."""
        with self._journal.reading() as connection:
            return read(connection, history.find(connection, commit))

    def _commit(self, connection: Connection, commit: str) -> CommitRow:
        return history.commits(connection, j.COMMITS.c.id == commit)[0]


def _trained_on(connection: Connection, commit: str) -> list[Live]:
    packed = connection.execute(select(j.COMMITS.c.trained_on).where(j.COMMITS.c.id == commit)).scalar_one()
    return history.by_seq(connection, unpack(packed))
