"""What the next round samples: how hot, and in which formats."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.errors import UsageError
from selfedit.select.candidates import Candidate, standardised
from selfedit.types import rng_for

Matrix = list[list[float]]


def temperature(schedule: float | Items[float], round: int) -> float:
    """The sampling temperature of a round (from 0): one for all, or one a round; the last goes on."""
    steps = [schedule] if isinstance(schedule, int | float) else list(schedule)
    if not steps:
        raise UsageError("temperature: the schedule is empty; give a number, or one for each round")
    if round < 0:
        raise UsageError(f"temperature: round is {round}; rounds are counted from 0")
    return steps[min(round, len(steps) - 1)]


@final
@dataclass(frozen=True, slots=True)
class Bandit:
    """Formats as arms: the better one has done, the more of the next samples are written in it.

    Thompson sampling (Thompson 1933; Russo et al. 2018, arXiv 1707.02038), a whole batch from one posterior
    (Chapelle and Li 2011): each sample goes to the format that is best in a draw of its own. The model is
    linear (Agrawal and Goyal 2013, arXiv 1209.3352),

        reward, standardised within its task = task + format + noise
        format ~ N(0, prior²), noise ~ N(0, 1)

    with tasks as fixed effects, so that neither easy tasks nor an uneven mix of formats decide: where a task
    saw one format alone, or edits that were all alike, it says nothing. Failures are not in the history: a
    format whose edits cannot be used costs samples, and is not held to be bad for it.
    """

    least: int = 0
    """So many samples go to every format in any case."""
    prior: float = 1.0
    """How far apart formats may be thought to lie, in standard deviations of the rewards within a task."""

    def counts(
        self,
        history: Mapping[str, Items[Candidate]],
        formats: Items[str],
        samples: int,
        seed: int,
        round: int,
    ) -> dict[str, int]:
        """Format → how many of the round's samples to write in it.

        `history` holds the candidates of earlier rounds by format; those of other formats count as company.
        To deal a round's samples to its tasks: `row = [f for f, n in counts.items() for _ in range(n)]`, and
        `row[i::len(tasks)]` for the i-th.
        """
        self._check(formats, samples)
        names = sorted({*formats, *history})
        factor, solved = self._posterior(history, names)
        rng = rng_for("bandit", seed, round)
        counts = Counter(dict.fromkeys(formats, self.least))
        for _ in range(samples - counts.total()):
            drawn = _backward(factor, [x + rng.gauss(0.0, 1.0) for x in solved])
            effects = dict(zip(names, drawn, strict=True))
            counts[max(formats, key=lambda name: effects[name])] += 1
        return {name: counts[name] for name in formats}

    def _check(self, formats: Items[str], samples: int) -> None:
        if not formats or len(set(formats)) < len(formats):
            raise UsageError(f"bandit: formats are {list(formats)}; give at least one, and none twice")
        if not (math.isfinite(self.prior) and self.prior > 0):
            raise UsageError(f"bandit: prior is {self.prior}; choose a positive number")
        if self.least < 0 or samples < self.least * len(formats):
            raise UsageError(
                f"bandit: {samples} samples do not give {self.least} to each of {len(formats)} formats; "
                f"sample more, or ask for fewer of each"
            )

    def _posterior(
        self, history: Mapping[str, Items[Candidate]], names: Items[str]
    ) -> tuple[Matrix, list[float]]:
        """The formats' effects are N(P⁻¹ b, P⁻¹): the Cholesky factor L of P, and L⁻¹ b."""
        size = range(len(names))
        precision = [[self.prior**-2 if i == j else 0.0 for j in size] for i in size]
        evidence = [0.0 for _ in size]
        for rewards in _by_task(history, names).values():
            scores = standardised([reward for _, reward in rewards])
            if not any(scores):
                continue
            shares = Counter(arm for arm, _ in rewards)
            for (arm, _), score in zip(rewards, scores, strict=True):
                evidence[arm] += score
            for i, n in shares.items():
                precision[i][i] += n
                for j, m in shares.items():
                    precision[i][j] -= n * m / len(rewards)
        factor = _cholesky(precision)
        return factor, _forward(factor, evidence)


def _by_task(
    history: Mapping[str, Items[Candidate]], names: Items[str]
) -> dict[str, list[tuple[int, float]]]:
    """Task id → for each of its candidates the format's place in `names`, and the mean reward."""
    found: dict[str, list[tuple[int, float]]] = {}
    for arm, name in enumerate(names):
        for each in history.get(name, ()):
            found.setdefault(each.task, []).append((arm, each.mean))
    return found


# -- a symmetric system of a few equations -----------------------------------------------------------


def _cholesky(matrix: Matrix) -> Matrix:
    """Lower triangular L with L Lᵀ = `matrix`, which is positive definite."""
    factor = [[0.0] * len(matrix) for _ in matrix]
    for i, row in enumerate(matrix):
        for j in range(i + 1):
            rest = row[j] - math.fsum(factor[i][k] * factor[j][k] for k in range(j))
            factor[i][j] = math.sqrt(rest) if i == j else rest / factor[j][j]
    return factor


def _forward(factor: Matrix, right: Items[float]) -> list[float]:
    """x with L x = `right`."""
    found: list[float] = []
    for i, value in enumerate(right):
        found.append((value - math.fsum(factor[i][k] * found[k] for k in range(i))) / factor[i][i])
    return found


def _backward(factor: Matrix, right: Items[float]) -> list[float]:
    """x with Lᵀ x = `right`."""
    size = len(factor)
    found = [0.0] * size
    for i in reversed(range(size)):
        found[i] = (right[i] - math.fsum(factor[k][i] * found[k] for k in range(i + 1, size))) / factor[i][i]
    return found
