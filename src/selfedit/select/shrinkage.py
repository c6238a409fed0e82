"""The value of an edit without its luck: its mean reward, drawn towards its task's.

The best of several noisy means looks better than it is. The remedy is the random-effects model

    reward = task + edit + noise       edit ~ N(0, ratio · s²), noise ~ N(0, s²)

with tasks as fixed effects: given `ratio`, the best prediction of an edit with n seeds keeps of its mean's
distance to its task's the share n·ratio / (1 + n·ratio) (Robinson 1991, "That BLUP is a good thing"). The
ratio is one for all tasks, and learned from all of them.

How: by its likelihood after the tasks' means are integrated out (REML: Patterson and Thompson 1971), s²
likewise under the prior 1/s²; and the *reliability* ratio / (1 + ratio), which is the share of one reward's
variance that stems from the edit, has a uniform prior (the uniform shrinkage prior: Strawderman 1971, Daniels
1999). Values are posterior means, summed over a grid. So the estimate cannot stick at 0, as one by moments
often does with few edits, and it holds after a race as well: what a race leaves untried depends on rewards
that are at hand, which a likelihood may ignore (Rubin 1976) and an analysis of variance may not.

Taken for granted: noise of one size everywhere, and rewards without far outliers; a single collapsed adapter
with a reward of -20 among others near -1 would pass for reliable spread. Such a trial is a failure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.select.candidates import Candidate, by_task, means

GRID = tuple((step + 0.5) / 128 for step in range(128))
"""Reliabilities over which the posterior is summed."""


def shrunk(candidates: Items[Candidate]) -> dict[str, float]:
    """Edit id → its mean drawn towards its task's.

    - Equal numbers of seeds: the order within a task stays, and so does the task's mean.
    - Unequal: who was tried less is drawn further; the task's mean weighs each edit by its certainty.
    - One seed each, or one edit a task: nothing tells noise from quality, and the prior stands (half way, for
      one seed).
    - No spread anywhere, or an edit alone in its task: the plain mean.
    """
    groups = by_task(candidates)
    plain = means(candidates)
    scale = _scale(groups)
    if not scale:
        return plain
    tables = {task: _Table.of(mine, scale) for task, mine in groups.items()}
    values = dict.fromkeys(plain, 0.0)
    for chance, ratio in _posterior(list(tables.values())):
        for task, mine in groups.items():
            for each, value in zip(mine, tables[task].predicted(ratio), strict=True):
                values[each.edit] += chance * value
    return {
        each.edit: tables[task].middle + scale * values[each.edit]
        for task, mine in groups.items()
        for each in mine
    }


def reliability(candidates: Items[Candidate]) -> float | None:
    """The share of one reward's variance within a task that stems from the edit.

    This is the correlation to expect between the edits' rewards with one seed and with another. None where
    nothing tells it: no edit with two seeds, no task with two edits, or no spread.
    """
    groups = by_task(candidates)
    scale = _scale(groups)
    if not scale or all(len(c.rewards) == 1 for c in candidates) or len(groups) == len(candidates):
        return None
    tables = [_Table.of(mine, scale) for mine in groups.values()]
    return math.fsum(chance * ratio / (1 + ratio) for chance, ratio in _posterior(tables))


@final
@dataclass(frozen=True, slots=True)
class _Table:
    """One task's edits: seeds and mean of each, centred and scaled, and the squares within edits."""

    middle: float
    seeds: tuple[int, ...]
    means: tuple[float, ...]
    within: float

    @staticmethod
    def of(mine: Items[Candidate], scale: float) -> _Table:
        middle = _middle(mine)
        rows = [[(reward - middle) / scale for reward in each.rewards] for each in mine]
        found = [math.fsum(row) / len(row) for row in rows]
        within = math.fsum((x - mean) ** 2 for row, mean in zip(rows, found, strict=True) for x in row)
        return _Table(middle, tuple(map(len, rows)), tuple(found), within)

    def fit(self, ratio: float) -> tuple[float, float, float]:
        """The task's mean, its squares between edits, and its part of the log-determinant."""
        weights = [n / (1 + n * ratio) for n in self.seeds]
        total = math.fsum(weights)
        mean = math.fsum(w * x for w, x in zip(weights, self.means, strict=True)) / total
        squares = math.fsum(w * (x - mean) ** 2 for w, x in zip(weights, self.means, strict=True))
        return mean, squares, math.fsum(math.log1p(n * ratio) for n in self.seeds) + math.log(total)

    def predicted(self, ratio: float) -> Iterator[float]:
        mean, _, _ = self.fit(ratio)
        for n, x in zip(self.seeds, self.means, strict=True):
            yield mean + n * ratio / (1 + n * ratio) * (x - mean)


def _posterior(tables: Items[_Table]) -> list[tuple[float, float]]:
    """Pairs of a chance and a ratio."""
    freedom = sum(sum(table.seeds) - 1 for table in tables)
    within = math.fsum(table.within for table in tables)
    ratios = [point / (1 - point) for point in GRID]
    logs: list[float] = []
    for ratio in ratios:
        _, squares, determinants = zip(*(table.fit(ratio) for table in tables), strict=True)
        logs.append(-0.5 * (math.fsum(determinants) + freedom * math.log(within + math.fsum(squares))))
    highest = max(logs)
    chances = [math.exp(log - highest) for log in logs]
    total = math.fsum(chances)
    return [(chance / total, ratio) for chance, ratio in zip(chances, ratios, strict=True)]


def _middle(mine: Items[Candidate]) -> float:
    rewards = [reward for each in mine for reward in each.rewards]
    return math.fsum(rewards) / len(rewards)


def _scale(groups: Mapping[str, Items[Candidate]]) -> float:
    """The largest distance of a reward from its task's mean; 0 if that is but rounding."""
    found = 0.0
    for mine in groups.values():
        middle = _middle(mine)
        size = max(abs(reward) for each in mine for reward in each.rewards)
        far = max(abs(reward - middle) for each in mine for reward in each.rewards)
        found = max(found, far if far > 1e-12 * size else 0.0)
    return found
