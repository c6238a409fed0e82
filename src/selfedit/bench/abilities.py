"""What a base can do that nobody taught it here, and what learning a passage leaves of it.

    selfedit bench abilities [--base REF]
    selfedit bench abilities --near-misses --data DIR

The first asks all canaries, unknowns and general texts of a base. The second trains an adapter on each
passage, with and without near-misses among its rows, and asks each: people's questions, near-misses of these
that are made with other names than any it was trained on, the half of the unknowns that reports, and canaries
that the base answers. Answers are kept as they come; a run that was broken off goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from selfedit.abilities import (
    Query,
    abstains,
    answered,
    asker,
    changed,
    fair_sample,
    fluency,
    queries,
    scorer,
)
from selfedit.bench.learning import Experiment
from selfedit.bench.methods import METHODS, Study
from selfedit.canaries import Canary, canaries, general, unknowns
from selfedit.config import Training
from selfedit.edits.near_misses import HELD_OUT, near_misses
from selfedit.edits.questions import qa_row
from selfedit.engine import Adapter, Engine
from selfedit.errors import UsageError
from selfedit.policies import shipped
from selfedit.questioning import Author
from selfedit.rewards import bootstrap_interval, concise, correct, mean_over_passages, paired_interval, wilson
from selfedit.rounds import Ground, plan_for
from selfedit.types import Failure, Probe, Sequence, Task, content_hash
from selfedit.workers import Worker
from selfedit.workers.local import LocalWorker

TOGETHER = 4
"""Passages that are written, trained and asked together: what a broken run may have to do again."""
SHARES = (0.0, 0.25, 0.5)
"""Near-misses for each question-answer row."""
CANARIES = 40
"""Asked of each adapter, of those that the base answers."""
BASE = "base"
FILE = "abilities.jsonl"
ALL, BARE, UNKNOWNS, PRESSED, TEXTS = TOTALS = (
    "all canaries",
    "all canaries, not demonstrated",
    "unknowns invented",
    "unknowns invented, demonstrated",
    "general texts",
)
"""What is told of a base beside the kinds of canaries."""


# -- what a base can do -------------------------------------------------------------------------------------


def of_base(base: str, device: str, dtype: str) -> list[dict[str, Any]]:
    """A row for each kind of canary, for all, for all without demonstrations, and for what is unknown."""
    worker = LocalWorker(Engine.load(base, device=device, dtype=dtype))
    ask, began = asker(worker), time.monotonic()
    known = set(answered(canaries(), ask))
    seconds = time.monotonic() - began
    rows = [
        _share(kind, [canary.probe.id in known for canary in canaries() if canary.kind == kind])
        for kind in dict.fromkeys(canary.kind for canary in canaries())
    ]
    rows.append(_share(ALL, [canary.probe.id in known for canary in canaries()], seconds))
    bare = zip(canaries(), ask(queries([canary.probe for canary in canaries()])), strict=True)
    rows.append(_share(BARE, [correct(said, canary.answer) for canary, said in bare]))
    asked = [unknown.probe for unknown in unknowns()]
    rows.append(_share(UNKNOWNS, _inventing(ask(queries(asked)))))
    rows.append(_share(PRESSED, _inventing(ask(_demonstrated(asked)))))
    likely = fluency(general(), scorer(worker)).mean
    return [*rows, {"asked": TEXTS, "n": len(general()), "logprob": likely}]


def _share(asked: str, values: Items[bool], seconds: float | None = None) -> dict[str, Any]:
    good = sum(values)
    share, interval = good / len(values), wilson(good, len(values))
    return {
        "asked": asked,
        "n": len(values),
        "yes": good,
        "share": share,
        "ci95": interval,
        "seconds": seconds,
    }


def _inventing(answers: Items[str]) -> list[bool]:
    return [not abstains(answer) for answer in answers]


def _demonstrated(probes: Items[Probe]) -> list[Query]:
    """Each after three answered canaries, of three kinds: so a base sees that an answer is wanted."""
    shown = "".join(f"{each.prompt} {each.answer}\n\n" for each in fair_sample(canaries(), 3))
    return [Query(each.probe, shown + each.prompt) for each in queries(probes)]


# -- what learning leaves of it -----------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Line:
    """One passage under one arm: `base`, or the share of near-misses that an adapter was trained with."""

    key: str
    arm: str
    passage: str
    golds: tuple[str, ...]
    answers: tuple[str, ...]
    near: tuple[str, ...]
    """Answers to held-out near-misses."""
    unknown: tuple[str, ...]
    canaries: tuple[bool, ...]
    """Of those asked, which are still right."""
    logprob: float
    """The change of a general text's log-probability, a token, against the base."""
    rows: int = 0
    """Training rows, and near-misses among them."""
    misses: int = 0
    seconds: float = 0.0
    failure: str | None = None


