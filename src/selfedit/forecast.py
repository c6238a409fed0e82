"""What learning would take: passages, planned work, time and memory. Times a few rows to see how fast.

Writes nothing. The model has not written its notes yet, so what they come to is taken from rules.
"""

from __future__ import annotations

import resource
import sys
import time
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit.config import Learning, Training
from selfedit.edits import get_format
from selfedit.edits.questions import ask_prompt
from selfedit.edits.spans import best_spans
from selfedit.edits.tools import headed, split
from selfedit.edits.writer import pairs_to_rows
from selfedit.probing import assigned
from selfedit.questioning import ANSWER_TOKENS, QUESTION_TOKENS
from selfedit.reciting import RECITED_TOKENS, SAMPLES
from selfedit.rounds import Ground, plan_for
from selfedit.tasks import Reading
from selfedit.types import GenerationRequest, Probe, SelfEdit, Sequence, Task, TrainingPlan
from selfedit.writing import Brief, pair_edit

if TYPE_CHECKING:
    from selfedit.engine import Engine
    from selfedit.workers import Worker

PROBE_ROWS = 8
PROBE_TOKENS = 12
USED = 0.5
"""Part of the room for a question or an answer that is written, on the average."""
FORWARD = 1 / 3
"""What reading a prompt costs beside training on it: no backward pass, no gradient."""


@final
@dataclass(frozen=True)
class Passage:
    """One passage as it would be learned."""

    title: str
    tokens: int


@final
@dataclass(frozen=True)
class Forecast:
    """Planned work; what stands under `seconds` and `memory` are estimates, in seconds and bytes."""

    passages: tuple[Passage, ...]
    skipped: tuple[str, ...]
    samples: int
    """Self-edits in all."""
    plans: int
    """Adapters to be trained: one for each self-edit with a rival, and the one that is kept."""
    steps: int
    trained_tokens: int
    written_tokens: int
    reporting_probes: int
    seconds: float
    memory: int
    memory_free: int | None


@final
@dataclass(frozen=True)
class Work:
    """Tokens to train on, to read and to write."""

    plans: tuple[TrainingPlan, ...]
    trained: int
    prompted: int
    written: int


@final
@dataclass(frozen=True)
class Pace:
    """Tokens a second, measured."""

    train: float
    write: float

    def seconds(self, work: Work) -> float:
        return (work.trained + FORWARD * work.prompted) / self.train + work.written / self.write


