"""`bench history`: what a store with a long history costs to list, to check, to keep.

The commits are made up (documents of random words, tiny adapters) and go through the store's own `accept`,
each on the head before it and with replayed texts of earlier ones. Nothing is trained, no model is loaded.
"""

from __future__ import annotations

import hashlib
import random
import tempfile
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from selfedit.bench import machine
from selfedit.bench.ground import progress
from selfedit.bench.table import Row
from selfedit.store import (
    Cost,
    Figures,
    NewAdapter,
    NewCommit,
    ProbeAnswer,
    ProbeResult,
    Source,
    Store,
    sequence_text,
    text_hash,
)
from selfedit.types import Head, Probe, Reward, SelfEdit, Sequence, Task, TrainingPlan, Trial

WEIGHTS = "0" * 64
ASKED = 10_000.0
"""Commits that are to be listed in a second."""
HEAVY_BYTES = 8 << 20
"""About what an adapter of rank 16 of the built-in model weighs, in half precision."""


@dataclass(frozen=True)
class Kept:
    """The one thing that a head needs to know of an adapter."""

    hash: str


@dataclass(frozen=True)
class Scale:
    """How long the history is, and how large its commits are."""

    commits: int = 10_000
    adapter_bytes: int = 4096
    passages: int = 2
    lines: int = 12
    """Training sequences a passage."""
    replayed: int = 8
    seed: int = 0


@dataclass(frozen=True)
class Took:
    """Seconds by the clock, and seconds that this process computed: what else ran is no part of those."""

    wall: float
    cpu: float


def command(quick: bool, commits: int | None) -> list[dict[str, Any]]:
    """Rows as the command line prints them: of a long history, and of a short one with real weights."""
    long = Scale(commits or (100 if quick else Scale.commits))
    heavy = Scale(commits=2 if quick else 50, adapter_bytes=HEAVY_BYTES)
    with tempfile.TemporaryDirectory(prefix="selfedit-bench-history-") as folder:
        rows = [*run(Path(folder) / "long", long), checked(Path(folder) / "heavy", heavy)]
    return [row.as_json() for row in rows]


def run(place: Path, scale: Scale) -> list[Row]:
    """Build a store at `place` and measure all that there is to be measured of it."""
    return measure(place, build(place, scale))


# -- building -------------------------------------------------------------------------------------


def build(place: Path, scale: Scale) -> list[float]:
    """Make a store of made-up commits at `place`; returns the seconds that each acceptance took."""
    rng = random.Random(scale.seed)
    seconds, head, texts = list[float](), list[Kept](), list[str]()
    with Store.create(place, base="none", weights=WEIGHTS, dtype="float32", verb="bench") as store:
        for number in range(scale.commits):
            new = commit(number, scale, rng, (head, texts))
            begun = time.perf_counter()
            store.accept(new)
            seconds.append(time.perf_counter() - begun)
            head.append(Kept(new.adapter.hash))
            texts += [each for each in new.plan.sequences[: scale.lines] if isinstance(each, str)]
            if (number + 1) % 1000 == 0:
                progress(f"{number + 1} commits, the last in {1000 * seconds[-1]:.0f} ms")
    return seconds


def commit(number: int, scale: Scale, rng: random.Random, before: tuple[list[Kept], list[str]]) -> NewCommit:
    """A made-up commit on the head of all `before` it, which replays some of their texts."""
    tasks = tuple(_task(f"{number}-{part}", rng) for part in range(scale.passages))
    edits = tuple(_edit(task, scale.lines, rng) for task in tasks)
    own = {
        line: task.id for task, edit in zip(tasks, edits, strict=True) for line in (task.passage, *edit.lines)
    }
    head, texts = before
    replayed = rng.sample(texts, min(scale.replayed, len(texts)))
    plan = TrainingPlan((*own, *replayed), rank=4, head=Head(WEIGHTS, tuple(head)) if head else None)
    weights = rng.randbytes(scale.adapter_bytes)
    before_it, after_it = ProbeAnswer(_words(rng, 4), False, False), ProbeAnswer(_words(rng, 4), True, True)
    results = [(probe, task.id) for task in tasks for probe in task.probes]
    return NewCommit(
        adapter=NewAdapter(hashlib.sha256(weights).hexdigest(), weights, {"r": 4, "lora_alpha": 8}),
        plan=plan,
        sources=(Source(f"notes/{number}.md", text_hash(tasks[0].passage), 1200),),
        tasks=tasks,
        edits=edits,
        trials=tuple(Trial(edit, TrainingPlan(edit.lines, rank=4), Reward(0.5, {})) for edit in edits),
        probes=tuple(
            ProbeResult(probe, task, "report", None, before_it, after_it) for probe, task in results
        ),
        figures=Figures(0.0, 0.75, 0.0, 0.5, 0.0, 0.25, 0.98),
        gate={"accepted": True, "reason": "kept", "retention": 0.98, "number": number},
        settings={"samples": 2, "epochs": 10, "rank": 4},
        cost=Cost(30.0, 4000),
        text_tasks={text_hash(sequence_text(line)): task for line, task in own.items()},
    )