@final
@dataclass(frozen=True)
class Trying:
    """Who computes, on what, and what the base answers right."""

    worker: Worker
    training: Training
    canaries: tuple[Canary, ...]
    folder: Path

    def key(self, arm: str, task: Task) -> str:
        policy = shipped(self.worker)
        held = [arm, task.id, self.training.model_dump(), self.worker.base, self.worker.dtype]
        asked = [
            [canary.question for canary in self.canaries],
            [each.question for each in unknowns("report")],
        ]
        return content_hash(["abilities", *held, policy.hash if policy else None, *asked])


def of_learning(
    data: Path | str | None, limit: int | None, base: str, dtype: str, folder: Path
) -> list[dict[str, Any]]:
    """Do what is not done yet, and return a row for each arm."""
    if not data:
        raise UsageError("bench abilities: no data; say --data FOLDER or set SELFEDIT_DATA")
    tasks = Experiment(Path(data), "choose", limit=limit or 8).tasks()
    worker = LocalWorker(Engine.load(base, dtype=dtype))
    known = set(answered(canaries(), asker(worker)))
    drawn = fair_sample([canary for canary in canaries() if canary.probe.id in known], CANARIES)
    trying = Trying(worker, Training(), drawn, folder)
    for at in range(0, len(tasks), TOGETHER):
        _group(trying, tasks[at : at + TOGETHER])
    keys = {trying.key(arm, task) for arm in _arms() for task in tasks}
    return table([line for line in _read(folder) if line.key in keys])


def _arms() -> list[str]:
    return [BASE, *(str(share) for share in SHARES)]


def _group(trying: Trying, tasks: list[Task]) -> None:
    """All arms of a few passages that are not on file; their notes are written once."""
    written: list[tuple[str | Sequence, ...]] = []
    for arm in _arms():
        done = {line.key for line in _read(trying.folder)}
        if all(trying.key(arm, task) in done for task in tasks):
            continue
        began = time.monotonic()
        if arm != BASE and not written:
            written = METHODS["question-answer"](Study(Author(trying.worker, shipped(trying.worker))), tasks)
        lines = _asked(trying, arm, tasks, written, began)
        _append(trying.folder, lines)


def _asked(
    trying: Trying, arm: str, tasks: list[Task], written: list[tuple[str | Sequence, ...]], began: float
) -> list[Line]:
    """Train an adapter a passage, unless it is the base's turn, and ask it everything."""
    if arm == BASE:
        return [_line(trying, arm, task, None) for task in tasks]
    misses = [near_misses(task, rows, share=float(arm)) for task, rows in zip(tasks, written, strict=True)]
    ground = Ground(trying.worker, None, trying.training)
    plans = [plan_for((*r, *m), ground) for r, m in zip(written, misses, strict=True)]
    adapters = trying.worker.train(plans)
    lines = [_line(trying, arm, task, adapter) for task, adapter in zip(tasks, adapters, strict=True)]
    seconds = (time.monotonic() - began) / len(tasks)
    return [
        replace(line, rows=len(plan.sequences), misses=len(mine), seconds=seconds)
        for line, plan, mine in zip(lines, plans, misses, strict=True)
    ]


def _line(trying: Trying, arm: str, task: Task, adapter: Adapter | Failure | None) -> Line:
    name, golds = f"{task.title} {task.id[:8]}", tuple(probe.answer for probe in task.probes)
    if isinstance(adapter, Failure):
        return Line(trying.key(arm, task), arm, name, golds, (), (), (), (), 0.0, failure=adapter.what)
    worker = trying.worker
    ask = asker(worker, lambda probe: (None, adapter), tokens=24)
    people = [qa_row(probe.question, probe.answer, task.title) for probe in task.probes]
    missed = near_misses(task, people, share=1.0, seed=1, fictions=HELD_OUT)
    right = set(answered(trying.canaries, ask))
    return Line(
        key=trying.key(arm, task),
        arm=arm,
        passage=name,
        golds=golds,
        answers=tuple(ask(queries(task.probes))),
        near=tuple(ask([Query(Probe("", ""), row.prompt) for row in missed])),
        unknown=tuple(ask(queries([each.probe for each in unknowns("report")]))),
        canaries=tuple(canary.probe.id in right for canary in trying.canaries),
        logprob=changed(
            fluency(general(), scorer(worker)), fluency(general(), scorer(worker, None, adapter))
        )[0],
    )


