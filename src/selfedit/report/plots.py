"""The figures of the page. Each shows values with their intervals; what is not there is not drawn."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from matplotlib.ticker import FuncFormatter, MaxNLocator

from selfedit.evaluating.figures import TableRow
from selfedit.evaluating.standings import SolvedRow
from selfedit.report.drawing import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    PAPER,
    RED,
    RULE,
    Axes,
    Drawn,
    drawn,
    panels,
    style,
)
from selfedit.report.found import Point, RoundFound
from selfedit.report.wording import clipped, minus
from selfedit.rewards.statistics import Interval

ACROSS = 4
"""Rounds side by side in the distribution of rewards."""


@final
@dataclass(frozen=True)
class Look:
    """How a series is drawn, and what it is called."""

    label: str
    colour: str
    marker: str
    line: str = "none"
    aside: float = 0.0
    """To the right, so that intervals do not cover each other."""


# -- rounds ----------------------------------------------------------------------------------------------


def rewards(rounds: Items[RoundFound], name: str) -> Drawn:
    """Rewards over rounds, the reliability of the choice, and what the choice was worth."""
    known = [each for each in rounds if each.told.get("reliability") is not None]
    choices = [each for each in rounds if each.told.get("choice")]
    shown: list[tuple[Callable[[Axes, Items[RoundFound]], None], Items[RoundFound]]] = [(_rewards, rounds)]
    shown += [(_reliability, known)] if known else []
    shown += [(_choices, choices)] if choices else []
    with style():
        widths = [2.0, *(1.0 for _ in shown[1:])]
        figure, axes = panels(3.3, columns=len(shown), width_ratios=widths)
        for ax, (draw, mine) in zip(axes, shown, strict=True):
            draw(ax, mine)
            _rounds_below(ax, [each.number for each in rounds])
        return drawn(figure, name, _rewards_told(rounds))


def _rewards(ax: Axes, rounds: Items[RoundFound]) -> None:
    numbers = [each.number for each in rounds]
    _series(ax, numbers, [each.reward for each in rounds], Look("all tried", BLUE, "o", "-", -0.05))
    kept = Look("kept (by what chose them)", RED, "s", "--")
    _series(ax, numbers, [each.kept for each in rounds], kept)
    _series(ax, numbers, [each.floor for each in rounds], Look("to beat", FAINT, "D", ":", 0.05))
    ax.set_title("Mean reward")
    ax.grid(axis="y")
    ax.margins(y=0.12)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=3, handlelength=2.2, columnspacing=1.4)


def _series(ax: Axes, x: Items[float], points: Items[Point], look: Look) -> None:
    held = [(at + look.aside, point) for at, point in zip(x, points, strict=True) if point.value is not None]
    if not held:
        return
    places, values = [at for at, _ in held], [point.value or 0.0 for _, point in held]
    bars = [_bars(point.value, point.ci95) for _, point in held]
    ax.errorbar(
        places, values, yerr=list(zip(*bars, strict=True)), label=look.label, color=look.colour,
        marker=look.marker, linestyle=look.line, elinewidth=1.3,
    )  # fmt: skip


def _reliability(ax: Axes, rounds: Items[RoundFound]) -> None:
    places, values = [r.number for r in rounds], [float(r.told["reliability"]) for r in rounds]
    ax.plot(places, values, color=BLUE, marker="o")
    ax.set_ylim(0, 1)
    ax.set_title("Reliability of one trial")
    ax.grid(axis="y")


def _choices(ax: Axes, rounds: Items[RoundFound]) -> None:
    numbers = [each.number for each in rounds]
    looks = {
        "looked": Look("as it looked", RED, "s", aside=-0.05),
        "held_out": Look("on other seeds", BLUE, "o", aside=0.05),
    }
    for part, look in looks.items():
        told = [each.told["choice"] for each in rounds]
        _series(ax, numbers, [Point(each.get(part), each.get(f"{part}_ci95")) for each in told], look)
    ax.axhline(0, color=FAINT, linewidth=0.8)
    ax.set_title("Gain of the choice")
    ax.grid(axis="y")
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.22), ncols=1, handletextpad=0.2)


def _rounds_below(ax: Axes, numbers: Items[int]) -> None:
    ax.set_xlabel("round")
    room = 0.35 if len(numbers) > 1 else 1.0
    ax.set_xlim(min(numbers) - room, max(numbers) + room)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def _rewards_told(rounds: Items[RoundFound]) -> str:
    means = [
        f"round {each.number} {each.reward.value:.3g}" for each in rounds if each.reward.value is not None
    ]
    return f"Mean reward of all self-edits that were tried, with 95% intervals: {', '.join(means) or 'none'}."


def distribution(rounds: Items[RoundFound], name: str) -> Drawn | None:
    """How the rewards of a round's edits lie, and those of the kept ones among them."""
    every = [value for each in rounds for value in each.values]
    if len(every) < 2:
        return None
    low, high = min(every), max(every)
    if low == high:
        low, high = low - 0.5, high + 0.5
    count = max(6, min(30, round(2 * math.sqrt(len(every) / len(rounds))) + 4))
    edges = [low + (high - low) * at / count for at in range(count + 1)]
    columns = min(ACROSS, len(rounds))
    rows = math.ceil(len(rounds) / columns)
    with style():
        figure, axes = panels(2.1 * rows + 0.5, columns=columns, rows=rows, sharex=True, sharey=True)
        for ax, each in zip(axes, rounds, strict=False):
            _histogram(ax, each, edges)
        for ax in axes[len(rounds) :]:
            ax.set_visible(False)
        handles, labels = axes[0].get_legend_handles_labels()
        figure.legend(handles, labels, loc="outside upper right", ncols=2, handlelength=1)
        for ax in axes[::columns]:
            ax.set_ylabel("self-edits")
        counts = ", ".join(
            f"round {each.number}: {len(each.values)} tried, {len(each.values_kept)} kept" for each in rounds
        )
        return drawn(figure, name, f"Distribution of the mean rewards of self-edits. {counts}.")


