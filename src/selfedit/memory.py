"""A model that keeps learning: a store, its base, and the verbs that a person uses.

What `selfedit.open` returns, and what the command line calls. Knows nothing of argv or screens.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self, final

from selfedit import lifelong
from selfedit.config import BUILT_IN, Learning
from selfedit.edits import get_format
from selfedit.edits.questions import ask_prompt
from selfedit.edits.topics import about
from selfedit.engine import Adapter, Engine
from selfedit.errors import StoreError, UsageError
from selfedit.forecast import Forecast, forecast
from selfedit.lessons import Lesson, Pupil, Watch, unwatched
from selfedit.lifelong import LearnReport
from selfedit.policies import shipped
from selfedit.probing import assigned
from selfedit.store import CommitRow, Store
from selfedit.tasks import Document, Reading, read, read_questions
from selfedit.types import Answer, GenerationRequest, Probe
from selfedit.workers import LocalWorker, Worker

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]
ANSWER_TOKENS = 64


@final
class Memory:
    """A store and the model that it belongs to. The model is loaded when it is first needed."""

    def __init__(self, path: Path, load: Callable[[], Worker]) -> None:
        self.path = path
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
    ) -> Memory:
        """Open a store; with `base`, make it if missing. Raises StoreError, ModelError or UsageError."""
        place = Path(path)
        if Store.exists(place):
            return Memory._existing(place, base, device, dtype)
        if base is None:
            raise StoreError(f"{place}: no store there; learn something into it first, or name a base")
        _refuse_taken(place)
        memory = Memory(place, lambda: LocalWorker(Engine.load(base, device=device, dtype=dtype or "auto")))
        worker = memory.worker
        Store.create(place, base=base, weights=worker.base, dtype=worker.dtype, verb="learn").close()
        return memory

    @staticmethod
    def open_or_make(
        path: str | os.PathLike[str], base: str | None, *, device: str = "auto", dtype: str | None = None
    ) -> Memory:
        """Open a store, or make one: on the built-in model where no base is named."""
        if base is None and not Store.exists(path):
            base = BUILT_IN
        return Memory.open(path, base, device=device, dtype=dtype)

    @staticmethod
    def imagined(
        path: str | os.PathLike[str], base: str | None, *, device: str = "auto", dtype: str | None = None
    ) -> Memory:
        """What `open_or_make` would give, without making anything: good for `forecast` alone."""
        place = Path(path)
        if Store.exists(place):
            return Memory._existing(place, base, device, dtype)
        _refuse_taken(place)
        ref = base or BUILT_IN
        return Memory(place, lambda: LocalWorker(Engine.load(ref, device=device, dtype=dtype or "auto")))

    @staticmethod
    def _existing(place: Path, base: str | None, device: str, dtype: str | None) -> Memory:
        with Store.open(place) as store:
            ref, kind = store.base, dtype or store.dtype
        if base is not None and base != ref:
            raise UsageError(f"{place}: this store was made on {ref}, not {base}; leave the base out")
        return Memory(place, lambda: LocalWorker(Engine.load(ref, device=device, dtype=kind)))

    @property
    def worker(self) -> Worker:
        """Who computes; loaded when first asked for."""
        if self._worker is None:
            self._worker = self._load()
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
        watch: Watch = unwatched,
    ) -> LearnReport:
        """Learn documents: one commit of all together, or with `each` one a file.

        What is known already is skipped. Raises DocumentError, StoreBusyError and their kin in one line;
        nothing is half learned.
        """
        settings = settings or Learning()
        asked = check(paths, settings, questions)
        with Store.open(self.path, write=True, verb="learn") as store:
            watch("loading the model", 0, 0)
            store.check_weights(self.worker.base)
            fresh = self._fresh(paths, settings, store)
            if not fresh.documents:
                return LearnReport(reason="nothing new to learn", skipped=fresh.skipped)
            reports: list[LearnReport] = []
            for lesson in lessons(fresh.documents, Lesson((), settings, asked, gate), each):
                pupil = Pupil(store, self.worker, self._live(store), shipped(self.worker), watch)
                reports.append(lifelong.learn(pupil, lesson))
        return replace(together(reports), skipped=fresh.skipped)

    def forecast(
        self,
        paths: Paths,
        *,
        settings: Learning | None = None,
        questions: str | os.PathLike[str] | None = None,
    ) -> Forecast:
        """What `learn` would do, and by estimate how long it takes. Writes nothing."""
        settings = settings or Learning()
        asked = check(paths, settings, questions)
        if not Store.exists(self.path):
            return forecast(self.worker, self._read(paths, settings), settings, asked)
        with Store.open(self.path) as store:
            store.check_weights(self.worker.base)
            return forecast(self.worker, self._fresh(paths, settings, store), settings, asked)

    def _read(self, paths: Paths, settings: Learning) -> Reading:
        return read(_listed(paths), count=self.worker.count, budget=settings.passage_tokens)

    def _fresh(self, paths: Paths, settings: Learning, store: Store) -> Reading:
        """The documents that are new to the store's head; the others are skipped with a line."""
        found = self._read(paths, settings)
        known = {d.path for d in found.documents if store.source_commit(d.path, d.sha256)}
        lines = (
            f"{d.path}: unchanged since it was learned; skipped" for d in found.documents if d.path in known
        )
        return Reading(tuple(d for d in found.documents if d.path not in known), (*found.skipped, *lines))

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, question: str, *, at: str | None = None, topic: str | None = None) -> Answer:
        """The model's answer without any document in view; `at` asks as of an earlier commit.

        Facts were learned under their passage's title. Where no `topic` is given, it is the title of the
        learned passage that is nearest to the question in words; "" asks without any. It sees no more.
        """
        if not question.strip():
            raise UsageError("the question is empty; ask something")
        with Store.open(self.path) as store:
            rows = None if at is None else _as_of(store, at)
            store.check_weights(self.worker.base)
            live = self._live(store, rows)
            title = _title(store, rows, question) if topic is None else topic
        head = self.worker.head(live)
        prompt = ask_prompt(question, title)
        request = GenerationRequest(prompt, head=head, max_tokens=ANSWER_TOKENS, stop=("\n",))
        (completion,) = self.worker.generate([request])
        return Answer(completion.text.strip(), completion.logprob, head.id)

    # -- history -------------------------------------------------------------------------------------------

    def log(self) -> tuple[CommitRow, ...]:
        """Every commit, newest first."""
        with Store.open(self.path) as store:
            return store.log()

    def _live(self, store: Store, rows: Items[CommitRow] | None = None) -> tuple[Adapter, ...]:
        """The adapters of `rows`, or of the head."""
        chosen = store.head() if rows is None else rows
        for row in chosen:
            if row.adapter not in self._adapters:
                config = store.adapter(row.adapter).config
                self._adapters[row.adapter] = Adapter.from_file(store.adapter_path(row.adapter), config)
        return tuple(self._adapters[row.adapter] for row in chosen)


