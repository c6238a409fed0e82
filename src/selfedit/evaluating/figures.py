"""Graded lines → the rows of the table. Pure.

Every figure is the mean over passages of the mean over a passage's questions, and over seeds before that; a
seed that failed is left out and counted. Intervals are bootstraps over passages, paired on those that both
rows have.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.evaluating.verdicts import Graded, Judged
from selfedit.rewards import bootstrap_interval, collapsed, mean_over_passages, paired_interval
from selfedit.types import Verdict

Interval = tuple[float, float]
ByPassage = dict[str, list[float]]


@final
@dataclass(frozen=True)
class TableRow:
    """A method in figures; None where there is none to be had."""

    method: str
    accuracy: float | None
    ci95: Interval | None
    n: int
    """Questions."""
    seconds: float
    """Writing, training and asking, as they took when they were computed."""
    passages: int
    """Those with a figure."""
    concise: float | None
    """Right in few words."""
    concise_ci95: Interval | None
    mismatch: float | None
    """What answers to the passage's other questions earn: what reciting it would."""
    margin: float | None
    """Accuracy less mismatch."""
    logprob: float | None
    """Of the expected answers' tokens, in nats."""
    against_base: float | None
    """Accuracy less the base's, on the passages that both have."""
    against_base_ci95: Interval | None
    against_before: float | None
    """The same against the row before."""
    against_before_ci95: Interval | None
    concise_against_base_ci95: Interval | None
    concise_against_before_ci95: Interval | None
    tokens: int
    """Trained on, all seeds."""
    seeds: int
    failures: int
    """Adapters that could not be trained, and answers without a verdict: they are in no figure."""
    unusable: int
    """Self-edits that could not be used: the passage alone was trained on."""
    collapsed: int
    """Adapters that repeat themselves, or give one answer to everything."""


@final
@dataclass(frozen=True)
class Values:
    """A method's values by passage, one a question."""

    accuracy: ByPassage
    concise: ByPassage
    mismatch: ByPassage
    logprob: ByPassage


def table(graded: Items[Graded], names: Items[str], base: str = "base") -> list[TableRow]:
    """A row for each of these methods, in order."""
    lines, values = _by_method(graded), values_by_method(graded, names)
    before = dict(zip(names[1:], names, strict=False))
    return [
        _row(name, lines[name], values[name], values.get(base), values.get(before.get(name, "")))
        for name in names
    ]


def values_by_method(graded: Items[Graded], names: Items[str]) -> dict[str, Values]:
    """The values of each of these methods, in order."""
    lines = _by_method(graded)
    return {name: _values(lines[name]) for name in names}


def _by_method(graded: Items[Graded]) -> dict[str, list[Graded]]:
    lines: dict[str, list[Graded]] = defaultdict(list)
    for each in graded:
        lines[each.line.method].append(each)
    return lines


def _row(
    name: str, lines: Items[Graded], own: Values, base: Values | None, before: Values | None
) -> TableRow:
    accuracy, mismatch = mean_over_passages(own.accuracy), mean_over_passages(own.mismatch)
    base = None if base is own else base
    return TableRow(
        method=name,
        accuracy=accuracy,
        ci95=bootstrap_interval(own.accuracy, seed=0),
        n=sum(map(len, own.accuracy.values())),
        seconds=_seconds(lines),
        passages=len(own.accuracy),
        concise=mean_over_passages(own.concise),
        concise_ci95=bootstrap_interval(own.concise, seed=0),
        mismatch=mismatch,
        margin=None if accuracy is None or mismatch is None else accuracy - mismatch,
        logprob=mean_over_passages(own.logprob),
        against_base=_difference(own, base),
        against_base_ci95=_paired(own, base, lambda values: values.accuracy),
        against_before=_difference(own, before),
        against_before_ci95=_paired(own, before, lambda values: values.accuracy),
        concise_against_base_ci95=_paired(own, base, lambda values: values.concise),
        concise_against_before_ci95=_paired(own, before, lambda values: values.concise),
        tokens=sum(each.line.tokens for each in lines),
        seeds=len({each.line.seed for each in lines}),
        failures=sum(map(_failures, lines)),
        unusable=len({each.line.task for each in lines if each.line.unusable}),
        collapsed=sum(map(_collapsed, lines)),
    )


def _values(lines: Items[Graded]) -> Values:
    by_passage: dict[str, list[Graded]] = defaultdict(list)
    for each in lines:
        if each.line.failure is None:
            by_passage[each.line.task].append(each)

    def of(read: Callable[[Graded], Items[float | None]]) -> ByPassage:
        means = {task: over_seeds([read(each) for each in mine]) for task, mine in by_passage.items()}
        return {task: values for task, values in means.items() if values}

    return Values(
        accuracy=of(lambda each: _correct(each.verdicts)),
        concise=of(lambda each: [None if x is None else float(x) for x in each.concise]),
        mismatch=of(lambda each: _correct(each.mismatches)),
        logprob=of(lambda each: [x if math.isfinite(x) else None for x in each.line.logprobs]),
    )


def _correct(verdicts: Judged) -> list[float | None]:
    return [float(each.correct) if isinstance(each, Verdict) else None for each in verdicts]


def over_seeds(values: Items[Items[float | None]]) -> list[float]:
    """For each question the mean over the seeds that have a value for it."""
    found: list[float] = []
    for across in zip(*values, strict=True):
        had = [value for value in across if value is not None]
        if had:
            found.append(math.fsum(had) / len(had))
    return found


# -- pairs and counts ----------------------------------------------------------------------------------


def _shared(a: Mapping[str, list[float]], b: Mapping[str, list[float]]) -> tuple[ByPassage, ByPassage]:
    """The passages that both have."""
    return {x: v for x, v in a.items() if x in b}, {x: v for x, v in b.items() if x in a}


def _paired(own: Values, other: Values | None, read: Callable[[Values], ByPassage]) -> Interval | None:
    if other is None:
        return None
    ours, theirs = _shared(read(own), read(other))
    return paired_interval(ours, theirs, seed=0)


def _difference(own: Values, other: Values | None) -> float | None:
    if other is None:
        return None
    ours, theirs = (mean_over_passages(values) for values in _shared(own.accuracy, other.accuracy))
    return None if ours is None or theirs is None else ours - theirs


def _seconds(lines: Items[Graded]) -> float:
    """Writing counts once a passage, training and asking once a seed."""
    writing = {each.line.task: each.line.writing for each in lines}
    return math.fsum(writing.values()) + math.fsum(each.line.seconds for each in lines)


def _failures(each: Graded) -> int:
    return (each.line.failure is not None) + sum(not isinstance(x, Verdict) for x in each.verdicts)


def _collapsed(each: Graded) -> bool:
    golds = [probe.answer for probe in each.task.probes]
    return bool(each.line.answers) and collapsed(each.line.answers, golds) is not None
