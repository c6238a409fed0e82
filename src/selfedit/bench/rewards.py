"""Which reward picks the edit that does best? Real trials, all their answers and likelihoods kept.

    selfedit bench rewards --data DIR [--limit N] [--part K/N]

For each passage several edits; of each a light adapter at two seeds, as `learn` tries notes, and one trained
for good at a third. Every adapter answers all probes, people's and the model's own, and their gold answers
are scored. A file is written as its passage ends; a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, final

from selfedit import rounds
from selfedit.bench.learning import TRAINING, part_of, shared
from selfedit.bench.methods import METHODS, Sequences, Study
from selfedit.config import DEFAULT, Training
from selfedit.edits.questions import ask_prompt
from selfedit.engine import Adapter, Engine
from selfedit.errors import UsageError
from selfedit.policies import shipped
from selfedit.questioning import Author
from selfedit.rounds import Asking, Ground, plan_for
from selfedit.tasks import read_squad
from selfedit.types import Failure, Probe, Task, content_hash, rng_for
from selfedit.workers import Progress, Worker
from selfedit.workers.base import silent
from selfedit.workers.local import LocalWorker
from selfedit.writing import sequences_of, write_probes

CHUNK = 2
"""Passages that are trained and asked together: what a broken run may have to do again."""
LIMIT = 12
SAMPLES = 3
OTHERS = ("cloze", "implications")
"""Beside the samples of the default format, so that there are better and worse edits to tell apart."""
OWN_PROBES = 12
SEEDS = (0, 1)
FINAL_SEED = 2
BASE, CANDIDATE, FINAL = "base", "candidate", "final"


@final
@dataclass(frozen=True)
class Experiment:
    """Which passages, and with how many edits."""

    data: Path
    limit: int = LIMIT
    dtype: str = "float32"
    part: tuple[int, int] = (0, 1)

    def tasks(self) -> list[Task]:
        """In an order drawn once, so that any number of them is a fair sample."""
        tasks = list(read_squad(self.data / "squad" / "train.json"))
        rng_for("passages", "train").shuffle(tasks)
        return tasks[: self.limit]


@final
@dataclass(frozen=True)
class Reply:
    """How an adapter did on one probe."""

    question: str
    answer: str
    """The gold one."""
    origin: str
    said: str
    logprob: float
    """Mean over the gold answer's tokens."""

    def probe(self, topic: str) -> Probe:
        return Probe(self.question, self.answer, topic, self.origin)


@final
@dataclass(frozen=True)
class Tried:
    """One adapter, or the base without any, on all probes of its passage."""

    key: str
    passage: str
    topic: str
    edit: str
    stage: str
    seed: int
    tokens: int
    seconds: tuple[float, float, float]
    """Its share of training, of scoring and of answering."""
    replies: tuple[Reply, ...]
    failure: str | None = None


def run(experiment: Experiment, folder: Path, progress: Progress = silent) -> list[Tried]:
    """Do what is not done yet, and return all trials of the experiment's passages."""
    worker = LocalWorker(Engine.load("smollm2-135m", dtype=experiment.dtype))
    keys = {task.id: _key(task, worker) for task in experiment.tasks()}
    done = {each.key for each in read(folder)}
    waiting = [task for task in experiment.tasks() if keys[task.id] not in done]
    chunks = [waiting[at : at + CHUNK] for at in range(0, len(waiting), CHUNK)]
    for chunk in shared(chunks, experiment.part):
        _write(folder, list(_tried(chunk, keys, worker, progress)))
    return [each for each in read(folder) if each.key in keys.values()]


def _key(task: Task, worker: Worker) -> str:
    policy = shipped(worker)
    depends = [SAMPLES, OTHERS, OWN_PROBES, SEEDS, FINAL_SEED, DEFAULT.candidate.model_dump()]
    return content_hash(
        ["rewards", task.id, *depends, TRAINING.model_dump(), worker.base, policy.hash if policy else None]
    )


def _tried(tasks: Items[Task], keys: dict[str, str], worker: Worker, progress: Progress) -> Iterator[Tried]:
    author = Author(worker, shipped(worker), progress)
    own = write_probes(author, tasks, OWN_PROBES, 0)
    probes = {task.id: (*task.probes, *own[task.id]) for task in tasks}
    edits = _edits(tasks, probes, author)
    stages = [(CANDIDATE, seed, DEFAULT.candidate) for seed in SEEDS] + [(FINAL, FINAL_SEED, TRAINING)]
    base = Ground(worker, None, TRAINING, progress=progress)
    nothing: list[Edit] = [(task, "", ()) for task in tasks]
    yield from _asked(nothing, [None] * len(tasks), (BASE, 0, 0.0), probes, base, keys)
    for stage, seed, training in stages:
        ground = Ground(worker, None, training, seed, progress=progress)
        adapters, seconds = _trained(edits, training, ground)
        yield from _asked(edits, adapters, (stage, seed, seconds), probes, ground, keys)


