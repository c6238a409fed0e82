"""What is found of new passages that contradict old ones, and what is called so wrongly.

    selfedit bench contradictions [--base smollm2-135m] [--data DIR]

On the labelled pairs (`conflicts`): found is a contradiction or correction that is told of the very fact
that it changes; a false alarm is any conflict in a passage that changes nothing. With a base, the same once
more with what it reads, as `learn` does. With data, false alarms on real passages: every second passage of
SQuAD is held, with its gold questions, and the others come new (to the model, `READ` of them drawn by lot);
they were never written to contradict, so all that is told is counted as false. Rules by words were tuned on
`tune`, what is read on `tune` and `later`. Intervals: Wilson, 95 %.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from pathlib import Path
from typing import Any

from selfedit.bench.conflicts import CONFLICTING, HARMLESS, PARTS, Pair, pairs
from selfedit.contradictions import Conflict, Reader, conflicts, facts_of
from selfedit.rewards import wilson
from selfedit.tasks import read_squad
from selfedit.types import Task, rng_for

HALVES = PARTS[:2]
WORDS, MODEL = "words", "words, then the model"
READ = 40
"""New real passages of a half that the model reads, too: it takes seconds for each."""


def command(base: str | None = None, data: Path | str | None = None) -> list[dict[str, Any]]:
    """A row for each half, way and label, and those for all that contradict and all that do not."""
    ways: dict[str, Reader | None] = {WORDS: None}
    if base:
        ways[MODEL] = model_reader(base)
    rows = [row for part in PARTS for way, read in ways.items() for row in _rows(part, way, read)]
    if data:
        rows += [_real(half, way, read, Path(data)) for half in HALVES for way, read in ways.items()]
    return rows


def model_reader(base: str) -> Reader:
    """The base as a reader, with the writer that ships for it, as `learn` has it; loaded here."""
    from selfedit.graders import built_in
    from selfedit.policies import shipped

    worker = built_in(base)
    return Reader(worker, shipped(worker))


def outcome(pair: Pair, read: Reader | None = None) -> bool:
    """Whether a conflict is told: of the fact that is changed, or where none is, of any."""
    told = told_of(pair, read)
    if pair.changed is None:
        return bool(told)
    return any(conflict.fact.question == pair.changed.question for conflict in told)


def told_of(pair: Pair, read: Reader | None = None) -> tuple[Conflict, ...]:
    """All that is told of a pair."""
    old = pair.old.task
    return conflicts(facts_of(old.id, [old], old.probes), [pair.new], read)


def _rows(part: str, way: str, read: Reader | None) -> Iterator[dict[str, Any]]:
    counted: dict[str, list[bool]] = {}
    began = time.perf_counter()
    for pair in pairs(part):
        counted.setdefault(pair.label, []).append(outcome(pair, read))
    seconds = time.perf_counter() - began
    each = 1000 * seconds / len(pairs(part))
    for group, name in ((CONFLICTING, "all that contradict"), (HARMLESS, "all that do not")):
        for label in group:
            yield _row((part, way, label), counted[label], each)
        yield _row((part, way, name), [told for label in group for told in counted[label]], each)


def _row(names: tuple[str, str, str], told: Items[bool], ms: float) -> dict[str, Any]:
    part, way, label = names
    low, high = wilson(sum(told), len(told))
    return {
        "half": part,
        "way": way,
        "label": label,
        "n": len(told),
        "told": sum(told),
        "share": sum(told) / len(told),
        "ci95": (low, high),
        "ms": ms,
    }


def _real(part: str, way: str, read: Reader | None, data: Path) -> dict[str, Any]:
    """New passages of the half's titles in which anything is told, of all; a half has every second title."""
    tasks = read_squad(data / "squad" / "val.json")
    titles = set(sorted({task.title for task in tasks})[HALVES.index(part) :: 2])
    mine = [task for task in tasks if task.title in titles]
    held, new = mine[::2], mine[1::2]
    if read:
        new = rng_for("read", part).sample(new, min(READ, len(new)))
    began = time.perf_counter()
    told = alarmed(held, new, read)
    ms = 1000 * (time.perf_counter() - began) / len(new)
    return _row((part, way, "real passages, new"), [task.id in told for task in new], ms)


def alarmed(held: Items[Task], new: Items[Task], read: Reader | None = None) -> set[str]:
    """Ids of the new passages of which anything is told."""
    facts = facts_of("held", held, [probe for task in held for probe in task.probes])
    return {conflict.task for conflict in conflicts(facts, new, read)}


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """A line for each row."""
    heads = ("half", "way", "new passages", "n", "told", "share [95%]", "ms each")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        low, high = row["ci95"]
        share = f"{row['share']:.1%} [{low:.1%}, {high:.1%}]"
        cells = (row["half"], row["way"], row["label"], row["n"], row["told"], share, f"{row['ms']:.0f}")
        lines.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(lines)
