"""A method on some passages: what is kept is read, the rest is written, trained, asked and kept.

A chunk of passages is the unit: what is missing of it is computed together and kept at once, so that a run
that was broken off ends as an unbroken one. Knows nothing of verdicts.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from selfedit.evaluating.notes import head_id
from selfedit.evaluating.study import AT_ONCE, Line, Method, Prompt, Study, Written
from selfedit.reciting import Query, Reader, asked_by_heart, recited
from selfedit.rounds import Ground, plan_for, sequence_tokens
from selfedit.types import Failure, GenerationRequest, Message, Probe, ScoreRequest, Sequence, Task
from selfedit.workers.base import Progress, silent

if TYPE_CHECKING:
    from selfedit.engine import Adapter


def chunks(tasks: Items[Task], size: int) -> list[tuple[Task, ...]]:
    """The passages in order, so many at a time."""
    return [tuple(tasks[at : at + size]) for at in range(0, len(tasks), size)]


def lines_of(study: Study, method: Method, tasks: Items[Task]) -> list[Line]:
    """A line for each of these passages and each seed."""
    seeds = study.recipe.report.seeds if method.notes else (None,)
    return [line for seed in seeds for line in _of_seed(Chunk(study, method, tuple(tasks), seed))]


@final
@dataclass(frozen=True)
class Chunk:
    """Passages that go through a method together, with one seed."""

    study: Study
    method: Method
    tasks: tuple[Task, ...]
    seed: int | None

    @property
    def joint(self) -> bool:
        return self.method.together > 1

    def key(self, task: Task) -> str:
        """All that the line of a passage depends on."""
        recipe, notes = self.study.recipe, self.method.notes
        golds = [probe.answer for probe in task.probes]
        prompts = [prompt.depends for prompt in self.method.view(task)]
        asked: list[Any] = [prompts, golds, recipe.judge.answer_tokens, head_id(self.method.head)]
        if self.method.recites:
            asked.append(asked_by_heart(self.study.reader))
        if notes is None:
            return self.study.key("row", asked)
        group = self.tasks if self.joint else (task,)
        taught = [[notes.depends(each) for each in group], recipe.report.training.model_dump(), self.seed]
        return self.study.key("row", asked, taught)

    def progress(self, doing: str) -> Progress:
        """Announces a step of the work."""
        every = self.method.tasks
        first = every.index(self.tasks[0]) + 1
        span = f"{first}-{first + len(self.tasks) - 1}" if len(self.tasks) > 1 else f"{first}"
        stage = f"{self.method.name}, passage {span} of {len(every)}: {doing}"
        self.study.watch(stage, 0, 0)
        return lambda done, total: self.study.watch(stage, done, total)


def _of_seed(chunk: Chunk) -> list[Line]:
    store = chunk.study.store
    keys = {task.id: chunk.key(task) for task in chunk.tasks}
    found: dict[str, Any] = {key: store.result("row", key) for key in keys.values()}
    missing = [task for task in chunk.tasks if found[keys[task.id]] is None]
    if missing:
        whole = chunk if chunk.joint else Chunk(chunk.study, chunk.method, tuple(missing), chunk.seed)
        fresh = {keys[task]: value for task, value in _computed(whole).items()}
        store.put_results("row", fresh)
        found |= fresh
    return [_line(chunk, task, keys[task.id], found[keys[task.id]]) for task in chunk.tasks]


def _line(chunk: Chunk, task: Task, key: str, kept: Mapping[str, Any]) -> Line:
    return Line(
        method=chunk.method.name,
        task=task.id,
        seed=chunk.seed,
        key=key,
        answers=tuple(kept["answers"]),
        logprobs=tuple(kept["logprobs"]),
        tokens=kept["tokens"],
        seconds=kept["seconds"],
        writing=kept["writing"],
        recited=tuple(map(tuple, kept.get("recited", ()))),
        failure=kept["failure"],
        unusable=kept["unusable"],
        adapter=kept["adapter"],
        sample=kept["sample"],
    )


def _computed(chunk: Chunk) -> dict[str, dict[str, Any]]:
    """Id of a task → what is kept of it."""
    notes = chunk.method.notes
    if notes is not None:
        chunk.progress("writing")
    written = notes.write(chunk.tasks) if notes else [Written(()) for _ in chunk.tasks]
    began = time.monotonic()
    adapters = _trained(chunk, written)
    said = _said(chunk, adapters)
    seconds = (time.monotonic() - began) / len(chunk.tasks)
    tokens = _tokens(chunk, written)
    return {
        task.id: {
            "questions": [[probe.question, probe.answer] for probe in task.probes],
            "answers": [each.text for each in said[at]],
            "logprobs": [each.logprob for each in said[at]],
            **({"recited": [each.recited for each in said[at]]} if chunk.method.recites else {}),
            "tokens": tokens[at],
            "seconds": seconds,
            "writing": written[at].seconds,
            "failure": adapter.what if isinstance(adapter, Failure) else None,
            "unusable": written[at].unusable,
            "adapter": adapter.hash if adapter and not isinstance(adapter, Failure) else None,
            "sample": written[at].sample,
        }
        for at, (task, adapter) in enumerate(zip(chunk.tasks, adapters, strict=True))
    }


# -- training ------------------------------------------------------------------------------------------


def _trained(chunk: Chunk, written: Items[Written]) -> list[Adapter | Failure | None]:
    """An adapter for each passage; one for all of them; none where nothing is trained."""
    if chunk.method.notes is None:
        return [None] * len(chunk.tasks)
    training, worker = chunk.study.recipe.report.training, chunk.study.worker
    ground = Ground(worker, chunk.method.head, training, chunk.seed or 0, progress=chunk.progress("training"))
    groups = [_together(written)] if chunk.joint else [each.sequences for each in written]
    usable = [at for at, group in enumerate(groups) if group]
    plans = [plan_for(groups[at], ground) for at in usable]
    trained = dict(zip(usable, worker.train(plans, ground.progress), strict=True))
    nothing = Failure("write", "nothing to train on")
    found: list[Adapter | Failure | None] = [trained.get(at, nothing) for at in range(len(groups))]
    return found * len(chunk.tasks) if chunk.joint else found


def _together(written: Items[Written]) -> tuple[str | Sequence, ...]:
    return tuple(dict.fromkeys(each for one in written for each in one.sequences))


def _tokens(chunk: Chunk, written: Items[Written]) -> list[int]:
    """Trained tokens of each passage; of an adapter for many, each passage has its share."""
    epochs, worker = chunk.study.recipe.report.training.epochs, chunk.study.worker
    return [epochs * sum(sequence_tokens(worker, each) for each in one.sequences) for one in written]


# -- asking --------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Said:
    """An answer, and how likely the expected one was."""

    text: str
    logprob: float
    """The mean over the expected answer's tokens, in nats."""
    recited: tuple[str, ...] = ()
    """The sentences that were said first."""


