"""Figures of streams: what was known of every document after every step, and what became of the average."""

from __future__ import annotations

import math
from collections.abc import Sequence as Items
from itertools import groupby

from matplotlib.patches import Rectangle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from selfedit.report.drawing import (
    BLUE,
    FAINT,
    GREEN,
    GREY,
    INK,
    RED,
    RULE,
    Axes,
    Drawn,
    drawn,
    panels,
    style,
)
from selfedit.report.wording import clipped, minus
from selfedit.streaming.figures import Matrix, Measure
from selfedit.streaming.tabulating import StreamRow

ACROSS = 4
"""Heat maps side by side."""
WRITTEN = 10
"""Documents up to which a cell has its number in it."""
SHADES = 12
"""Of a map without numbers."""
LOOKS = (
    *((BLUE, "o", "-"), (RED, "s", "--"), (GREEN, "D", "-."), (GREY, "^", ":")),
    *((INK, "v", "-"), (BLUE, "x", ":"), (RED, "P", ":"), (GREEN, "*", "--")),
)
"""Colour, marker and line of each method; they come again after the last."""


def measure_of(rows: Items[StreamRow]) -> Measure:
    """Concise accuracy where all so far was asked after every step; else log-probability, which always is."""
    asked = all(None not in row.average["concise"] for row in rows)
    return "concise" if rows and asked else "logprob"


def heat(rows: Items[StreamRow], name: str) -> Drawn | None:
    """A map for each method: step by document, the darker the better known."""
    if not rows:
        return None
    measure = measure_of(rows)
    maps = [row.matrix[measure] for row in rows]
    values = [value for matrix in maps for line in matrix for value in line if value is not None]
    low, high = (0.0, 1.0) if measure == "concise" else (min(values), max(values))
    across, size = min(ACROSS, len(rows)), len(maps[0])
    with style():
        deep = math.ceil(len(rows) / across)
        figure, axes = panels((9.2 / across + 0.25) * deep, columns=across, rows=deep)
        for ax, row, matrix in zip(axes, rows, maps, strict=False):
            _map(ax, matrix, low, high if high > low else low + 1)
            ax.set_title(clipped(row.method, 26))
        for ax in axes[len(rows) :]:
            ax.set_visible(False)
        axes[0].set_ylabel("after learning document")
        axes[0].set_xlabel("asked about document")
        told = ", ".join(
            f"{row.method} {_told(matrix, size)}" for row, matrix in zip(rows, maps, strict=True)
        )
        what = {"concise": "Concise accuracy", "logprob": "Log-probability"}.get(measure, measure)
        return drawn(figure, name, f"{what} on each document after each step; after the last: {told}.")


def _told(matrix: Matrix, size: int) -> str:
    last = [value for value in matrix[size - 1] if value is not None]
    return f"{math.fsum(last) / len(last):.2f}" if last else "not asked"


def _map(ax: Axes, matrix: Matrix, low: float, high: float) -> None:
    size = len(matrix)
    for step, line in enumerate(matrix):
        strengths = [None if value is None else (value - low) / (high - low) for value in line]
        if size <= WRITTEN:
            _cells(ax, step, line, strengths)
        else:
            _stripes(ax, step, strengths)
    if size > WRITTEN:
        stairs = [at + half for at in range(size) for half in (-0.5, 0.5)]
        ax.plot([*stairs[1:], size - 0.5], stairs, color=FAINT, linewidth=0.8)
    ax.set_xlim(-0.5, size - 0.5)
    ax.set_ylim(size - 0.5, -0.5)
    ax.set_aspect("equal")
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))
        axis.set_major_formatter(FuncFormatter(_counted))
    for spine in ax.spines.values():
        spine.set_visible(False)


def _counted(value: float, _: int) -> str:
    """Documents are counted from 1."""
    return f"{value + 1:.0f}"


def _cells(ax: Axes, step: int, values: Items[float | None], strengths: Items[float | None]) -> None:
    """Squares as strong as their values, which they have in them; a frame round what had been learned."""
    for place, (value, strength) in enumerate(zip(values, strengths, strict=True)):
        if value is None or strength is None:
            continue
        corner = (place - 0.46, step - 0.46)
        ax.add_patch(Rectangle(corner, 0.92, 0.92, facecolor=BLUE, alpha=_alpha(strength), linewidth=0.0))
        if place <= step:
            ax.add_patch(Rectangle(corner, 0.92, 0.92, fill=False, edgecolor=FAINT, linewidth=0.8))
        text = minus(f"{value:.1f}") if value < 0 else f"{value:.2f}".removeprefix("0")
        ax.text(place, step, text, ha="center", va="center", fontsize=6.5, color=INK)


def _stripes(ax: Axes, step: int, strengths: Items[float | None]) -> None:
    """The same without numbers, for many documents: neighbours of one shade are one shape."""
    shades = [None if each is None else round(each * (SHADES - 1)) for each in strengths]
    begin = 0
    for shade, group in groupby(shades):
        length = len(list(group))
        if shade is not None:
            alpha = _alpha(shade / (SHADES - 1))
            corner = (begin - 0.5, step - 0.5)
            ax.add_patch(Rectangle(corner, length, 1.0, facecolor=BLUE, alpha=alpha, linewidth=0.0))
        begin += length


def _alpha(strength: float) -> float:
    return 0.06 + 0.5 * strength


def curves(rows: Items[StreamRow], name: str) -> Drawn | None:
    """The average over all documents so far, after each step; the base on the same documents as a line."""
    if not rows:
        return None
    measure = measure_of(rows)
    with style():
        figure, (ax,) = panels(3.2)
        for at, row in enumerate(rows):
            colour, marker, line = LOOKS[at % len(LOOKS)]
            values = row.average[measure]
            ax.plot(
                range(1, len(values) + 1), [math.nan if x is None else x for x in values],
                label=clipped(row.method, 30), color=colour, marker=marker, linestyle=line,
                markersize=5 if len(values) <= 20 else 2.5,
            )  # fmt: skip
        base = rows[0].never_edited[measure].value
        if base is not None:
            ax.axhline(base, color=FAINT, linewidth=0.9, linestyle=(0, (1, 2)), label="never edited")
        ax.set_xlabel("documents learned")
        ax.set_title({"concise": "Concise accuracy", "logprob": "Log-probability"}[measure] + " so far")
        ax.grid(axis="y", color=RULE)
        ax.xaxis.set_major_locator(MaxNLocator(nbins=10, integer=True, min_n_ticks=1))
        ax.legend(loc="upper center", bbox_to_anchor=(0.5, -0.17), ncols=5, handlelength=2.4)
        told = [
            f"{row.method} {row.average[measure][-1]:.2f}"
            for row in rows
            if row.average[measure][-1] is not None
        ]
        return drawn(
            figure, name, f"Average over all documents so far; in the end {', '.join(told) or 'none'}."
        )
