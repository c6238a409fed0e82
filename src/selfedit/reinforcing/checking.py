"""How good a round's choice was, by trials that had no part in it.

The best of several noisy means looks better than it is: with SEAL's published protocol the chosen edit looks
18.8 points better and is 4.9 better on another seed. So every edit is tried once more, with seeds that chose
nothing, and the two are set side by side. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.rewards import (
    bootstrap_interval,
    correlation_interval,
    mean_over_passages,
    within_correlation,
)
from selfedit.rewards.statistics import Interval
from selfedit.select import Candidate


@final
@dataclass(frozen=True)
class Checked:
    """An edit that was tried before the choice and after it."""

    candidate: Candidate
    held_out: tuple[float, ...]
    """What it earned with the seeds that chose nothing."""

    @property
    def point(self) -> tuple[float, float]:
        return self.candidate.mean, sum(self.held_out) / len(self.held_out)


def checked(candidates: Items[Candidate], held_out: Mapping[str, tuple[float, ...]]) -> list[Checked]:
    """The candidates that have held-out rewards: where a trial failed there is nothing to compare."""
    return [Checked(each, mine) for each in candidates if (mine := held_out.get(each.edit))]


def choice(found: Items[Checked], chosen: Collection[str]) -> dict[str, Any] | None:
    """The gain of the chosen edits over their passage's mean, as it looked and as it is; None without trials.

    `correlation` is within passages, between mean rewards on the selecting and on the held-out seeds.
    Intervals are bootstraps over passages.
    """
    groups: dict[str, list[Checked]] = {}
    for each in found:
        groups.setdefault(each.candidate.task, []).append(each)
    groups = {task: mine for task, mine in groups.items() if len(mine) > 1}
    if not groups:
        return None
    points = [[each.point for each in mine] for mine in groups.values()]
    looked, is_ = ({t: _gain(mine, chosen, side) for t, mine in groups.items()} for side in (0, 1))
    return {
        "passages": sum(map(bool, looked.values())),
        "edits": sum(map(len, points)),
        "correlation": within_correlation(points),
        "correlation_ci95": correlation_interval(points, seed=0),
        **_told("looked", looked),
        **_told("held_out", is_),
    }


def _gain(mine: Items[Checked], chosen: Collection[str], side: int) -> list[float]:
    """Of one passage: the chosen edits' mean less that of all; nothing where none was chosen."""
    kept = [each.point[side] for each in mine if each.candidate.edit in chosen]
    every = [each.point[side] for each in mine]
    return [sum(kept) / len(kept) - sum(every) / len(every)] if kept else []


def _told(name: str, gains: Mapping[str, list[float]]) -> dict[str, float | Interval | None]:
    return {name: mean_over_passages(gains), f"{name}_ci95": bootstrap_interval(gains, seed=0)}
