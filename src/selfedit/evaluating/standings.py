"""Lines of tasks of demonstrations → the rows of their table. Pure.

Every figure is the mean over tasks of the mean over a task's tests, and over seeds and samples before that; a
seed that failed is left out and counted. Intervals are bootstraps over tasks, paired on those that both rows
have.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, Literal, final

from selfedit.evaluating.contest import IN_CONTEXT, Line
from selfedit.evaluating.figures import ByPassage, Interval, over_seeds
from selfedit.rewards import bootstrap_interval, mean_over_passages, paired_interval

Figure = Literal["solved", "first", "logprob"]


@final
@dataclass(frozen=True)
class SolvedRow:
    """A way in figures; None where there is none to be had."""

    method: str
    accuracy: float | None
    """Tests solved within two attempts."""
    ci95: Interval | None
    n: int
    """Tests."""
    seconds: float
    """Writing, training and asking, as they took when they were computed."""
    tasks: int
    """Those with a figure."""
    first: float | None
    """Tests solved at the first attempt."""
    first_ci95: Interval | None
    logprob: float | None
    """Of the right outputs' tokens, in nats, over all guises."""
    logprob_ci95: Interval | None
    against_in_context: float | None
    """Accuracy less that of the demonstrations in the prompt alone, on the tasks that both have."""
    against_in_context_ci95: Interval | None
    against_before: float | None
    """The same against the row before."""
    against_before_ci95: Interval | None
    logprob_against_before: float | None
    logprob_against_before_ci95: Interval | None
    tokens: int
    """Trained on, all seeds."""
    lines: int
    """Configurations that were trained and tried, with every seed."""
    failures: int
    """Adapters that could not be trained: they are in no figure."""
    unusable: int
    """Configurations that could not be read: the model was asked as it is."""
    malformed: float | None
    """The share of answers that are no grid, or no text."""
    setting: Mapping[str, Any] | None = None
    """The one setting of all tasks, for rows that have one."""


def standings(
    lines: Items[Line], names: Items[str], settings: Mapping[str, Mapping[str, Any]]
) -> list[SolvedRow]:
    """A row for each of these ways, in order; `settings` are those of rows that have one."""
    mine: dict[str, list[Line]] = defaultdict(list)
    for line in lines:
        mine[line.way].append(line)
    before = dict(zip(names[1:], names, strict=False))
    return [_row(name, mine, before.get(name, ""), settings.get(name)) for name in names]


def _row(
    name: str, lines: Mapping[str, Items[Line]], before: str, setting: Mapping[str, Any] | None
) -> SolvedRow:
    mine, base = lines[name], lines.get(IN_CONTEXT, ()) if name != IN_CONTEXT else ()
    last = lines.get(before, ())
    solved, first, logprob = (by_task(mine, figure) for figure in ("solved", "first", "logprob"))
    asked = sum(test["asked"] for line in mine for test in line.kept["tests"])
    malformed = sum(test["malformed"] for line in mine for test in line.kept["tests"])
    return SolvedRow(
        method=name,
        accuracy=mean_over_passages(solved),
        ci95=bootstrap_interval(solved, seed=0),
        n=sum(map(len, solved.values())),
        seconds=_seconds(mine),
        tasks=len(solved),
        first=mean_over_passages(first),
        first_ci95=bootstrap_interval(first, seed=0),
        logprob=mean_over_passages(logprob),
        logprob_ci95=bootstrap_interval(logprob, seed=0),
        against_in_context=_difference(mine, base, "solved"),
        against_in_context_ci95=_paired(mine, base, "solved"),
        against_before=_difference(mine, last, "solved"),
        against_before_ci95=_paired(mine, last, "solved"),
        logprob_against_before=_difference(mine, last, "logprob"),
        logprob_against_before_ci95=_paired(mine, last, "logprob"),
        tokens=sum(line.kept["tokens"] for line in mine),
        lines=len(mine),
        failures=sum(line.failure is not None for line in mine),
        unusable=sum(line.kept["unusable"] is not None for line in mine),
        malformed=malformed / asked if asked else None,
        setting=setting,
    )


def by_task(lines: Items[Line], figure: Figure) -> ByPassage:
    """Id of a task → the figure of each of its tests; without tasks that have none."""
    mine: dict[str, list[list[float | None]]] = defaultdict(list)
    for line in lines:
        if line.failure is None:
            mine[line.task].append([x if math.isfinite(x) else None for x in line.values(figure)])
    means = {task: over_seeds(values) for task, values in mine.items()}
    return {task: values for task, values in means.items() if values}


def best(tried: Items[Items[Line]]) -> int:
    """Which of several settings did best: by tests solved, of equals by likelihood, of equals the first."""
    return max(range(len(tried)), key=lambda at: (*_merit(tried[at]), -at))


def _merit(lines: Items[Line]) -> tuple[float, float]:
    means = [mean_over_passages(by_task(lines, figure)) for figure in ("solved", "logprob")]
    solved, logprob = (-math.inf if each is None else each for each in means)
    return solved, logprob


def solved_by(lines: Items[Line]) -> tuple[str, ...]:
    """The tasks all of whose tests are solved, by half of the seeds at least."""
    found = by_task(lines, "solved")
    return tuple(task for task, values in found.items() if min(values) >= 0.5)


def only(lines: Items[Line], tasks: Collection[str]) -> list[Line]:
    """The lines of these tasks."""
    return [line for line in lines if line.task in tasks]


def _seconds(lines: Items[Line]) -> float:
    """Writing counts once a configuration, training and asking once a seed."""
    writing = {(line.task, line.sample): line.kept["writing"] for line in lines}
    samples = len({sample for _, sample in writing}) or 1
    return math.fsum(writing.values()) / samples + math.fsum(line.kept["seconds"] for line in lines)


def _shared(own: Items[Line], other: Items[Line], figure: Figure) -> tuple[ByPassage, ByPassage]:
    ours, theirs = by_task(own, figure), by_task(other, figure)
    return {x: v for x, v in ours.items() if x in theirs}, {x: v for x, v in theirs.items() if x in ours}


def _paired(own: Items[Line], other: Items[Line], figure: Figure) -> Interval | None:
    return paired_interval(*_shared(own, other, figure), seed=0) if other else None


def _difference(own: Items[Line], other: Items[Line], figure: Figure) -> float | None:
    ours, theirs = (mean_over_passages(values) for values in _shared(own, other, figure))
    return None if ours is None or theirs is None else ours - theirs
