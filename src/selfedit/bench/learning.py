"""What does a passage teach? One adapter a passage and method, asked people's questions without the passage.

    selfedit bench learning --data DIR [--split choose|report] [--methods a,b]

Answers are appended to JSON-lines files as they come, keyed by what they depend on; a run that was broken off
goes on where it stopped. Accuracy is the mean over passages of the mean over a passage's questions, with a
bootstrap interval over passages.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections import defaultdict
from collections.abc import Container, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from selfedit.bench.methods import METHODS, RECITED, Sequences, Study
from selfedit.config import Training
from selfedit.engine import Adapter, Engine
from selfedit.errors import UsageError
from selfedit.graders import grader_for
from selfedit.policies import shipped
from selfedit.questioning import Author
from selfedit.rewards import (
    Grader,
    bootstrap_interval,
    collapsed,
    grade,
    mean_over_passages,
    mismatch,
    paired_interval,
    short,
)
from selfedit.rounds import Ground, answered, plan_for, sequence_tokens
from selfedit.tasks import read_squad
from selfedit.types import (
    Failure,
    GradeRequest,
    Probe,
    Task,
    Verdict,
    content_hash,
    rng_for,
)
from selfedit.workers import Progress, Worker
from selfedit.workers.base import silent
from selfedit.workers.local import LocalWorker

SPLITS = {"choose": "val_choose.json", "report": "val_report.json"}
JOINT = 8
"""Passages that are written, trained and asked together: what a broken run may have to do again."""
JOINT_PASSAGES = 24
"""The first so many passages are also tried together: a fair sample, since their order is drawn."""
ALONE, TOGETHER, SUMMED = "alone", "joint", "summed"
TRAINING = Training()


@final
@dataclass(frozen=True)
class Experiment:
    """Which passages, which methods, and how adapters are trained."""

    data: Path
    split: str = "report"
    methods: tuple[str, ...] = tuple(METHODS)
    joint: tuple[str, ...] = ("question-answer",)
    """Also tried over eight passages: as one adapter trained on all, and as the sum of eight."""
    limit: int | None = None
    training: Training = TRAINING
    spans: int = 14
    seed: int = 0
    dtype: str = "float32"
    grader: str = "words"
    """Whose verdicts stand in the table beside the rules'."""
    part: tuple[int, int] = (0, 1)
    """(k, n): only every n-th chunk from the k-th, so that n processes share a run."""

    def tasks(self) -> list[Task]:
        """In an order drawn once, so that a part of a run is a fair sample of all titles."""
        if self.split not in SPLITS:
            raise UsageError(f"split {self.split!r}: choose one of {', '.join(SPLITS)}")
        tasks = list(read_squad(self.data / "squad" / SPLITS[self.split]))
        rng_for("passages", self.split).shuffle(tasks)
        return tasks[: self.limit]


@final
@dataclass(frozen=True)
class Line:
    """One passage under one method."""

    key: str
    method: str
    passage: str
    golds: tuple[str, ...]
    answers: tuple[str, ...]
    tokens: int
    """Trained tokens."""
    seconds: float
    """Its share of the chunk's time: writing and training that no method before it did, and asking."""
    failure: str | None = None


def run(experiment: Experiment, folder: Path, progress: Progress = silent) -> list[dict[str, Any]]:
    """Do what is not done yet, and return the table's rows."""
    unknown = set(experiment.methods) - set(METHODS)
    if unknown:
        raise UsageError(f"no method {min(unknown)!r}; choose among {', '.join(METHODS)}")
    worker = LocalWorker(Engine.load("smollm2-135m", dtype=experiment.dtype))
    tasks = experiment.tasks()
    with_joint = {task.id for task in tasks[:JOINT_PASSAGES]}
    for group in shared(_chunks(tasks, JOINT), experiment.part):
        chunk = Chunk(experiment, worker, group, progress)
        for name, mode in _runs(experiment):
            if mode == ALONE or group[0].id in with_joint:
                _one_chunk(chunk, name, mode, folder)
    names = [_label(name, mode) for name, mode in _runs(experiment)]
    return table(
        experiment, folder, {_key(experiment, name, task, worker) for name in names for task in tasks}
    )