Edit = tuple[Task, str, Sequences]
"""A passage, the edit's name, and what it is trained on."""


def _edits(tasks: Items[Task], probes: dict[str, tuple[Probe, ...]], author: Author) -> list[Edit]:
    """Every edit of every passage, less rows that ask what a probe asks."""
    study = Study(author, DEFAULT.spans)
    found: list[Edit] = []
    sampled = study.edits(tasks, DEFAULT.format, SAMPLES, DEFAULT.temperature)
    others = {name: METHODS[name](study, tasks) for name in OTHERS}
    for at, task in enumerate(tasks):
        named = {
            f"{DEFAULT.format} {n}": sequences_of(task, edit)
            for n, edit in enumerate(sampled[task.id])
            if not isinstance(edit, Failure)
        }
        named |= {name: rows[at] for name, rows in others.items()}
        asked = {ask_prompt(p.question, p.topic) for p in probes[task.id]}
        found += [(task, name, _without(rows, asked)) for name, rows in named.items()]
    return [edit for edit in found if edit[2]]


def _without(rows: Sequences, asked: set[str]) -> Sequences:
    return tuple(row for row in rows if isinstance(row, str) or row.prompt not in asked)


def _trained(edits: Items[Edit], training: Training, ground: Ground) -> tuple[list[Adapter | Failure], float]:
    """An adapter for each edit, and each one's share of the time."""
    began = time.monotonic()
    plans = [plan_for(rows, ground, training) for _, _, rows in edits]
    adapters = ground.worker.train(plans, ground.progress)
    return adapters, (time.monotonic() - began) / len(edits)


def _asked(
    edits: Items[Edit],
    adapters: Items[Adapter | Failure | None],
    how: tuple[str, int, float],
    probes: dict[str, tuple[Probe, ...]],
    ground: Ground,
    keys: dict[str, str],
) -> Iterator[Tried]:
    asked: list[Asking] = [
        (adapter, probe)
        for (task, _, _), adapter in zip(edits, adapters, strict=True)
        if not isinstance(adapter, Failure)
        for probe in probes[task.id]
    ]
    began = time.monotonic()
    scores = iter(rounds.logprobs(asked, ground))
    scored = time.monotonic()
    said = iter(rounds.answered(asked, ground))
    seconds = (how[2], (scored - began) / len(edits), (time.monotonic() - scored) / len(edits))
    for (task, name, rows), adapter in zip(edits, adapters, strict=True):
        mine = () if isinstance(adapter, Failure) else probes[task.id]
        yield Tried(
            key=keys[task.id],
            passage=task.id,
            topic=task.title,
            edit=name,
            stage=how[0],
            seed=how[1],
            tokens=sum(_size(ground.worker, row) for row in rows),
            seconds=seconds,
            replies=tuple(_reply(p, next(said), next(scores)) for p in mine),
            failure=adapter.what if isinstance(adapter, Failure) else None,
        )


def _reply(probe: Probe, said: str, logprob: float) -> Reply:
    return Reply(probe.question, probe.answer, probe.origin, said, round(logprob, 5))


def _size(worker: Worker, row: Any) -> int:
    return worker.count(row if isinstance(row, str) else row.prompt + row.completion)


# -- the file --------------------------------------------------------------------------------------------


def read(folder: Path) -> list[Tried]:
    """All trials that are kept, each once."""
    found: dict[tuple[str, str, str, int], Tried] = {}
    for path in sorted(folder.glob("rewards*.jsonl")):
        for text in path.read_text().splitlines():
            each = _parsed(json.loads(text))
            found[each.key, each.edit, each.stage, each.seed] = each
    return list(found.values())


def _parsed(row: dict[str, Any]) -> Tried:
    replies = tuple(Reply(**each) for each in row["replies"])
    values: dict[str, Any] = {**row, "seconds": tuple(row["seconds"]), "replies": replies}
    return Tried(**values)


def _write(folder: Path, rows: Items[Tried]) -> None:
    """One file a passage, put in its place whole: a key that is there is done."""
    folder.mkdir(parents=True, exist_ok=True)
    for key in dict.fromkeys(row.key for row in rows):
        lines = "".join(json.dumps(asdict(row), ensure_ascii=False) + "\n" for row in rows if row.key == key)
        target = folder / f"rewards-{key[:8]}.jsonl"
        part = target.with_suffix(".part")
        part.write_text(lines)
        part.replace(target)


def command(data: Path | str | None, part: str, limit: int | None, dtype: str, folder: Path) -> list[Tried]:
    """Run with the command line's words."""
    if not data:
        raise UsageError("bench rewards: no data; say --data FOLDER or set SELFEDIT_DATA")
    kind = "float32" if dtype == "auto" else dtype
    return run(Experiment(Path(data), limit or LIMIT, kind, part_of(part)), folder)
