"""Means and intervals over passages. Knows nothing of answers or of what a value measures.

Everywhere the mean over passages of the mean over a passage's values, so that a passage with many questions
weighs no more; intervals are percentile bootstraps over passages (Efron 1979). Passages without values are
left out; where none is left there is no figure, and the result is None.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from selfedit.errors import UsageError
from selfedit.types import rng_for

ByPassage = Mapping[str, Sequence[float]]
"""For each passage (by any name of its own) its values, one a probe."""

Interval = tuple[float, float]


def mean_over_passages(values_by_passage: ByPassage) -> float | None:
    """The mean of the passages' means."""
    means = list(_means(values_by_passage).values())
    return math.fsum(means) / len(means) if means else None


def spread_over_passages(values_by_passage: ByPassage) -> float | None:
    """The standard deviation of the passages' means (n - 1 in the denominator); None for fewer than two."""
    means = list(_means(values_by_passage).values())
    if len(means) < 2:
        return None
    middle = math.fsum(means) / len(means)
    return math.sqrt(math.fsum((mean - middle) ** 2 for mean in means) / (len(means) - 1))


def wilson(good: int, total: int, z: float = 1.959964) -> tuple[float, float]:
    """The score interval of a share (Wilson 1927), at 95 % unless `z` says otherwise; of one or more."""
    share, weight = good / total, z * z / total
    middle = (share + weight / 2) / (1 + weight)
    half = z * math.sqrt(share * (1 - share) / total + weight / (4 * total)) / (1 + weight)
    return max(0.0, middle - half), min(1.0, middle + half)


def bootstrap_interval(
    values_by_passage: ByPassage, *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval | None:
    """The interval of the mean over passages. Of a single passage it is a point."""
    return _interval(list(_means(values_by_passage).values()), seed, resamples, level)


def paired_interval(
    a: ByPassage, b: ByPassage, *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval | None:
    """The interval of mean(a) - mean(b), both seen on the same passages."""
    ours, theirs = _means(a), _means(b)
    if ours.keys() != theirs.keys():
        alone = len(ours.keys() ^ theirs.keys())
        raise UsageError(
            f"paired interval: {alone} passages have values on one side only; compare the same passages"
        )
    return _interval([mean - theirs[name] for name, mean in ours.items()], seed, resamples, level)


def pooled_interval(
    counts_by_group: Mapping[str, Sequence[float]],
    figure: Callable[[Sequence[float]], float | None],
    *,
    seed: int,
    resamples: int = 2000,
    level: float = 0.95,
) -> Interval | None:
    """The interval of a figure of summed counts, such as kappa: groups are drawn, their counts added up.

    `figure` takes as many counts as each group has; a draw that has no such figure is left out.
    """
    _check(resamples, level)
    groups = [tuple(counts) for _, counts in sorted(counts_by_group.items())]
    if not groups:
        return None
    draw = rng_for("bootstrap of counts", seed, len(groups)).choices
    sums = (tuple(map(sum, zip(*draw(groups, k=len(groups)), strict=True))) for _ in range(resamples))
    drawn = sorted(value for value in map(figure, sums) if value is not None)
    return (_quantile(drawn, (1 - level) / 2), _quantile(drawn, (1 + level) / 2)) if drawn else None


Pairs = Sequence[tuple[float, float]]


def within_correlation(groups: Sequence[Pairs]) -> float | None:
    """Pearson's correlation of what is left when each group's own means are taken away.

    None where nothing is left to correlate.
    """
    pairs: list[tuple[float, float]] = []
    for group in groups:
        if group:
            x, y = (math.fsum(side) / len(group) for side in zip(*group, strict=True))
            pairs += [(a - x, b - y) for a, b in group]
    across = math.fsum(a * b for a, b in pairs)
    size = math.sqrt(math.fsum(a * a for a, _ in pairs) * math.fsum(b * b for _, b in pairs))
    return across / size if size else None


def correlation_interval(
    groups: Sequence[Pairs], *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Interval | None:
    """The interval of `within_correlation` over groups (passages); None of a single one."""
    _check(resamples, level)
    if len(groups) < 2:
        return None
    draw = rng_for("bootstrap of correlation", seed, len(groups)).choices
    every = (within_correlation(draw(groups, k=len(groups))) for _ in range(resamples))
    drawn = sorted(value for value in every if value is not None)
    return (_quantile(drawn, (1 - level) / 2), _quantile(drawn, (1 + level) / 2)) if drawn else None


def _means(values_by_passage: ByPassage) -> dict[str, float]:
    """In the order of the names, so that figures do not depend on the order of arrival."""
    means = {name: math.fsum(v) / len(v) for name, v in sorted(values_by_passage.items()) if v}
    if not all(map(math.isfinite, means.values())):
        raise UsageError(
            "statistics: a value is NaN or infinite; leave failed trials out, they are no scores"
        )
    return means


def _interval(means: list[float], seed: int, resamples: int, level: float) -> Interval | None:
    _check(resamples, level)
    if not means:
        return None
    draw = rng_for("bootstrap", seed, len(means)).choices
    drawn = sorted(sum(draw(means, k=len(means))) / len(means) for _ in range(resamples))
    return _quantile(drawn, (1 - level) / 2), _quantile(drawn, (1 + level) / 2)


def _check(resamples: int, level: float) -> None:
    if resamples < 1 or not 0 < level < 1:
        raise UsageError(
            f"statistics: {resamples} resamples at level {level}; choose at least 1, and 0 < level < 1"
        )


def _quantile(ordered: list[float], share: float) -> float:
    at = share * (len(ordered) - 1)
    low = math.floor(at)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (at - low) * (ordered[high] - ordered[low])