@final
class Chunk:
    """A few passages under all methods. What methods have in common, writing above all, is done once."""

    def __init__(self, experiment: Experiment, worker: Worker, tasks: list[Task], progress: Progress) -> None:
        self.experiment, self.tasks = experiment, tasks
        self.ground = Ground(
            worker, None, experiment.training, experiment.seed, 24, progress, reader=shipped(worker)
        )
        self._study = Study(Author(worker, shipped(worker), progress), experiment.spans)
        self._sequences: dict[str, list[Sequences]] = {}
        self._alone: dict[str, list[Adapter | Failure | None]] = {}

    def sequences(self, name: str) -> list[Sequences]:
        if name not in self._sequences:
            self._sequences[name] = METHODS[name](self._study, self.tasks)
        return self._sequences[name]

    def adapters(self, name: str, *, joint: bool) -> list[Adapter | Failure | None]:
        """An adapter for each passage, or one for all of them."""
        if joint:
            return _train(self.sequences(name), self.ground, joint=True)
        if name not in self._alone:
            self._alone[name] = _train(self.sequences(name), self.ground, joint=False)
        return self._alone[name]


def _runs(experiment: Experiment) -> Iterator[tuple[str, str]]:
    yield from ((name, ALONE) for name in experiment.methods)
    yield from ((name, mode) for name in experiment.joint for mode in (TOGETHER, SUMMED))


def _label(name: str, mode: str) -> str:
    return name if mode == ALONE else f"{name} ({JOINT} {mode})"


def _chunks(tasks: Items[Task], size: int) -> list[list[Task]]:
    return [list(tasks[at : at + size]) for at in range(0, len(tasks), size)]


def shared(chunks: list[list[Task]], part: tuple[int, int]) -> list[list[Task]]:
    """The K-th of N shares of the work."""
    return chunks[part[0] :: part[1]]


def _one_chunk(chunk: Chunk, name: str, mode: str, folder: Path) -> None:
    label, experiment, worker = _label(name, mode), chunk.experiment, chunk.ground.worker
    done = {line.key for line in _read(folder)}
    keys = {task.id: _key(experiment, label, task, worker) for task in chunk.tasks}
    if all(key in done for key in keys.values()):
        return
    began = time.monotonic()
    sequences = chunk.sequences(name)
    adapters = chunk.adapters(name, joint=mode == TOGETHER)
    ground = replace(chunk.ground, recite=name in RECITED)
    found = _answers(chunk.tasks, adapters, ground, summed=mode == SUMMED)
    seconds = (time.monotonic() - began) / len(chunk.tasks)
    tokens = [
        experiment.training.epochs * sum(sequence_tokens(worker, s) for s in group) for group in sequences
    ]
    _append(
        folder,
        [
            Line(
                keys[task.id],
                label,
                f"{task.title} {task.id[:8]}",
                tuple(p.answer for p in task.probes),
                tuple(found[at]),
                tokens[at],
                seconds,
                adapter.what if isinstance(adapter, Failure) else None,
            )
            for at, (task, adapter) in enumerate(zip(chunk.tasks, adapters, strict=True))
        ],
    )


def _key(experiment: Experiment, label: str, task: Task, worker: Worker) -> str:
    policy = shipped(worker)
    depends = [label, task.id, experiment.training.model_dump(), experiment.spans, experiment.seed]
    return content_hash([*depends, experiment.dtype, worker.base, policy.hash if policy else None])


