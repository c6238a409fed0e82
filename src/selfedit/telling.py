"""What a commit taught, in words that a person reads, and how two heads answer the same questions.

Changes nothing.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, final

from selfedit.asking import asked_again, check_kept, correctness, head_named, reporting
from selfedit.edits.questions import ask_prompt
from selfedit.edits.recitation import CUE
from selfedit.edits.tools import headed
from selfedit.edits.words import squash
from selfedit.lessons import Hire
from selfedit.measuring import Interval
from selfedit.proving import kept
from selfedit.rewards import mean_over_passages, paired_interval
from selfedit.store import CommitRow, ProbeAnswer, ProbeResult, Store, sequence_text, text_hash
from selfedit.types import Probe, Sequence, Task
from selfedit.undoing import replaced_by

ANSWER, RECITED = "\nAnswer:", f"\n{CUE}"


@final
@dataclass(frozen=True)
class Shown:
    """One commit. What was erased is left out."""

    commit: CommitRow
    passages: tuple[Task, ...]
    facts: tuple[str, ...]
    """What it was trained on: `Q: … A: …`, or a sentence. Replayed texts are left out."""
    probes: tuple[ProbeResult, ...]
    gate: Mapping[str, Any] | None
    stale: bool
    """Live, but trained on what is not live any more."""
    replaced_by: str | None
    proof: Mapping[str, Any] | None
    """After a revert: that it is out again, under the names of `Proof`."""
    undo: str
    """The command that takes it back; empty where it is not live."""


@final
@dataclass(frozen=True)
class DifferenceRow:
    """One question, and how the two heads answer it."""

    probe: Probe
    commit: str
    """The commit that it reports on: the newest of several."""
    a: ProbeAnswer
    b: ProbeAnswer


@final
@dataclass(frozen=True)
class Difference:
    """Two heads, by the names that were given; figures are means over passages, None without a question."""

    a: str
    b: str
    rows: tuple[DifferenceRow, ...]
    right_a: float | None
    right_b: float | None
    ci95: Interval | None
    """Of b less a, paired over passages."""


def show(store: Store, commit: str) -> Shown:
    """What the commit whose id begins so learned, from what and how well. Raises StoreError if none does."""
    row = store.commit(commit)
    passages = {task.id: task for task in store.tasks(row.id)}
    undo = f"selfedit revert {row.id[:12]} --store {shlex.quote(str(store.path))}" if row.live else ""
    return Shown(
        commit=row,
        passages=tuple(passages.values()),
        facts=() if row.erased else facts(store, row),
        probes=store.probes(row.id),
        gate=store.gate_report(row.id),
        stale=any(each.id == row.id for each in store.stale()),
        replaced_by=replaced_by(store, row.id),
        proof=kept(store, row.id),
        undo=undo,
    )


def facts(store: Store, row: CommitRow) -> tuple[str, ...]:
    """The texts of its own that a commit was trained on, in words, each once."""
    stems = store.text_tasks(row.id)
    titles = {task.id: task.title for task in store.tasks(row.id)}
    named = any(stems.values())
    found: list[str] = []
    for each in store.plan(row.id).sequences:
        task = stems.get(text_hash(sequence_text(each)))
        if task or not named:
            found.append(in_words(each, titles.get(task or "", "")))
    return tuple(dict.fromkeys(found))


def in_words(sequence: str | Sequence, title: str) -> str:
    """A training sequence on one line, without the title that it is learned under."""
    if isinstance(sequence, str):
        return squash(sequence.removeprefix(headed(title, "")))
    prompt = sequence.prompt.removeprefix(ask_prompt("", title).removesuffix(ANSWER))
    question = prompt.removesuffix(ANSWER).removesuffix(RECITED)
    return f"Q: {squash(question)} A: {squash(sequence.completion)}"


def difference(store: Store, hire: Hire, a: str, b: str) -> Difference:
    """All stored reporting probes, each once, asked at two heads. Raises StoreError where one is gone."""
    heads = {name: head_named(store, name) for name in (a, b)}
    for rows in heads.values():
        check_kept(store, rows)
    held = reporting(store, store.log())
    found = {name: asked_again(hire, rows, held, f"asking at {name[:12]}") for name, rows in heads.items()}
    rows = tuple(
        DifferenceRow(each.probe, each.commit.id, found[a][probe], found[b][probe])
        for probe, each in held.items()
    )
    right = {name: correctness(held, answers) for name, answers in found.items()}
    return Difference(
        a,
        b,
        rows,
        mean_over_passages(right[a]),
        mean_over_passages(right[b]),
        paired_interval(right[b], right[a], seed=0),
    )