Asked = tuple[int, Prompt, Probe, "Adapter | None"]
"""The place of a passage, how its question is asked, and who is."""


def _said(chunk: Chunk, adapters: Items[Adapter | Failure | None]) -> list[list[Said]]:
    """For each passage what is answered to its questions; nothing after a failure."""
    worker = chunk.study.worker
    asked = [
        (at, prompt if worker.chat else replace(prompt, chat=None), probe, adapter)
        for at, (task, adapter) in enumerate(zip(chunk.tasks, adapters, strict=True))
        if not isinstance(adapter, Failure)
        for prompt, probe in zip(chunk.method.view(task), task.probes, strict=True)
    ]
    progress = chunk.progress("asking") if asked else silent
    answers = (_by_heart if chunk.method.recites else _at_once)(chunk, asked, progress)
    found: list[list[Said]] = [[] for _ in chunk.tasks]
    for (at, *_), answer in zip(asked, answers, strict=True):
        found[at].append(answer)
    return found


def _at_once(chunk: Chunk, asked: Items[Asked], progress: Progress) -> list[Said]:
    worker, head, most = chunk.study.worker, chunk.method.head, chunk.study.recipe.judge.answer_tokens
    requests = [
        GenerationRequest(_turn(prompt), adapter, head, most, stop=("\n",)) for _, prompt, _, adapter in asked
    ]
    answers = worker.generate(requests, progress)
    scores = worker.score(
        [
            ScoreRequest(_turn(prompt), f"{'' if prompt.chat else ' '}{probe.answer}", adapter, head)
            for _, prompt, probe, adapter in asked
        ]
    )
    return [Said(a.text.strip(), score.mean) for a, score in zip(answers, scores, strict=True)]


def _by_heart(chunk: Chunk, asked: Items[Asked], progress: Progress) -> list[Said]:
    """The sentences are said once, and read both for the answer and for how likely the expected one is."""
    study, head = chunk.study, chunk.method.head
    queries = [Query(probe.question, probe.topic, adapter, head) for _, _, probe, adapter in asked]
    golds = [probe.answer for _, _, probe, _ in asked]
    said = recited(study.worker, queries, progress)
    reader = Reader(study.worker, study.reader)
    read = reader.answers(queries, said, study.recipe.judge.answer_tokens)
    scores = reader.logprobs(queries, said, golds)
    return [
        Said(answer.text.strip() if answer else "", score, texts)
        for answer, score, texts in zip(read, scores, said, strict=True)
    ]


def _turn(prompt: Prompt) -> str | list[Message]:
    return prompt.text if prompt.chat is None else [{"role": "user", "content": prompt.chat}]


def work(study: Study, methods: Items[Method]) -> list[Line]:
    """All lines. Chunk by chunk, each under every method, so that what is there of a broken run compares."""
    steps = [
        (at * size, order, method, chunk)
        for order, method in enumerate(methods)
        for size in [method.together if method.together > 1 else AT_ONCE]
        for at, chunk in enumerate(chunks(method.tasks, size))
    ]
    alone = sorted((step for step in steps if step[2].together == 1), key=lambda step: step[:2])
    joint = [step for step in steps if step[2].together > 1]
    return [line for *_, method, chunk in (*alone, *joint) for line in lines_of(study, method, chunk)]
