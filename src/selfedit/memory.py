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
from selfedit.edits.questions import ask_prompt
from selfedit.engine import Adapter, Engine
from selfedit.errors import StoreError, UsageError
from selfedit.lifelong import LearnReport, Lesson, Pupil, Watch, unwatched
from selfedit.policies import shipped
from selfedit.store import CommitRow, Store
from selfedit.tasks import Document, read, read_questions
from selfedit.types import Answer, GenerationRequest
from selfedit.workers import LocalWorker, Worker

Paths = str | os.PathLike[str] | Iterable[str | os.PathLike[str]]


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
        path: str | os.PathLike[str], base: str | None = None, *, device: str = "auto", dtype: str | None = None
    ) -> Memory:
        """Open a store; with `base`, make it if it is not there. Raises StoreError, ModelError or UsageError."""
        place = Path(path)
        if not Store.exists(place):
            if base is None:
                raise StoreError(f"{place}: no store there; learn something into it first, or name a base")
            return Memory._create(place, base, device, dtype or "auto")
        with Store.open(place) as store:
            ref, kind = store.base, store.dtype
        if base is not None and base != ref:
            raise UsageError(f"{place}: this store was made on {ref}, not {base}; leave the base out")
        return Memory(place, lambda: LocalWorker(Engine.load(ref, device=device, dtype=dtype or kind)))

    @staticmethod
    def _create(place: Path, base: str, device: str, dtype: str) -> Memory:
        worker = LocalWorker(Engine.load(base, device=device, dtype=dtype))
        Store.create(place, base=base, weights=worker.base, dtype=worker.dtype, verb="learn").close()
        memory = Memory(place, lambda: worker)
        memory._worker = worker
        return memory

    @property
    def worker(self) -> Worker:
        """The worker, loaded and checked against the store."""
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
        """Learn documents: one commit of all together, or with `each` one a file. What is known already is skipped.

        Raises DocumentError, StoreBusyError and their kin in one line; nothing is half learned.
        """
        settings = settings or Learning()
        asked = read_questions(questions) if questions else ()
        with Store.open(self.path, write=True, verb="learn") as store:
            store.check_weights(self.worker.base)
            documents, skipped = self.read(paths, settings, store)
            if not documents:
                return LearnReport(accepted=True, reason="nothing new to learn", skipped=skipped)
            groups = [(document,) for document in documents] if each else [documents]
            reports = []
            for group in groups:
                pupil = Pupil(store, self.worker, self._live(store.head()), shipped(self.worker), watch)
                reports.append(lifelong.learn(pupil, Lesson(tuple(group), settings, asked, gate)))
        return replace(_together(reports), skipped=skipped)

    def read(
        self, paths: Paths, settings: Learning, store: Store | None = None
    ) -> tuple[tuple[Document, ...], tuple[str, ...]]:
        """The documents at `paths` that are new to the store, and a line for each that is not read."""
        listed = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
        reading = read([Path(path) for path in listed], count=self.worker.count, budget=settings.passage_tokens)
        known = [d for d in reading.documents if store and store.source_commit(d.path, d.sha256)]
        fresh = tuple(d for d in reading.documents if d not in known)
        lines = tuple(f"{d.path}: unchanged since it was learned; skipped" for d in known)
        return fresh, (*reading.skipped, *lines)

    # -- asking --------------------------------------------------------------------------------------------

    def ask(self, question: str, *, at: str | None = None, topic: str = "", max_tokens: int = 64) -> Answer:
        """The model's answer without any document in view; `at` asks as of an earlier commit."""
        if not question.strip():
            raise UsageError("the question is empty; ask something")
        with Store.open(self.path) as store:
            store.check_weights(self.worker.base)
            rows = store.head() if at is None else (*map(store.commit, store.trained_on(at)), store.commit(at))
            live = self._live(rows)
        head = self.worker.head(live)
        prompt = ask_prompt(question, topic)
        request = GenerationRequest(prompt, head=head, max_tokens=max_tokens, stop=("\n",))
        (completion,) = self.worker.generate([request])
        return Answer(completion.text.strip(), completion.logprob, head.id)

    # -- history -------------------------------------------------------------------------------------------

    def log(self) -> tuple[CommitRow, ...]:
        """Every commit, newest first."""
        with Store.open(self.path) as store:
            return store.log()

    def _live(self, rows: Items[CommitRow]) -> tuple[Adapter, ...]:
        with Store.open(self.path) as store:
            for row in rows:
                if row.adapter not in self._adapters:
                    config = store.adapter(row.adapter).config
                    self._adapters[row.adapter] = Adapter.from_file(store.adapter_path(row.adapter), config)
        return tuple(self._adapters[row.adapter] for row in rows)


def _together(reports: list[LearnReport]) -> LearnReport:
    """One report of several: sums, and means weighted by reporting probes."""
    if len(reports) == 1:
        return reports[0]
    weights = [report.probes for report in reports]
    figures = {name: _mean([getattr(r, name) for r in reports], weights) for name in _AVERAGED}
    refused = [report.reason for report in reports if not report.accepted]
    return LearnReport(
        commits=tuple(commit for report in reports for commit in report.commits),
        tasks=sum(report.tasks for report in reports),
        probes=sum(weights),
        **figures,
        retention=reports[-1].retention,
        accepted=not refused,
        reason="; ".join(refused) or reports[0].reason,
        seconds=sum(report.seconds for report in reports),
        tokens=sum(report.tokens for report in reports),
        trials=sum(report.trials for report in reports),
        failures=sum(report.failures for report in reports),
        asked=tuple(asked for report in reports for asked in report.asked),
    )


_AVERAGED = (
    "recall_before",
    "recall_after",
    "concise_before",
    "concise_after",
    "mismatch_before",
    "mismatch_after",
)


def _mean(values: list[float | None], weights: list[int]) -> float | None:
    pairs = [(value, weight) for value, weight in zip(values, weights, strict=True) if value is not None and weight]
    total = sum(weight for _, weight in pairs)
    return sum(value * weight for value, weight in pairs) / total if total else None


def default_base(base: str | None) -> str:
    """The base of a new store."""
    return base or BUILT_IN
