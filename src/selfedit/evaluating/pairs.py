"""Every row of a table beside one of them: paired differences on the passages that both have. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.errors import UsageError
from selfedit.evaluating.competing import SolvedTable
from selfedit.evaluating.figures import ByPassage, Interval, values_by_method
from selfedit.evaluating.standings import by_task
from selfedit.evaluating.tabulating import Table
from selfedit.rewards import mean_over_passages, paired_interval

JOINT = "joint:"
"""What the name of a row of several passages ends in, with how many."""
Rows = Mapping[str, Mapping[str, ByPassage]]
"""Method → figure → values by passage."""


@final
@dataclass(frozen=True)
class Difference:
    """A figure of one row less the same of another."""

    value: float
    ci95: Interval | None
    n: int
    """Passages or tasks that both have."""


def check(name: str, asked: Items[str]) -> None:
    """Raise UsageError for a row that none of the rows `asked` for can come to. Measures nothing."""
    kinds = {row.partition(":")[0] for row in asked if not row.startswith(JOINT)}
    first, _, joint = name.removesuffix("-recited").partition(f" {JOINT}")
    first = first.replace(":", " ").partition(" ")[0].removesuffix("-recited")
    known = first in kinds or (first == "round" and "rounds" in kinds)
    if not (f"{JOINT}{joint}" in asked if joint else known):
        raise UsageError(f"--against {name}: no row that is asked for; choose among {', '.join(asked)}")


def against(table: Table | SolvedTable, name: str) -> dict[str, dict[str, Difference]]:
    """Method → figure → its difference from the row `name`; of every row but that one, in order.

    Figures are `accuracy`, `concise` and `logprob`; of tasks of demonstrations `solved` and `logprob`. One
    that both rows have of no passage is left out. Raises UsageError for a row that the table does not have.
    """
    rows = _rows(table)
    if name not in rows:
        known = ", ".join(rows) or "there is none"
        raise UsageError(f"--against {name}: no such row in the table; choose among {known}")
    return {
        method: {
            figure: found
            for figure, values in mine.items()
            if (found := _difference(values, rows[name][figure])) is not None
        }
        for method, mine in rows.items()
        if method != name
    }


def _rows(table: Table | SolvedTable) -> Rows:
    names = [row.method for row in table.rows]
    if isinstance(table, Table):
        held = values_by_method(table.graded, names)
        return {
            name: {"accuracy": each.accuracy, "concise": each.concise, "logprob": each.logprob}
            for name, each in held.items()
        }
    lines = {name: [line for line in table.lines if line.way == name] for name in names}
    return {
        name: {"solved": by_task(mine, "solved"), "logprob": by_task(mine, "logprob")}
        for name, mine in lines.items()
    }


def _difference(ours: ByPassage, theirs: ByPassage) -> Difference | None:
    a = {name: values for name, values in ours.items() if name in theirs}
    b = {name: theirs[name] for name in a}
    left, right = mean_over_passages(a), mean_over_passages(b)
    if left is None or right is None:
        return None
    return Difference(left - right, paired_interval(a, b, seed=0), len(a))