def _task(name: str, rng: random.Random) -> Task:
    probes = tuple(Probe(f"{_words(rng, 8)}?", _words(rng, 3), f"Page {name}", "model") for _ in range(4))
    return Task(f"Page {name}", ". ".join(_words(rng, 12) for _ in range(8)), probes, f"notes/{name}.md")


def _edit(task: Task, lines: int, rng: random.Random) -> SelfEdit:
    pairs = [Sequence(f"Topic: {task.title}. {_words(rng, 8)}?", _words(rng, 3)) for _ in range(lines // 2)]
    notes = [f"{_words(rng, 10)}." for _ in range(lines - len(pairs))]
    return SelfEdit(task.id, "question-answer", "\n".join(notes), (*notes, *pairs), {"epochs": 10})


def _words(rng: random.Random, count: int) -> str:
    letters = "abcdefghijklmnopqrstuvwxyz"
    return " ".join("".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(count))


# -- measuring ------------------------------------------------------------------------------------


def measure(place: Path, seconds: list[float]) -> list[Row]:
    """What it takes to read the history at `place`, to check it, and to add to it."""
    with Store.open(place, write=True, verb="bench") as store:
        live = [commit.id for commit in store.head()]
        middle = live[len(live) // 2]
        reads = [
            _listing("log", len(live), store.log),
            _listing("head", len(live), store.head),
            _listing("head at the middle", len(live), lambda: store.head_at(middle)),
            _listing("stale, of none", len(live), store.stale),
        ]
        store.move_head("revert", [each for each in live if each != middle])
        reads.append(_listing("stale, of half", len(live), store.stale))
        store.move_head("rollback", live)
    return [*reads, _verifying(place, "verify, tiny adapters"), _accepting(place, seconds)]


def checked(place: Path, scale: Scale) -> Row:
    """How fast a store is verified that is large because its adapters are."""
    build(place, scale)
    return _verifying(place, f"verify, adapters of {scale.adapter_bytes >> 20} MiB")


def _listing(case: str, commits: int, read: Callable[[], object]) -> Row:
    took = _best(read)
    rates = (commits / took.wall, ASKED)
    return _row(f"{case}, {commits} commits", "asked", rates, "commits/s", ours=took)


def _verifying(place: Path, case: str) -> Row:
    """Against reading and hashing the same files, one after the other, and nothing else."""
    files = [each for each in place.rglob("*") if each.is_file()]
    size = sum(each.stat().st_size for each in files)
    with Store.open(place) as store:
        ours = _best(lambda: _sound(store))
    theirs = _best(lambda: _hash(files))
    rates = (size / ours.wall / 1e6, size / theirs.wall / 1e6)
    return _row(case, "sha256 of the files", rates, "MB/s", ours=ours, theirs=theirs, megabytes=size / 1e6)


def _accepting(place: Path, seconds: list[float]) -> Row:
    """Against itself when the history was short; and what a commit adds to the disk."""
    tenth = max(1, len(seconds) // 10)
    first, last = sum(seconds[:tenth]), sum(seconds[-tenth:])
    growth = {
        "journal_bytes_a_commit": (place / "journal.db").stat().st_size / len(seconds),
        "blob_bytes_a_commit": sum(each.stat().st_size for each in place.glob("blobs/*/*")) / len(seconds),
    }
    case, rates = f"accept, last tenth of {len(seconds)}", (tenth / last, tenth / first)
    return _row(case, "its first tenth", rates, "commits/s", **growth)


def _row(case: str, rival: str, rates: tuple[float, float], unit: str, **more: Took | float) -> Row:
    told: dict[str, Any] = {}
    for name, value in more.items():
        if isinstance(value, Took):
            told |= {f"{name}_seconds": value.wall, f"{name}_cpu_seconds": value.cpu}
        else:
            told[name] = value
    return Row("history", case, rival, *rates, unit, machine.name("cpu", "no model"), told)


def _best(work: Callable[[], object], times: int = 2) -> Took:
    """The faster of two runs: the second finds the files in memory, for us as for the rival."""
    return min((_timed(work) for _ in range(times)), key=lambda took: took.wall)


def _timed(work: Callable[[], object]) -> Took:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return Took(time.perf_counter() - wall, time.process_time() - cpu)


def _sound(store: Store) -> None:
    found = store.verify()
    assert found.ok, found.problems


def _hash(files: Iterable[Path]) -> None:
    for path in files:
        with path.open("rb") as stream:
            hashlib.file_digest(stream, "sha256").hexdigest()