def _train(sequences: list[Sequences], ground: Ground, *, joint: bool) -> list[Adapter | Failure | None]:
    """An adapter for each passage; one for all of them; none where there is nothing to train on."""
    if joint:
        whole = tuple(dict.fromkeys(s for group in sequences for s in group))
        (adapter,) = ground.worker.train([plan_for(whole, ground)], ground.progress)
        return [adapter] * len(sequences)
    with_rows = [at for at, group in enumerate(sequences) if group]
    plans = [plan_for(sequences[at], ground) for at in with_rows]
    trained = dict(zip(with_rows, ground.worker.train(plans, ground.progress), strict=True))
    return [trained.get(at) for at in range(len(sequences))]


def _answers(
    tasks: Items[Task], adapters: Items[Adapter | Failure | None], ground: Ground, *, summed: bool
) -> list[list[str]]:
    """Answers to every passage's questions, by its own adapter or by the sum. A failure answers nothing."""
    head = ground.worker.head([a for a in adapters if isinstance(a, Adapter)]) if summed else None
    wanted = [
        (at, p, adapter)
        for at, (task, adapter) in enumerate(zip(tasks, adapters, strict=True))
        if not isinstance(adapter, Failure)
        for p in task.probes
    ]
    asked = [(None if summed else adapter, probe) for _, probe, adapter in wanted]
    done = answered(asked, replace(ground, head=head))
    found: list[list[str]] = [[] for _ in tasks]
    for (at, _, _), text in zip(wanted, done, strict=True):
        found[at].append(text)
    return [group or ["" for _ in task.probes] for group, task in zip(found, tasks, strict=True)]


# -- the file and the table ----------------------------------------------------------------------------------


def _read(folder: Path) -> list[Line]:
    lines: list[Line] = []
    for path in sorted(folder.glob("learning*.jsonl")):
        for text in path.read_text().splitlines():
            try:
                row: dict[str, Any] = json.loads(text)
            except ValueError:  # the last line of a run that was killed
                continue
            row.update(golds=tuple(row["golds"]), answers=tuple(row["answers"]))
            lines.append(Line(**row))
    return list({line.key: line for line in lines}.values())