def forecast(worker: Worker, reading: Reading, settings: Learning, questions: Items[Probe]) -> Forecast:
    """The work of learning what was read with these settings, and how long the worker would take."""
    tasks = list({task.id: task for task in reading.tasks}.values())
    work = planned(tasks, settings, worker)
    memory, free = room(worker, work.plans)
    if tasks:
        given = assigned(tasks, questions)
        reporting = sum(len(given[task.id]) or (settings.probes + 1) // 2 for task in tasks)
    else:
        reporting = 0
    return Forecast(
        passages=tuple(Passage(task.title, worker.count(task.passage)) for task in tasks),
        skipped=reading.skipped,
        samples=settings.samples * len(tasks),
        plans=len(work.plans),
        steps=sum(plan.steps for plan in work.plans),
        trained_tokens=work.trained,
        written_tokens=work.written,
        reporting_probes=reporting,
        seconds=pace(worker, rows_of(tasks[0], settings)).seconds(work) if tasks else 0.0,
        memory=memory,
        memory_free=free,
    )


def planned(tasks: Items[Task], settings: Learning, worker: Worker) -> Work:
    """The plans, and the tokens that all stages take."""
    if not tasks:
        return Work((), 0, 0, 0)
    rows = {task.id: rows_of(task, settings) for task in tasks}
    trials = [
        _plan(rows[task.id], settings.candidate, worker, settings)
        for task in tasks
        for _ in range(settings.samples if settings.samples > 1 else 0)
    ]
    every = tuple(dict.fromkeys(row for task in tasks for row in rows[task.id]))
    plans = (*trials, _plan(every, settings.final, worker, settings))
    prompted, written = _generated(tasks, settings, worker)
    trained = sum(plan.epochs * sum(_count(worker, row) for row in plan.sequences) for plan in plans)
    return Work(plans, trained, prompted, written)


def rows_of(task: Task, settings: Learning) -> tuple[str | Sequence, ...]:
    """The rows that a self-edit of the task would come to, by rule."""
    if settings.format != "question-answer":
        return tuple(headed(task.title, text) for text in (task.passage, *split(task))) or (task.passage,)
    if settings.recites:
        return rows_by_heart(task, settings.spans, settings.hints)
    spans = best_spans(task.passage, settings.spans, title=task.title)
    rows = pairs_to_rows(task, [(span, None) for span in spans])
    return (*split(task), *rows) if settings.sentences or not rows else rows


def rows_by_heart(task: Task, spans: int, hints: int) -> tuple[str | Sequence, ...]:
    """The same of a self-edit that is recited."""
    asked = [
        (span, f"What does it say of {span.text}?")
        for span in best_spans(task.passage, spans, title=task.title)
    ]
    edit = pair_edit(task, asked, Brief("question-answer", 1, spans, 0.0, 0, recite=True, hints=hints))
    return edit.lines if isinstance(edit, SelfEdit) else (task.passage,)


def _generated(tasks: Items[Task], settings: Learning, worker: Worker) -> tuple[int, int]:
    """Tokens of prompts and of what is written after them: notes, questions, checks and answers."""
    longest = max(worker.count(task.passage) for task in tasks)
    asked = len(tasks) * settings.probes
    if settings.format == "question-answer":
        spans = sum(len(best_spans(t.passage, settings.spans, title=t.title)) for t in tasks)
        questions = asked + spans * settings.samples
        prompted = questions * longest // 2
        written = questions * USED * (QUESTION_TOKENS + ANSWER_TOKENS)
    else:
        notes = len(tasks) * settings.samples
        prompted = notes * longest
        written = notes * USED * get_format(settings.format).max_tokens
    said = (1 + SAMPLES) * RECITED_TOKENS if settings.recites else 0
    answers = 2 * asked * USED * (settings.answer_tokens + said)
    return prompted + 2 * asked * PROBE_TOKENS, int(written + answers)


def _plan(
    rows: Items[str | Sequence], training: Training, worker: Worker, settings: Learning
) -> TrainingPlan:
    return plan_for(rows, Ground(worker, None, training, settings.seed))


def _count(worker: Worker, row: str | Sequence) -> int:
    return worker.count(row if isinstance(row, str) else row.prompt + row.completion)


# -- how fast, and how much memory -----------------------------------------------------------------------


def pace(worker: Worker, rows: Items[str | Sequence]) -> Pace:
    """Train one step on some rows and write a few tokens, each after a first time that does not count."""
    some = tuple(rows[:PROBE_ROWS])
    tokens = sum(_count(worker, row) for row in some)
    plan = TrainingPlan(some, rank=8, alpha=16, epochs=1, batch_size=len(some))
    asked = [
        GenerationRequest(ask_prompt(f"What is {n}?"), max_tokens=PROBE_TOKENS) for n in range(PROBE_ROWS)
    ]
    train = _seconds(lambda: worker.train([plan]))
    write = _seconds(lambda: worker.generate(asked))
    return Pace(tokens / train, PROBE_ROWS * PROBE_TOKENS / write)


def _seconds(work: Callable[[], object]) -> float:
    work()
    began = time.perf_counter()
    work()
    return max(1e-6, time.perf_counter() - began)


def room(worker: Worker, plans: Items[TrainingPlan]) -> tuple[int, int | None]:
    """Bytes that the process would hold at its peak, and those that are free now (None: not known)."""
    from selfedit.engine.memory import free_memory
    from selfedit.workers.local import LocalWorker

    held = peak_memory()
    if not isinstance(worker, LocalWorker):
        return held, None
    by_rank: dict[int, list[TrainingPlan]] = {}
    for plan in plans:
        by_rank.setdefault(plan.rank, []).append(plan)
    return held + max((_bank(worker.engine, same) for same in by_rank.values()), default=0), free_memory()


def _bank(engine: Engine, plans: Items[TrainingPlan]) -> int:
    """Bytes of the adapters that train side by side, and of the tokens that pass through them at once."""
    from selfedit.engine.lora import matching
    from selfedit.engine.memory import slot_bytes, token_bytes

    names = matching(engine.model.layers, plans[0].target_modules)
    budget = engine.limits().training(engine.model, names, plans)
    slot = slot_bytes(engine.model, names, plans[0].rank)
    return budget.slots * slot + budget.tokens * token_bytes(engine.model)


def peak_memory() -> int:
    """The most bytes that this process and those it started have held."""
    unit = 1 if sys.platform == "darwin" else 1024
    who = (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)
    return unit * max(resource.getrusage(each).ru_maxrss for each in who)
