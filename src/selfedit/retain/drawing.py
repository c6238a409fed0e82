"""Earlier rows by chance: weighted, without replacement, none that is trained on anyway."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence as Items

from selfedit.retain.past import Course, Learned, Past, Row
from selfedit.types import Sequence, rng_for


def earlier_rows(past: Past, course: Course, weigh: Callable[[Learned], float]) -> dict[Row, float]:
    """Every earlier row that is not new, with its weight: a commit's, shared evenly among its rows."""
    new = {words(row) for row in course.new}
    found: dict[Row, float] = {}
    for learned in past.learned:
        for row in learned.rows:
            if words(row) not in new:
                found[row] = found.get(row, 0.0) + weigh(learned) / len(learned.rows)
    return found


def drawn(weights: dict[Row, float], count: int, *seed: object) -> tuple[Row, ...]:
    """`count` of the rows (all, where there are no more) in their order.

    Those with the largest u^(1/w) for uniform u (Efraimidis & Spirakis 2006): each next one is drawn with a
    chance in proportion to its weight among those left. A row's u depends on the seed and its words alone.
    """

    def lot(row: Row) -> float:
        chance = rng_for(*seed, *words(row)).random()
        return math.log(max(chance, 1e-300)) / weights[row]

    able = [row for row, weight in weights.items() if weight > 0]
    chosen = set(sorted(able, key=lot, reverse=True)[: max(0, count)])
    return tuple(row for row in weights if row in chosen)


def budget(share: float, rows: Items[Row]) -> int:
    """`share` rows for each of these, rounded to the nearest."""
    return math.floor(share * len(rows) + 0.5)


def words(row: Row) -> tuple[str, str]:
    """What a row says, whatever it weighs."""
    return ("", row) if isinstance(row, str) else (row.prompt, row.completion)


def still(row: Row) -> Sequence:
    """The row at weight 0: nothing is learned of it, but an objective may hold it."""
    return Sequence(*words(row), weight=0.0)
