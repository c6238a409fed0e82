"""How far a grader's verdicts agree with given ones. Knows nothing of graders or files.

Agreement, Cohen's kappa (Cohen 1960), precision and recall of "correct", and how well the scores are
calibrated: the expected calibration error over ten bins of equal width (Naeini et al. 2015) and the Brier
score (Brier 1950). All over rows, pooled; intervals by bootstrap over groups, whose rows are drawn together.
A failure is left out and counted.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from selfedit.rewards.statistics import Interval, pooled_interval
from selfedit.types import Failure, Verdict

_BINS = 10


@dataclass(frozen=True, slots=True)
class Judged:
    """What a grader said of a row, and what was given."""

    outcome: Verdict | Failure
    correct: bool
    group: str = ""
    """Rows of one group (a title, a passage) are drawn together; empty: the row is in none."""


@dataclass(frozen=True, slots=True)
class Agreement:
    """Figures of a grader against given verdicts; None where there is nothing to compute one from."""

    rows: int
    """Rows with a verdict of the grader."""
    failures: int
    """Rows without one; in none of the figures."""
    groups: int
    agreement: float | None
    kappa: float | None
    precision: float | None
    """Of the rows that the grader takes for correct, the share that is."""
    recall: float | None
    """Of the rows that are correct, the share that the grader takes for correct."""
    calibration_error: float | None
    brier: float | None
    agreement_ci95: Interval | None
    """None without groups, or with a single one."""
    kappa_ci95: Interval | None

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def agreement(judged: Iterable[Judged], *, seed: int = 0) -> Agreement:
    """Compare verdicts with the given ones; `seed` is the bootstrap's."""
    rows = list(judged)
    found = [(each, each.outcome) for each in rows if isinstance(each.outcome, Verdict)]
    tables: dict[str, Counter[tuple[bool, bool]]] = {}
    for each, verdict in found:
        tables.setdefault(each.group, Counter())[verdict.correct, each.correct] += 1
    counts = {group: _counts(table) for group, table in tables.items()}
    pooled = [sum(column) for column in zip(*counts.values(), strict=True)] or [0, 0, 0, 0]
    both, ours, theirs, _ = pooled
    scores = [(verdict.score, each.correct) for each, verdict in found]
    grouped = len(counts) > 1 and "" not in counts
    return Agreement(
        rows=len(found),
        failures=len(rows) - len(found),
        groups=len(counts.keys() - {""}),
        agreement=_agreement(pooled),
        kappa=_kappa(pooled),
        precision=_share(both, both + ours),
        recall=_share(both, both + theirs),
        calibration_error=_calibration_error(scores),
        brier=_mean([(score - correct) ** 2 for score, correct in scores]),
        agreement_ci95=pooled_interval(counts, _agreement, seed=seed) if grouped else None,
        kappa_ci95=pooled_interval(counts, _kappa, seed=seed) if grouped else None,
    )


def _counts(table: Mapping[tuple[bool, bool], int]) -> tuple[int, int, int, int]:
    """Correct by both, by the grader alone, by the given verdicts alone, by neither."""
    yes, no = True, False
    return table.get((yes, yes), 0), table.get((yes, no), 0), table.get((no, yes), 0), table.get((no, no), 0)


def _agreement(counts: Sequence[float]) -> float | None:
    return _share(counts[0] + counts[3], sum(counts))


def _kappa(counts: Sequence[float]) -> float | None:
    """None where chance alone agrees always: both have only one verdict, and the same."""
    both, ours, theirs, neither = counts
    total = sum(counts)
    if not total:
        return None
    chance = (both + ours) * (both + theirs) + (neither + ours) * (neither + theirs)
    return _share((both + neither) * total - chance, total * total - chance)


def _calibration_error(scores: Sequence[tuple[float, bool]]) -> float | None:
    bins: dict[int, list[tuple[float, bool]]] = {}
    for score, correct in scores:
        bins.setdefault(min(int(score * _BINS), _BINS - 1), []).append((score, correct))
    gaps = [abs(math.fsum(score - correct for score, correct in each)) for each in bins.values()]
    return math.fsum(gaps) / len(scores) if scores else None


def _mean(values: Sequence[float]) -> float | None:
    return math.fsum(values) / len(values) if values else None


def _share(part: float, whole: float) -> float | None:
    return part / whole if whole else None
