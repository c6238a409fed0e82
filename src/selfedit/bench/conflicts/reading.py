"""The labelled pairs' files → pairs. Knows nothing of the rules that they are for.

A file a kind, under `sets/`. A block is one old passage: `=== title | language | half`, the passage, its
questions (`? question = answer`), and new passages (`- label N | title | passage`), where N counts the
question whose answer a contradiction changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

from selfedit.types import Probe, Task, rng_for

FOLDER = Path(__file__).parent / "sets"
PARTS = ("tune", "report", "later", "author-tune", "author-report")
"""Two halves by lot; `later`, pairs that were written when the rules by words stood; and, again in two halves
by lot, those of another author, who knew none of the rules."""
APART = ("later", "independent")
"""Files that have no part in the lot."""
CONFLICTING = ("contradiction", "correction")
HARMLESS = ("adds", "repeats", "other", "writing")
LABELS = CONFLICTING + HARMLESS


@final
@dataclass(frozen=True, slots=True)
class Old:
    """What was learned: a passage with its questions."""

    kind: str
    language: str
    part: str
    task: Task


@final
@dataclass(frozen=True, slots=True)
class Pair:
    """A new passage beside an old one. `changed` is the question that it answers otherwise, None if none."""

    old: Old
    label: str
    new: Task
    changed: Probe | None

    @property
    def conflicting(self) -> bool:
        return self.label in CONFLICTING


@cache
def pairs(part: str = "") -> tuple[Pair, ...]:
    """All, or those of one half, in the order of the files."""
    return tuple(pair for pair in read_all() if part in ("", pair.old.part))


def drawn_half(olds: Items[Old], seed: int = 0) -> frozenset[str]:
    """The titles that report: of each kind half, by lot, so that no old passage is in both halves."""
    found: set[str] = set()
    for kind in sorted({old.kind for old in olds}.difference(APART)):
        titles = sorted({old.task.title for old in olds if old.kind == kind})
        rng_for("conflicts", seed, kind).shuffle(titles)
        found.update(titles[len(titles) // 2 :])
    return frozenset(found)


def read_all() -> Iterator[Pair]:
    """Every pair of every file."""
    for path in sorted(FOLDER.glob("*.txt")):
        for block in ("\n" + path.read_text(encoding="utf-8")).split("\n=== ")[1:]:
            yield from _pairs(path.stem, block.strip().splitlines())


def _pairs(kind: str, lines: Items[str]) -> Iterator[Pair]:
    title, language, part = lines[0].split(" | ")
    asked = [line[2:].rpartition(" = ") for line in lines if line.startswith("? ")]
    probes = tuple(Probe(question, answer, title, "gold") for question, _, answer in asked)
    old = Old(kind, language, part, Task(title, lines[1], probes))
    for line in lines:
        if line.startswith("- "):
            label, name, passage = line[2:].split(" | ", 2)
            word, _, number = label.partition(" ")
            yield Pair(old, word, Task(name, passage), probes[int(number) - 1] if number else None)
