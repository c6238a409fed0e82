"""A model that keeps learning: a store, its base, and the verbs that a person uses.

What `selfedit.open` returns, and what the command line calls. Each verb opens the store, hands the work to
the module that does it, and closes the store again. Knows nothing of argv or screens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from selfedit import consolidating, exporting, quarantine, telling, undoing
from selfedit.admission import Screening
from selfedit.arrivals import Paths, arrivals, check, listed, unlearned
from selfedit.asking import NEWEST, check_kept, head_named
from selfedit.config import BUILT_IN, Learning, recorded
from selfedit.edits.questions import ask_prompt
from selfedit.errors import StoreError, UsageError
from selfedit.exporting import Exported, Wanted
from selfedit.forecast import Forecast, forecast
from selfedit.guarding import guard
from selfedit.lessons import Hire, Lesson, Pupil, Watch, unwatched
from selfedit.lifelong import LearnReport
from selfedit.opening import AT_ONCE, Access, check_new, loader
from selfedit.policies import shipped
from selfedit.proving import Proof
from selfedit.quarantine import Candidate
from selfedit.reciting import Query, Reader, recited
from selfedit.routing import relevance
from selfedit.serving import Member, Served, member
from selfedit.store import Backup, Collected, CommitRow, SourceRow, Store, Verification
from selfedit.store.creation import HEADS
from selfedit.studying import Study, unchanged_files
from selfedit.tasks import Mend, Reading, as_it_is, read
from selfedit.telling import Difference, DifferenceRow, Shown
from selfedit.types import Answer, Completion, GenerationRequest
from selfedit.undoing import Moved, Undone

if TYPE_CHECKING:
    from selfedit.config import Recipe
    from selfedit.engine import Adapter
    from selfedit.reinforcing import Outlook, RoundReport
    from selfedit.workers import Worker

__all__ = [
    "Access",
    "Candidate",
    "Difference",
    "DifferenceRow",
    "Exported",
    "Memory",
    "Moved",
    "Proof",
    "Shown",
    "Undone",
    "check",
]

ANSWER_TOKENS = 64


@final
class Memory:
    """A store and the model that it belongs to. The model is loaded when it is first needed.

    What changes the store takes its write lock for as long as it works, as `access` says; what only reads
    (asking too) never waits. A commit is named by the beginning of its id.
    """

    def __init__(self, path: Path, load: Callable[[], Worker], access: Access = AT_ONCE) -> None:
        self.path = path
        self.access = access
        self._load = load
        self._worker: Worker | None = None
        self._adapters: dict[str, Adapter] = {}

    @staticmethod
    def open(
        path: str | os.PathLike[str],
        base: str | None = None,
        *,
        device: str = "auto",
        dtype: str | None = None,
        access: Access = AT_ONCE,
    ) -> Memory:
        """Open a store; with `base`, make it if missing. Raises StoreError, ModelError or UsageError."""
        place = Path(path)
        if Store.exists(place):
            return Memory._existing(place, base, device, dtype, access)
        if base is None:
            raise StoreError(f"{place}: no store there; learn something into it first, or name a base")
        check_new(place, access.journal)
        memory = Memory(place, loader(base, device, dtype or "auto"), access)
        worker = memory.worker
        Store.create(
            place,
            base=base,
            weights=worker.base,
            dtype=worker.dtype,
            journal=access.journal,
            verb="learn",
        ).close()
        return memory

    @staticmethod
    def open_or_make(
        path: str | os.PathLike[str],
        base: str | None,
        *,
        device: str = "auto",
        dtype: str | None = None,
        access: Access = AT_ONCE,
    ) -> Memory:
        """Open a store, or make one: on the built-in model where no base is named."""
        if base is None and not Store.exists(path):
            base = BUILT_IN
        return Memory.open(path, base, device=device, dtype=dtype, access=access)

    @staticmethod
    def imagined(
        path: str | os.PathLike[str],
        base: str | None,
        *,
        device: str = "auto",
        dtype: str | None = None,
        access: Access = AT_ONCE,
    ) -> Memory:
        """What `open_or_make` would give, without making anything: good for `forecast` alone."""
        place = Path(path)
        if Store.exists(place):
            return Memory._existing(place, base, device, dtype, access)
        check_new(place, access.journal)
        return Memory(place, loader(base or BUILT_IN, device, dtype or "auto"), access)

    @staticmethod
    def _existing(place: Path, base: str | None, device: str, dtype: str | None, access: Access) -> Memory:
        with Store.open(place, journal=access.journal) as store:
            ref, kind = store.base, dtype or store.dtype
        if base is not None and base != ref:
            raise UsageError(f"{place}: this store was made on {ref}, not {base}; leave the base out")
        return Memory(place, loader(ref, device, kind), access)

    @property
    def worker(self) -> Worker:
        """Who computes; loaded when first asked for."""
        if self._worker is None:
            self._worker = self._load()
            self._worker.keep_heads(self.path / HEADS)
        return self._worker

    def close(self) -> None:
        """Let go of the model."""
        self._worker = None
        self._adapters.clear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # -- learning ------------------------------------------------------------------------------------------

    def learn(
        self,
        paths: Paths,
        *,
        settings: Learning | None = None,
        questions: str | os.PathLike[str] | None = None,
        each: bool = False,
        gate: bool = True,
        correction: bool = False,
        watch: Watch = unwatched,
    ) -> LearnReport:
        """Learn documents: one commit of all together, or with `each` one a file.

        What contradicts live commits is held back; with `correction` it takes the place of what they say.

        What is known already is skipped. A file that changed since (the same place, another SHA-256) is
        learned in the place of the commit that holds it, which keeps what it learned from all else; new files
        make their own commit at the end. Raises DocumentError, StoreBusyError and their kin in one line;
        nothing is half learned.
        """
        settings = settings or Learning()
        asked = check(paths, settings, questions)
        with self._writing("learn") as store:
            watch("loading the model", 0, 0)
            store.check_weights(self.worker.base)
            screening = Screening(settings.screening) if gate else None
            reading = self._read(paths, settings, screening or as_it_is)
            like = Lesson((), settings, asked, gate, correction=correction)
            reader = guard(self.worker, watch) if gate and settings.gate.guard else None
            return Study(store, self._hire(store, watch), like, each, screening, reader).learn(reading)

    def forecast(
        self,
        paths: Paths,
        *,
        settings: Learning | None = None,
        questions: str | os.PathLike[str] | None = None,
    ) -> Forecast:
        """What `learn` would do, and by estimate how long it takes. Writes nothing.

        Of a changed file only the passages that are new are counted, not what its commit is trained on again.
        """
        settings = settings or Learning()
        asked = check(paths, settings, questions)
        if not Store.exists(self.path):
            return forecast(self.worker, self._read(paths, settings), settings, asked)
        with self._reading() as store:
            store.check_weights(self.worker.base)
            found = arrivals(store, self._read(paths, settings))
            return forecast(self.worker, unlearned(store, found), settings, asked)

    def _read(self, paths: Paths, settings: Learning, mend: Mend = as_it_is) -> Reading:
        return read(listed(paths), count=self.worker.count, budget=settings.passage_tokens, mend=mend)

    # -- what was held back --------------------------------------------------------------------------------

    def quarantine(self, *, every: bool = False) -> tuple[Candidate, ...]:
        """What the gate held back and nobody has decided on, the oldest first; with `every` all of it."""
        with self._reading() as store:
            return quarantine.candidates(store) if every else quarantine.waiting(store)

    def approve(self, candidate: str, *, watch: Watch = unwatched) -> LearnReport:
        """Make live what was held back. What was refused before it was trained is learned now, without gate;
        secrets are taken out of it all the same.

        Raises StoreError for what does not wait, and where the model has changed so that it cannot be live;
        DocumentError where a file is not as it was refused.
        """
        with self._writing("approve") as store:
            held = quarantine.find(store, candidate)
            if held.trained:
                row = quarantine.let_in(store, held)
                stale = tuple(each.id for each in store.stale())
                return LearnReport(commits=(row.id,), reason="approved", stale=stale)
            watch("loading the model", 0, 0)
            store.check_weights(self.worker.base)
            settings, paths = recorded(held.settings), unchanged_files(held)
            screening = Screening(settings.screening.without_refusals())
            like = Lesson((), settings, gated=False)
            study = Study(store, self._hire(store, watch), like, screening=screening)
            report = study.learn(self._read(paths, settings, screening))
            if not report.failed:
                quarantine.decide(store, held, "approved")
            return report

    def reject(self, candidate: str) -> Candidate:
        """Decide against what was held back. Its commit stays out of the head; `gc --erase` removes it."""
        with self._writing("reject") as store:
            return quarantine.decide(store, quarantine.find(store, candidate), "rejected")

    # -- reinforcing the policy ----------------------------------------------------------------------------

    def reinforce(
        self,
        recipe: Recipe,
        *,
        data: str | os.PathLike[str] | None = None,
        resume: bool = False,
        watch: Watch = unwatched,
        ended: Callable[[RoundReport], None] = lambda report: None,
    ) -> list[RoundReport]:
        """Do the rounds of a recipe that have not ended in this store; returns all of them.

        `data` is the folder that the recipe's paths begin at. With `resume` a run of it must be there.
        `ended` is told of each round that ends. Raises UsageError for what cannot be used, and RoundError
        where every self-edit of a round failed; the rounds before it stay.
        """
        from selfedit.reinforcing import campaign, reinforce

        with self._writing("train") as store:
            watch("loading the model", 0, 0)
            store.check_weights(self.worker.base)
            work = campaign(store, self.worker, recipe, Path(data) if data else None, watch)
            if resume and work.id not in {run.id for run in store.runs()}:
                raise UsageError(f"{self.path}: no run of this recipe on this data; leave --resume out")
            return reinforce(work, ended)

    def foretell(self, recipe: Recipe, *, data: str | os.PathLike[str] | None = None) -> Outlook:
        """What rounds and table of a recipe will cost, and how long they take here. Writes nothing."""
        from selfedit.reinforcing import foretell

        return foretell(self.worker, recipe, Path(data) if data else None)

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, question: str, *, at: str | None = None, topic: str | None = None) -> Answer:
        """The model's answer without any document in view; `at` asks as of an earlier commit, or of `base`.

        Facts were learned under their passage's title. Where no `topic` is given, it is the title of the
        learned passage that the question is about (`routing`); "" asks without any. It sees no more. Of
        commits that answer alone, the one that learned this passage answers; one that recites says sentences
        first (`Answer.recited`), and these are read for the answer.
        """
        if not question.strip():
            raise UsageError("the question is empty; ask something")
        with self._reading() as store:
            rows = head_named(store, NEWEST if at is None else at)
            store.check_weights(self.worker.base)
            members = self._members(store, rows)
        voice = Served(self.worker, members, relevance(self.worker)).voice(question, topic)
        query = Query(question, voice.title if topic is None else topic, voice.adapter, voice.head)
        said, completion = self._said(query) if voice.recites else ((), self._told(query))
        head = self.worker.head([each.adapter for each in members])
        return Answer(completion.text.strip(), completion.logprob, head.id, voice.commit, said)

    def _told(self, query: Query) -> Completion:
        """The answer at once."""
        prompt = ask_prompt(query.question, query.topic)
        request = GenerationRequest(prompt, query.adapter, query.head, max_tokens=ANSWER_TOKENS, stop=("\n",))
        return self.worker.generate([request])[0]

    def _said(self, query: Query) -> tuple[tuple[str, ...], Completion]:
        """The sentences that are said first, and what is read in them; at once where none is said."""
        (said,) = recited(self.worker, [query])
        reader = Reader(self.worker, shipped(self.worker))
        (found,) = reader.answers([query], [said], ANSWER_TOKENS)
        return said, found or self._told(query)

    # -- history -------------------------------------------------------------------------------------------

    def log(self) -> tuple[CommitRow, ...]:
        """Every commit, newest first."""
        with self._reading() as store:
            return store.log()

    def stale(self) -> tuple[CommitRow, ...]:
        """The live commits that rest on what is no longer live: `retrain` trains them again."""
        with self._reading() as store:
            return store.stale()

    def sources(self) -> tuple[SourceRow, ...]:
        """Every version of every document that a commit learned, newest first."""
        with self._reading() as store:
            return store.known_sources()

    def show(self, commit: str) -> Shown:
        """What a commit learned, in words. Loads no model."""
        with self._reading() as store:
            return telling.show(store, commit)

    def diff(self, a: str, b: str, *, watch: Watch = unwatched) -> Difference:
        """How the heads as of two commits (or `base`, or `head`) answer all stored reporting probes."""
        with self._reading() as store:
            return telling.difference(store, self._hire(store, watch), a, b)

    def verify(self) -> Verification:
        """Read everything in the store and check it against its hash."""
        with self._reading() as store:
            return store.verify()

    def backup(self, target: str | os.PathLike[str]) -> Backup:
        """Copy the store to the new folder `target`, whole or not at all; others may go on writing."""
        with self._reading() as store:
            return store.backup(target)

    # -- taking back ---------------------------------------------------------------------------------------

    def revert(
        self,
        commit: str,
        *,
        source: str | os.PathLike[str] | None = None,
        now: bool = False,
        watch: Watch = unwatched,
    ) -> Undone:
        """Take a commit out of the head at once; with `source`, train it anew without that one file.

        What was trained on top of it, or replayed its texts, is then stale and stays live until `retrain`,
        which `now` does as well. Without either no model is loaded. Raises StoreError for a commit that is
        not live and for a file that it does not hold.
        """
        file = None if source is None else os.fspath(source)
        with self._writing("revert") as store:
            return undoing.revert(store, self._hire(store, watch), commit, source=file, now=now)

    def retrain(self, *, watch: Watch = unwatched) -> Undone:
        """Train again what is stale, from the front to the back, then prove that what was reverted is out.

        Each commit is durable when it is done: broken off, the next call goes on. Loads no model where there
        is nothing to do.
        """
        with self._writing("retrain") as store:
            return undoing.retrain(store, self._hire(store, watch))

    def consolidate(self, *, settings: Learning | None = None, watch: Watch = unwatched) -> LearnReport:
        """Train one adapter of all live commits, from the base, and let it take their place.

        Only if the gate finds that it still knows what they knew; else it is held back. Raises StoreError
        where there are not two.
        """
        with self._writing("consolidate") as store:
            watch("loading the model", 0, 0)
            return consolidating.consolidate(store, self._hire(store, watch), settings or Learning())

    def rollback(self, commit: str) -> Moved:
        """Make the head what it was when `commit` was made (`base`: nothing learned); forward again likewise.

        Nothing is deleted, and no model is loaded.
        """
        with self._writing("rollback") as store:
            return undoing.rollback(store, commit)

    def gc(self, *, erase: str | Iterable[str] = ()) -> Collected:
        """Remove what nothing needs; with `erase` (commits) also their texts and weights, for good.

        Raises StoreError, and removes nothing, for a commit that is live.
        """
        with self._writing("gc") as store:
            found = store.gc(erase=[erase] if isinstance(erase, str) else list(erase))
        self._adapters.clear()
        return found

    # -- taking it elsewhere -------------------------------------------------------------------------------

    def export(
        self,
        folder: str | os.PathLike[str],
        *,
        form: str = "merged",
        at: str | None = None,
        rank: int | None = None,
        error: float | None = None,
        dtype: str | None = None,
        watch: Watch = unwatched,
    ) -> Exported:
        """Write the model to a new folder: `merged`, as one `lora`, or as its `adapters` (see `Wanted`).

        Raises UsageError, ExportError or StoreError in one line; nothing is left half written.
        """
        wanted = Wanted(form, rank, error, dtype)
        with self._reading() as store:
            return exporting.export(store, self._hire(store, watch), folder, wanted, at)

    # -- inside --------------------------------------------------------------------------------------------

    def _reading(self) -> Store:
        return Store.open(self.path, journal=self.access.journal)

    def _writing(self, verb: str) -> Store:
        how = self.access
        return Store.open(
            self.path, write=True, verb=verb, wait=how.wait, waiting=how.waiting, journal=how.journal
        )

    def _hire(self, store: Store, watch: Watch) -> Hire:
        """Who stands on given commits; the first call loads the model."""

        def hire(rows: Items[CommitRow]) -> Pupil:
            if self._worker is None:
                watch("loading the model", 0, 0)
            store.check_weights(self.worker.base)
            return Pupil(store, self.worker, self._members(store, rows), shipped(self.worker), watch)

        return hire

    def _members(self, store: Store, rows: Items[CommitRow]) -> tuple[Member, ...]:
        """These commits with their adapters. Raises StoreError where one was erased."""
        from selfedit.engine import Adapter

        check_kept(store, (row for row in rows if not row.live))
        for row in rows:
            if row.adapter not in self._adapters:
                config, path = store.adapter(row.adapter).config, store.adapter_path(row.adapter)
                self._adapters[row.adapter] = Adapter.from_file(path, config, row.adapter)
        passages = store.passages_by(row.id for row in rows)
        return tuple(member(row, self._adapters[row.adapter], passages[row.id]) for row in rows)
