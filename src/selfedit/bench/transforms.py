"""All tasks of ARC-AGI through every transform and back, and what a generated task costs.

    selfedit bench transforms [--tasks arc1,arc2]

Back means: every grid by the transform's inverse, where it has one, and every right answer to a query by the
query's own reading. A fault is a grid or answer that does not come back, or a generated task that has a
grid larger than 30×30; what is raised ends the command. Tasks are generated of all families, as for
training: each demonstration left out, once as it is and once for every transform. Milliseconds are of
processor time; what is dropped as too large takes time, too.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.edits.augment import FAMILIES, NAMES, inverse, transform
from selfedit.edits.queries import grid_queries
from selfedit.edits.variants import fits, grid_variants, grids
from selfedit.tasks import read_arc
from selfedit.types import FewShot, Grid

EVERY = (*NAMES, "translate_2_1", "translate_-3_40", *FAMILIES["chain"])
SOURCES = ("arc1", "arc2")


@final
@dataclass(frozen=True)
class Passed:
    """What a task came to."""

    grids: int
    changed: int
    """Grids that were transformed, each by every transform."""
    generated: int
    seconds: float
    """That generating took."""
    faults: tuple[str, ...]


def command(sources: Items[str] = SOURCES) -> list[dict[str, Any]]:
    """A row for each source, as `read_arc` takes it."""
    return [_row(source, [passed(task) for task in read_arc(source).tasks]) for source in sources]


def passed(task: FewShot[Grid]) -> Passed:
    """The task through everything."""
    mine = list(grids(task))
    lost = [f"{name}: its inverse gives another grid" for name in EVERY for grid in mine if _lost(name, grid)]
    began = time.process_time()
    made = grid_variants(task, FAMILIES)
    seconds = time.process_time() - began
    large = ["generated: a grid larger than 30×30" for each in made if not fits(each)]
    faults = (*lost, *_unread(task), *large)
    return Passed(len(mine), len(mine) * len(EVERY), len(made), seconds, faults)


def _lost(name: str, grid: Grid) -> bool:
    back, changed = inverse(name), transform(name, grid)
    return back is not None and transform(back, changed) != grid


def _unread(task: FewShot[Grid]) -> list[str]:
    return [
        f"test {number + 1}: the right answer is read as another grid"
        for number, test in enumerate(task.tests)
        for query in grid_queries(task, number)
        if query.read(query.completion(test.output)) != test.output
    ]


def _row(source: str, found: Items[Passed]) -> dict[str, Any]:
    made = sum(each.generated for each in found)
    return {
        "tasks": source,
        "n": len(found),
        "grids": sum(each.grids for each in found),
        "transformed": sum(each.changed for each in found),
        "generated": made,
        "faults": sum(len(each.faults) for each in found),
        "first_fault": next((fault for each in found for fault in each.faults), None),
        "ms": 1000 * sum(each.seconds for each in found) / max(1, made),
        "ms_slowest": max((1000 * each.seconds / max(1, each.generated) for each in found), default=0.0),
    }


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """A line for each row."""
    heads = ("tasks", "n", "grids", "transformed", "faults", "generated", "ms each", "ms each, slowest task")
    lines = [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for row in rows:
        counts = [f"{row[name]:,}" for name in ("n", "grids", "transformed", "faults", "generated")]
        cells = (row["tasks"], *counts, f"{row['ms']:.2f}", f"{row['ms_slowest']:.2f}")
        lines.append(f"| {' | '.join(cells)} |")
    faults = [f"\n{row['tasks']}: {row['first_fault']}" for row in rows if row["first_fault"]]
    return "\n".join([*lines, *faults])