def check(
    paths: Paths, settings: Learning, questions: str | os.PathLike[str] | None = None
) -> tuple[Probe, ...]:
    """Refuse what cannot be learned before a model is loaded or a store made; returns the user's questions.

    Raises DocumentError for documents or questions that cannot be read, EditError for an unknown format.
    """
    get_format(settings.format)
    asked = read_questions(Path(questions)) if questions is not None else ()
    read(_listed(paths), count=lambda text: len(text.split()), budget=settings.passage_tokens)
    return asked


def lessons(documents: Items[Document], like: Lesson, each: bool) -> list[Lesson]:
    """One lesson of all documents, or with `each` one of each with the questions that are about it."""
    if not each:
        return [replace(like, documents=tuple(documents))]
    tasks = [task for document in documents for task in document.tasks]
    owned = assigned([replace(task, probes=()) for task in tasks], like.questions)
    return [
        replace(like, documents=(document,), questions=_questions(document, owned)) for document in documents
    ]


def _questions(document: Document, owned: dict[str, tuple[Probe, ...]]) -> tuple[Probe, ...]:
    return tuple(dict.fromkeys(probe for task in document.tasks for probe in owned[task.id]))


def together(reports: Items[LearnReport]) -> LearnReport:
    """One report of several: sums, and figures over the passages of all."""
    if len(reports) == 1:
        return reports[0]
    refused = [report.reason for report in reports if not report.accepted]
    commits = tuple(commit for report in reports for commit in report.commits)
    return LearnReport(
        commits=commits,
        tasks=sum(report.tasks for report in reports),
        accepted=not refused,
        reason="; ".join(dict.fromkeys(refused)) or reports[0].reason,
        seconds=sum(report.seconds for report in reports),
        failed=not commits and any(report.failed for report in reports),
        tokens=sum(report.tokens for report in reports),
        trials=sum(report.trials for report in reports),
        failures=sum(report.failures for report in reports),
    ).with_answers([row for report in reports for row in report.asked], reports[-1].retention)


def _title(store: Store, rows: Items[CommitRow] | None, question: str) -> str:
    """The title under which the answer was most likely learned."""
    learned = [task for row in (store.head() if rows is None else rows) for task in store.tasks(row.id)]
    found = about(learned, question)
    return found.title if found else ""


def _as_of(store: Store, commit: str) -> tuple[CommitRow, ...]:
    """The commits that the model consisted of when `commit` was made."""
    return (*(store.commit(each) for each in store.trained_on(commit)), store.commit(commit))


def _listed(paths: Paths) -> list[Path]:
    return [Path(paths)] if isinstance(paths, str | os.PathLike) else [Path(path) for path in paths]


def _refuse_taken(place: Path) -> None:
    """Say so before a model is loaded where no store can be made."""
    if place.is_file() or (place.is_dir() and any(place.iterdir())):
        raise StoreError(f"{place}: something else is there; choose an empty or a new place with --store")
