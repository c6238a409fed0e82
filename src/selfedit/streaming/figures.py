"""Values by step and document → matrices and figures. Pure.

R[i, j] is what is known of document j after step i; both count from 0, and k is the last step. Every figure
is the mean over documents of all sequences of the mean over a document's questions; intervals are bootstraps
over documents, paired on those that both sides have.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Literal, final

from selfedit.rewards import bootstrap_interval, mean_over_passages, paired_interval
from selfedit.rewards.statistics import pooled_interval

Measure = Literal["concise", "accuracy", "mismatch", "logprob"]
MEASURES: tuple[Measure, ...] = ("concise", "accuracy", "mismatch", "logprob")
Interval = tuple[float, float]
Cell = tuple[int, int]
"""A step, and a document by its place."""
BySeries = dict[int, list[float]]
"""Number of a sequence → the values of a document's questions."""
ByDocument = dict[str, list[float]]
Matrix = tuple[tuple[float | None, ...], ...]


@final
@dataclass(frozen=True)
class Figure:
    """A mean with its 95 % interval; None where there is nothing to average."""

    value: float | None
    ci95: Interval | None = None


@final
@dataclass(frozen=True)
class Grid:
    """All values of a row."""

    documents: int
    """Of a sequence."""
    values: Mapping[Measure, Mapping[Cell, BySeries]] = field(
        default_factory=dict[Measure, Mapping[Cell, BySeries]]
    )

    def matrix(self, measure: Measure) -> Matrix:
        """R, averaged over sequences; None where nothing was asked."""
        size, cells = range(self.documents), self.values.get(measure, {})
        return tuple(tuple(_mean(_named(at, cells.get((step, at), {}))) for at in size) for step in size)

    def just_learned(self, measure: Measure) -> ByDocument:
        """R[j, j]."""
        return self._cells(measure, [(at, at) for at in range(self.documents)])

    def after_last(self, measure: Measure) -> ByDocument:
        """R[k, j]."""
        return self._cells(measure, [(self.documents - 1, at) for at in range(self.documents)])

    def before(self, measure: Measure) -> ByDocument:
        """R[j − 1, j]: of each document but the first, just before it."""
        return self._cells(measure, [(at - 1, at) for at in range(1, self.documents)])

    def _cells(self, measure: Measure, cells: Items[Cell]) -> ByDocument:
        held = self.values.get(measure, {})
        return {name: x for step, at in cells for name, x in _named(at, held.get((step, at), {})).items()}

    def without_last(self, values: ByDocument) -> ByDocument:
        """Without each sequence's last document."""
        last = f".{self.documents - 1}"
        return {name: each for name, each in values.items() if not name.endswith(last)}


def _named(place: int, by_series: BySeries) -> ByDocument:
    """Under a name for each document of all sequences."""
    return {f"{series}.{place}": values for series, values in by_series.items() if values}


# -- figures --------------------------------------------------------------------------------------------

Figures = dict[Measure, Figure]


def averages(read: Callable[[Measure], ByDocument]) -> Figures:
    """The mean of each measure."""
    return {name: average(read(name)) for name in MEASURES}


def average(values: ByDocument) -> Figure:
    return Figure(_mean(values), bootstrap_interval(values, seed=0))


def differences(ours: Callable[[Measure], ByDocument], theirs: Callable[[Measure], ByDocument]) -> Figures:
    """Ours less theirs of each measure, on the documents that both have."""
    return {name: difference(ours(name), theirs(name)) for name in MEASURES}


def difference(ours: ByDocument, theirs: ByDocument) -> Figure:
    a = {name: values for name, values in ours.items() if name in theirs}
    b = {name: values for name, values in theirs.items() if name in ours}
    if not a:
        return Figure(None)
    return Figure((_mean(a) or 0.0) - (_mean(b) or 0.0), paired_interval(a, b, seed=0))


def ratio(ours: ByDocument, theirs: ByDocument) -> Figure:
    """Our mean over theirs, on the documents that both have; None where theirs is 0."""
    shared = [name for name in ours if name in theirs]
    counts = {name: (_flat(ours[name]), _flat(theirs[name])) for name in shared}
    sums = tuple(math.fsum(side) for side in zip(*counts.values(), strict=True)) if counts else (0.0, 0.0)
    return Figure(_over(sums), pooled_interval(counts, _over, seed=0) if counts else None)


def kept(grid: Grid, base: Grid) -> Figures:
    """R[k, ·] over R[j, j]: of what was just learned, the part that is still known.

    Of log-probabilities, which have no zero, it is the part of what was gained over the base.
    """
    last, just = (_gained(each("logprob"), base) for each in (grid.after_last, grid.just_learned))
    return {
        "concise": ratio(grid.after_last("concise"), grid.just_learned("concise")),
        "accuracy": ratio(grid.after_last("accuracy"), grid.just_learned("accuracy")),
        "logprob": ratio(last, just),
    }


def _gained(values: ByDocument, base: Grid) -> ByDocument:
    before = base.after_last("logprob")
    return {name: [_flat(own) - _flat(before[name])] for name, own in values.items() if name in before}


def backward(grid: Grid) -> Figures:
    """R[k, j] − R[j, j] over all but the last document: what later ones did to it."""
    return differences(
        lambda name: grid.without_last(grid.after_last(name)),
        lambda name: grid.without_last(grid.just_learned(name)),
    )


def forward(grid: Grid, base: Grid) -> Figures:
    """R[j − 1, j] less what the base knows: what earlier documents did to one before it was learned."""
    return {"logprob": difference(grid.before("logprob"), base.after_last("logprob"))}


def average_so_far(matrix: Matrix) -> tuple[float | None, ...]:
    """After each step the mean over all documents so far; None where one of them was not asked about."""
    means: list[float | None] = []
    for step, row in enumerate(matrix):
        had = [value for value in row[: step + 1] if value is not None]
        means.append(math.fsum(had) / len(had) if len(had) == step + 1 else None)
    return tuple(means)


def _mean(values: Mapping[str, Items[float]]) -> float | None:
    return mean_over_passages(values)


def _flat(values: Items[float]) -> float:
    return math.fsum(values) / len(values)


def _over(sums: Items[float]) -> float | None:
    return sums[0] / sums[1] if sums[1] else None
