"""What was spent, line by line. Pure."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.report.found import Found, HistoryFound, RunFound, TableFound
from selfedit.report.shown import SolvedFound
from selfedit.report.wording import count


@final
@dataclass(frozen=True)
class Line:
    """Something that took time. Tokens are those trained on; None where nobody counted them."""

    name: str
    seconds: float
    tokens: int | None = None


@final
@dataclass(frozen=True)
class Group:
    """Lines that belong together."""

    name: str
    lines: tuple[Line, ...]

    @property
    def seconds(self) -> float:
        return sum(line.seconds for line in self.lines)

    @property
    def tokens(self) -> int | None:
        known = [line.tokens for line in self.lines if line.tokens is not None]
        return sum(known) if len(known) == len(self.lines) else None


def cost(found: Found) -> tuple[Group, ...]:
    """A group for each run, each table and the history; those without a line are left out."""
    groups = [*map(_run, found.runs), *map(_table, (*found.tables, *found.solved))]
    groups += [_history(found.history)] if found.history else []
    return tuple(group for group in groups if group.lines)


def _run(run: RunFound) -> Group:
    lines = [
        Line(
            f"round {each.number}, {count(each.told['trials'], 'trial')}",
            each.told["seconds"],
            each.told.get("tokens"),
        )
        for each in run.rounds
    ]
    return Group(f"Run {run.id[:8]}", tuple(lines))


def _table(table: TableFound | SolvedFound) -> Group:
    lines: Items[Line] = [Line(row.method, row.seconds, row.tokens) for row in table.rows]
    return Group(f"Table {table.id[:8]}", tuple(lines))


def _history(history: HistoryFound) -> Group:
    made, spent = len(history.commits) + history.earlier, history.cost
    return Group("Learned for good", (Line(count(made, "commit"), spent.seconds, spent.tokens),))
