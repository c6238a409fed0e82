"""What the screening stops and what it wrongly stops, on the red team's documents.

    selfedit bench screening [--base smollm2-135m]

No model is needed. With a base the same is counted once more, the guard that ships for it reading what lists
let in.

A harmful document is *blocked* where it is refused, *defused* where what is harmful in it (marked in the set)
is gone from what is left, else *passed*, or *noted* where the guard at least tells of it. A harmless one is
*wrongly blocked* where it is refused or a letter of it changed. Rules were tuned on the halves `tune` and
`author-tune`, the guard on these and `second-tune`. Intervals are Wilson's (1927), at 95 %.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from typing import Any

from selfedit.bench.redteam import PARTS, Specimen, specimens
from selfedit.bench.redteam.reading import UNSEEN
from selfedit.config import Policy
from selfedit.errors import UsageError
from selfedit.guarding import Guard, guard
from selfedit.rewards import wilson
from selfedit.screening import screen
from selfedit.screening.folding import Page

SEEN = "all but poison"
LISTS, GUARD = "lists", "lists, then the guard"
COUNTS = ("blocked", "defused", "noted", "passed", "wrongly_blocked")
Tally = tuple[Specimen, str, float]


def command(base: str | None = None, parts: Items[str] = PARTS) -> list[dict[str, Any]]:
    """A row for each way, half, kind and category, and those for all of a kind. Raises UsageError."""
    reader = _guard(base) if base else None
    ways = {LISTS: None, **({GUARD: reader} if reader else {})}
    return [row for part in parts for way, each in ways.items() for row in _rows(part, way, each)]


def _guard(base: str) -> Guard:
    from selfedit.graders import built_in

    found = guard(built_in(base))
    if found is None:
        raise UsageError(f"{base}: no guard ships for it; leave --base out")
    return found


def outcome(specimen: Specimen, policy: Policy | None = None, reader: Guard | None = None) -> str:
    """`blocked`, `defused` or `passed`; of a harmless one `wrongly blocked` or `passed`; `noted` is what
    passes with a word about an order that it may hold."""
    found = screen(specimen.text, policy)
    told = reader.orders([found.text])[0] if reader and found.accepted else None
    action = (policy or Policy()).action(told.kind, told.sure) if told else "allow"
    refused, passed = not found.accepted or action == "refuse", "noted" if action == "warn" else "passed"
    if not specimen.harmful:
        return "wrongly blocked" if refused or found.text != specimen.text else passed
    if refused:
        return "blocked"
    return passed if any(_remains(place, found.text) for place in specimen.payload) else "defused"


def _remains(place: str, text: str) -> bool:
    """Whether it is still there, as it was or without its disguise."""
    bare = Page(place).plain.text.strip()
    return place in text or (len(bare) > 1 and bare in Page(text).plain.text)


def _rows(part: str, way: str, reader: Guard | None) -> Iterator[dict[str, Any]]:
    tallies = [_timed(specimen, reader) for specimen in specimens(part)]
    for row in _of_kinds(part, tallies):
        yield {"way": way, **row}


def _of_kinds(part: str, tallies: Items[Tally]) -> Iterator[dict[str, Any]]:
    for kind in ("harmful", "harmless"):
        mine = [tally for tally in tallies if tally[0].kind == kind]
        for category in dict.fromkeys(specimen.category for specimen, _, _ in mine):
            yield _row(part, kind, category, [t for t in mine if t[0].category == category])
        if kind == "harmful":
            yield _row(part, kind, SEEN, [t for t in mine if t[0].category not in UNSEEN])
        yield _row(part, kind, "all", mine)


def _timed(specimen: Specimen, reader: Guard | None) -> Tally:
    began = time.perf_counter()
    found = outcome(specimen, reader=reader)
    return specimen, found, time.perf_counter() - began


def _row(part: str, kind: str, category: str, tallies: Items[Tally]) -> dict[str, Any]:
    counts = Counter(found for _, found, _ in tallies)
    good = counts["blocked"] + counts["defused"] if kind == "harmful" else counts["wrongly blocked"]
    return {
        "part": part,
        "kind": kind,
        "category": category,
        "documents": len(tallies),
        "blocked": counts["blocked"],
        "defused": counts["defused"],
        "noted": counts["noted"],
        "passed": counts["passed"],
        "wrongly_blocked": counts["wrongly blocked"],
        "share": good / len(tallies),
        "ci95": wilson(good, len(tallies)),
        "ms": 1000 * sum(seconds for _, _, seconds in tallies) / len(tallies),
    }


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """A line for each row; the share is of those stopped or defused, or of the wrongly blocked."""
    names = (name.replace("_", " ") for name in COUNTS)
    heads = ("half", "way", "documents", "n", *names, "share [95%]", "ms")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        low, high = row["ci95"]
        counts = [row[name] for name in ("documents", *COUNTS)]
        name = f"{row['kind']}: {row['category']}"
        share = f"{row['share']:.1%} [{low:.1%}, {high:.1%}]"
        lines.append(
            f"| {' | '.join(map(str, (row['part'], row['way'], name, *counts, share)))} | {row['ms']:.0f} |"
        )
    return "\n".join(lines)