def _histogram(ax: Axes, each: RoundFound, edges: list[float]) -> None:
    ax.hist(each.values, bins=edges, color=GREY, edgecolor=PAPER, linewidth=0.6, label="tried")
    ax.hist(each.values_kept, bins=edges, color=RED, edgecolor=PAPER, linewidth=0.6, label="kept")
    if each.reward.value is not None:
        ax.axvline(each.reward.value, color=INK, linewidth=0.9, linestyle=(0, (2, 2)))
    ax.set_title(f"Round {each.number}")
    ax.set_xlabel("mean reward of a self-edit")
    ax.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


# -- the table -------------------------------------------------------------------------------------------


def table(rows: Items[TableRow], name: str) -> Drawn:
    """A row's figures as dots with their intervals."""
    with style():
        compared = any(row.against_base is not None for row in rows)
        figure, axes = panels(0.29 * len(rows) + 0.95, columns=4 if compared else 3, sharey=True)
        _dots(axes[0], "Accuracy", [Point(r.accuracy, _interval(r.ci95)) for r in rows], BLUE, "o")
        _dots(axes[1], "Concise", [Point(r.concise, _interval(r.concise_ci95)) for r in rows], GREEN, "s")
        _dots(axes[2], "Mismatch (reciting)", [Point(r.mismatch) for r in rows], RED, "D")
        most = max((value for ax in axes[:3] for value in ax.get_xlim()), default=1.0)
        for ax in axes[:3]:
            ax.set_xlim(-0.03 * most, min(1.03, most))
        if compared:
            points = [Point(r.against_base, _interval(r.against_base_ci95)) for r in rows]
            _dots(axes[3], "Accuracy less base", points, BLUE, "o")
            axes[3].axvline(0, color=FAINT, linewidth=0.8)
        _named(axes[0], [row.method for row in rows])
        return drawn(figure, name, _table_told(rows))


def solved(rows: Items[SolvedRow], name: str) -> Drawn | None:
    """The same for tasks of demonstrations."""
    if not rows:
        return None
    with style():
        figure, axes = panels(0.29 * len(rows) + 0.95, columns=3, sharey=True)
        _dots(
            axes[0], "Solved in two attempts", [Point(r.accuracy, _interval(r.ci95)) for r in rows], BLUE, "o"
        )
        _dots(axes[1], "At the first", [Point(r.first, _interval(r.first_ci95)) for r in rows], GREEN, "s")
        _dots(
            axes[2],
            "Log-p of the right output",
            [Point(r.logprob, _interval(r.logprob_ci95)) for r in rows],
            RED,
            "D",
        )
        for ax in axes[:2]:
            ax.set_xlim(-0.03, 1.03)
        axes[2].xaxis.set_major_formatter(FuncFormatter(_fine_number))
        _named(axes[0], [row.method for row in rows])
        told = [f"{row.method} {row.accuracy:.2f}" for row in rows if row.accuracy is not None]
        return drawn(figure, name, f"Tests solved within two attempts: {', '.join(told) or 'none measured'}.")


def _named(ax: Axes, names: Items[str]) -> None:
    ax.set_yticks(range(len(names)), [clipped(each, 26) for each in names])
    ax.tick_params(axis="y", labelcolor=INK)
    ax.set_ylim(len(names) - 0.4, -0.6)


def _dots(ax: Axes, title: str, points: Items[Point], colour: str, marker: str) -> None:
    for at in range(len(points)):
        ax.axhline(at, color=RULE, linewidth=0.5, zorder=0)
    for at, point in enumerate(points):
        if point.value is not None:
            bars = [[side] for side in _bars(point.value, point.ci95)]
            ax.errorbar(
                [point.value], [at], xerr=bars, color=colour, marker=marker, elinewidth=1.4, markersize=5
            )
    ax.set_title(title)
    ax.spines["left"].set_visible(False)
    ax.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
    ax.xaxis.set_major_formatter(FuncFormatter(_short_number))
    ax.margins(x=0.08)


def _table_told(rows: Items[TableRow]) -> str:
    told = [f"{row.method} {row.accuracy:.2f}" for row in rows if row.accuracy is not None]
    return f"Accuracy after each way of teaching: {', '.join(told) or 'none could be measured'}."


# -- inside ----------------------------------------------------------------------------------------------


def _bars(value: float | None, ci95: Interval | None) -> tuple[float, float]:
    """How far an interval reaches below a value and above it."""
    if value is None or ci95 is None:
        return 0.0, 0.0
    return max(0.0, value - ci95[0]), max(0.0, ci95[1] - value)


def _interval(held: Items[float] | None) -> Interval | None:
    return (held[0], held[1]) if held else None


def _short_number(value: float, _: int) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".").replace("-", "−") or "0"


def _fine_number(value: float, _: int) -> str:
    return minus(f"{value:.4g}")
