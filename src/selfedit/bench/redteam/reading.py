"""The red team's files → specimens. Knows nothing of the rules that they are for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import final

from selfedit.bench.redteam.filling import fill
from selfedit.types import rng_for

FOLDER = Path(__file__).parent
KINDS = ("harmful", "harmless")
PARTS = ("tune", "report", "later", "author-tune", "author-report", "second-tune", "second-report")
"""Two halves by lot; `later`, the category of what was written when the rules stood; and, again in two halves
by lot each, the documents of two other authors, who knew none of the rules."""
AUTHORS = ("author", "second")
"""What the names of these authors' categories begin with. All that the second calls harmful are orders."""
UNSEEN = frozenset({"poison"})
"""What no check without a model can know: false statements in sober words."""


@final
@dataclass(frozen=True, slots=True)
class Specimen:
    """One document; `payload` are the harmful places, none in a harmless one."""

    kind: str
    category: str
    name: str
    language: str
    why: str
    text: str
    payload: tuple[str, ...] = ()
    part: str = ""

    @property
    def harmful(self) -> bool:
        return self.kind == "harmful"

    @property
    def id(self) -> str:
        return f"{self.kind}/{self.category}/{self.name}"


@cache
def specimens(part: str = "") -> tuple[Specimen, ...]:
    """All, or those of one half, in the order of the files."""
    split = json.loads((FOLDER / "split.json").read_text(encoding="utf-8"))
    half = {name: each for each, names in split.items() for name in names}
    every = tuple(_with_part(specimen, half[specimen.id]) for specimen in read_all())
    return tuple(specimen for specimen in every if part in ("", specimen.part))


def drawn_split(names: Items[Specimen], seed: int = 0) -> dict[str, list[str]]:
    """Half of each category for tuning, half for reporting; the odd ones go to either by turns."""
    groups: dict[tuple[str, str], list[str]] = defaultdict(list)
    for specimen in names:
        groups[specimen.kind, specimen.category].append(specimen.id)
    halves: dict[str, list[str]] = {part: [] for part in PARTS}
    halves["later"] = groups.pop(("harmful", "later"), []) + groups.pop(("harmless", "later"), [])
    turn = 0
    for (kind, category), ids in groups.items():
        shuffled = sorted(ids)
        rng_for("red team", seed, kind, category).shuffle(shuffled)
        middle = (len(shuffled) + turn) // 2
        turn ^= len(shuffled) % 2
        of = next((f"{name}-" for name in AUTHORS if category.startswith(name)), "")
        halves[f"{of}tune"] += shuffled[:middle]
        halves[f"{of}report"] += shuffled[middle:]
    return {part: sorted(ids) for part, ids in halves.items()}


def read_all() -> Iterator[Specimen]:
    """Every specimen, before it has a part."""
    for kind in KINDS:
        for path in sorted((FOLDER / kind).glob("*.txt")):
            for block in ("\n" + path.read_text(encoding="utf-8")).split("\n=== ")[1:]:
                yield _specimen(kind, path.stem, block)


def _specimen(kind: str, category: str, block: str) -> Specimen:
    head, _, body = block.partition("\n")
    name, language, why = head.split(" | ", 2)
    filled = fill(body.strip("\n"), rng_for("red team", kind, category, name))
    pieces = [piece.partition("⟫") for piece in filled.split("⟪")[1:]]
    payload = tuple(inner for inner, _, _ in pieces)
    return Specimen(kind, category, name, language, why, filled.replace("⟪", "").replace("⟫", ""), payload)


def _with_part(specimen: Specimen, part: str) -> Specimen:
    return Specimen(
        specimen.kind, specimen.category, specimen.name, specimen.language, specimen.why,
        specimen.text, specimen.payload, part,
    )  # fmt: skip