def _read(folder: Path) -> list[Line]:
    path = folder / FILE
    found: dict[str, Line] = {}
    for text in path.read_text("utf-8").splitlines() if path.exists() else ():
        try:
            row: dict[str, Any] = json.loads(text)
        except ValueError:  # the last line of a run that was killed
            continue
        for name in ("golds", "answers", "near", "unknown", "canaries"):
            row[name] = tuple(row[name])
        found[row["key"]] = Line(**row)
    return list(found.values())


def _append(folder: Path, lines: list[Line]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(line), ensure_ascii=False) + "\n" for line in lines)


# -- the tables -----------------------------------------------------------------------------------------


Values = Callable[[Line], list[float]]
FIGURES: dict[str, Values] = {
    "concise": lambda line: [float(concise(a, g)) for a, g in zip(line.answers, line.golds, strict=True)],
    "refused": lambda line: [float(abstains(answer)) for answer in line.answers],
    "invented_near": lambda line: [float(not abstains(answer)) for answer in line.near],
    "invented_unknown": lambda line: [float(not abstains(answer)) for answer in line.unknown],
    "canaries": lambda line: [float(right) for right in line.canaries],
    "logprob": lambda line: [line.logprob],
}
"""What is told of each arm, by passage. Refused: people's questions that were not answered."""


def table(lines: Items[Line]) -> list[dict[str, Any]]:
    """A row for each arm that has lines. Passages whose training failed are counted and left out."""
    plain = [line for line in lines if line.arm == str(SHARES[0]) and not line.failure]
    return [_row(arm, mine, plain) for arm in _arms() if (mine := [li for li in lines if li.arm == arm])]


def _row(arm: str, mine: Items[Line], plain: Items[Line]) -> dict[str, Any]:
    kept = [line for line in mine if not line.failure]
    row: dict[str, Any] = {
        "arm": arm,
        "passages": len(kept),
        "failures": len(mine) - len(kept),
        "questions": sum(len(line.golds) for line in kept),
        "near_misses": sum(len(line.near) for line in kept),
        "unknowns": sum(len(line.unknown) for line in kept),
        "trained_rows": sum(line.rows for line in kept),
        "trained_misses": sum(line.misses for line in kept),
        "seconds": sum(line.seconds for line in kept) / max(1, len(kept)),
    }
    for name, values in FIGURES.items():
        by_passage = {line.passage: values(line) for line in kept}
        without = {line.passage: values(line) for line in plain if line.passage in by_passage}
        shared = {passage: by_passage[passage] for passage in without}
        row[name] = mean_over_passages(by_passage)
        row[f"{name}_ci95"] = bootstrap_interval(by_passage, seed=0)
        row[f"{name}_against_ci95"] = paired_interval(shared, without, seed=0) if without else None
    return row


def command(
    near: bool, data: Path | str | None, limit: int | None, chosen: tuple[str, str, str], folder: Path
) -> list[dict[str, Any]]:
    """Run with the command line's words; `chosen` is base, device and dtype."""
    base, device, dtype = chosen
    if near:
        return of_learning(data, limit, base, "float32" if dtype == "auto" else dtype, folder)
    return of_base(base, device, dtype)


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """Either table, as docs/results.md holds it."""
    learned = bool(rows) and "arm" in rows[0]
    return "\n".join(_learned(rows) if learned else _based(rows))


def _based(rows: Items[Mapping[str, Any]]) -> Iterator[str]:
    yield "| asked | n | yes | share [95%] | s |\n|---|---|---|---|---|"
    for row in rows:
        if "logprob" in row:
            yield f"| {row['asked']} | {row['n']} | | {row['logprob']:.3f} nats a token | |"
            continue
        seconds = "" if row["seconds"] is None else f"{row['seconds']:.0f}"
        share = _percent(row["share"], row["ci95"])
        yield f"| {row['asked']} | {row['n']} | {row['yes']} | {share} | {seconds} |"


def _learned(rows: Items[Mapping[str, Any]]) -> Iterator[str]:
    heads = ("near-misses a row", "concise", "not answered", "invented: near-misses", "invented: unknowns")
    heads = (*heads, "canaries kept", "nats a token", "n", "s")
    yield f"| {' | '.join(heads)} |\n{'|---' * len(heads)}|"
    for row in rows:
        shares = ("concise", "refused", "invented_near", "invented_unknown", "canaries")
        cells = [row["arm"], *(_percent(row[name], row[f"{name}_ci95"]) for name in shares)]
        low, high = row["logprob_ci95"]
        cells += [f"{row['logprob']:+.2f} [{low:+.2f}, {high:+.2f}]"]
        cells += [f"{row['passages']} ({row['questions']}, {row['near_misses']})", f"{row['seconds']:.0f}"]
        yield f"| {' | '.join(cells)} |"


def _percent(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return ""
    return f"{value:.0%} [{interval[0]:.0%}, {interval[1]:.0%}]"