def _append(folder: Path, lines: list[Line]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    name = hashlib.sha256(lines[0].key.encode()).hexdigest()[:2]
    with (folder / f"learning-{name}.jsonl").open("a") as file:
        for line in lines:
            file.write(json.dumps(asdict(line)) + "\n")


def table(experiment: Experiment, folder: Path, keys: Container[str]) -> list[dict[str, Any]]:
    """A row for each method that has lines with these keys: other settings may share the folder."""
    grader = grader_for(experiment.grader)
    tasks = {f"{t.title} {t.id[:8]}": tuple(p.question for p in t.probes) for t in experiment.tasks()}
    names = [_label(name, mode) for name, mode in _runs(experiment)]
    lines = [line for line in _read(folder) if line.key in keys]
    default = {line.passage: _part(line, "concise") for line in lines if line.method == "question-answer"}
    return [
        {**_row(name, mine, default), **_graded(grader, mine, tasks)}
        for name in names
        if (mine := [line for line in lines if line.method == name])
    ]


def _part(line: Line, part: str) -> list[float]:
    return [
        grade(answer, Probe("?", gold)).parts[part]
        for answer, gold in zip(line.answers, line.golds, strict=True)
    ]


def _row(name: str, lines: list[Line], default: Mapping[str, list[float]]) -> dict[str, Any]:
    concise = {line.passage: _part(line, "concise") for line in lines}
    recall = {line.passage: _part(line, "correct") for line in lines}
    wrong = {
        line.passage: [v for v in mismatch(list(line.answers), list(line.golds)) if v is not None]
        for line in lines
    }
    shared = {p: v for p, v in default.items() if p in concise}
    against = {p: concise[p] for p in shared}
    return {
        "method": name,
        "concise": mean_over_passages(concise),
        "concise_ci95": bootstrap_interval(concise, seed=0),
        "default_minus_this_ci95": paired_interval(shared, against, seed=0) if shared else None,
        "accuracy": mean_over_passages(recall),
        "accuracy_ci95": bootstrap_interval(recall, seed=0),
        "mismatch": mean_over_passages(wrong),
        "n_passages": len(lines),
        "n_questions": sum(len(line.golds) for line in lines),
        "tokens": sum(line.tokens for line in lines) / len(lines),
        "seconds": sum(line.seconds for line in lines) / len(lines),
        "collapsed": sum(bool(collapsed(list(line.answers), list(line.golds))) for line in lines),
        "failures": sum(line.failure is not None for line in lines),
    }


def _graded(grader: Grader, lines: list[Line], questions: Mapping[str, Items[str]]) -> dict[str, Any]:
    """What a grader says of the same answers: accuracy, and as far as they are also concise."""
    asked = [
        (line.passage, GradeRequest(question, gold, answer))
        for line in lines
        for question, gold, answer in zip(questions[line.passage], line.golds, line.answers, strict=True)
    ]
    accuracy: dict[str, list[float]] = defaultdict(list)
    brief: dict[str, list[float]] = defaultdict(list)
    for (passage, request), verdict in zip(asked, grader.grade([each for _, each in asked]), strict=True):
        if isinstance(verdict, Verdict):
            accuracy[passage].append(float(verdict.correct))
            brief[passage].append(float(verdict.correct and short(request.prediction, request.answer)))
    return {
        "grader": grader.name,
        "graded": mean_over_passages(accuracy),
        "graded_ci95": bootstrap_interval(accuracy, seed=0),
        "graded_concise": mean_over_passages(brief),
        "graded_concise_ci95": bootstrap_interval(brief, seed=0),
    }


# -- for the command line -----------------------------------------------------------------------------


def command(
    data: Path | str | None, chosen: tuple[str, str, str, str], limit: int | None, dtype: str, folder: Path
) -> list[dict[str, Any]]:
    """Run with the command line's words: (split, methods, part, grader). Progress goes to standard error."""
    if not data:
        raise UsageError("bench learning: no data; say --data FOLDER or set SELFEDIT_DATA")
    split, methods, part, grader = chosen
    names = tuple(name.strip() for name in methods.split(",") if name.strip()) or tuple(METHODS)
    joint = ("question-answer",) if "question-answer" in names else ()
    experiment = Experiment(
        Path(data),
        split,
        names,
        joint,
        limit,
        dtype="float32" if dtype == "auto" else dtype,
        grader=grader,
        part=part_of(part),
    )
    return run(experiment, folder)


def part_of(text: str) -> tuple[int, int]:
    """K/N as two numbers. Raises UsageError if it is none."""
    try:
        k, n = (int(number) for number in text.split("/"))
    except ValueError:
        k, n = -1, 0
    if not 0 <= k < n:
        raise UsageError(f"part {text!r}: say K/N with K from 0 to N-1, such as 0/2")
    return k, n


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """The table, one row a method."""
    graded = f"graded by {rows[0]['grader']} [95%]" if rows else "graded [95%]"
    rules = ("concise [95%]", "accuracy [95%]", "mismatch", "acc. − mism.")
    heads = ("trained on", *rules, graded, "and concise [95%]", "n", "tokens", "s")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        cells = [
            row["method"],
            _with_interval(row["concise"], row["concise_ci95"]),
            _with_interval(row["accuracy"], row["accuracy_ci95"]),
            f"{row['mismatch']:.2f}",
            f"{row['accuracy'] - row['mismatch']:.2f}",
            _with_interval(row["graded"], row["graded_ci95"]),
            _with_interval(row["graded_concise"], row["graded_concise_ci95"]),
            f"{row['n_passages']} ({row['n_questions']})",
            f"{row['tokens']:.0f}",
            f"{row['seconds']:.1f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _with_interval(value: float, interval: tuple[float, float] | None) -> str:
    return f"{value:.2f}" if interval is None else f"{value:.2f} [{interval[0]:.2f}, {interval[1]:.2f}]"
