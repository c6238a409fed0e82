"""Values of tasks of demonstrations as HTML: grids as SVG of our own, texts as text. Pure.

A colour is a class, so the page's style has the last word; each run of equal cells is one stroke. Whoever
cannot see a picture is told its cells: the title has a word of digits for each row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Items
from itertools import groupby

from markupsafe import Markup, escape

from selfedit.report.shown import Answer
from selfedit.types import Grid

SIDE, CELL = 132, 18
"""Pixels: what a grid's longer side is to fill, and what a cell has at most; at least 4."""


def picture(value: Answer) -> Markup:
    """A grid as a picture, a text as it is; one without a character is told apart from nothing."""
    if isinstance(value, str):
        return Markup('<pre class="says">{}</pre>').format(value) if value else Markup("<i>empty</i>")
    return _svg(value)


def told(grid: Grid) -> str:
    """The grid in words."""
    rows = " ".join("".join(map(str, row)) for row in grid)
    return f"{len(grid)} × {len(grid[0])}: {rows}"


def _svg(grid: Grid) -> Markup:
    height, width = len(grid), len(grid[0])
    cell = max(4, min(CELL, SIDE // max(height, width)))
    strokes: dict[int, list[str]] = defaultdict(list)
    for y, row in enumerate(grid):
        x = 0
        for colour, run in groupby(row):
            length = len(list(run))
            strokes[colour].append(f"M{x} {y}h{length}")
            x += length
    paths = "".join(f'<path class="c{colour}" d="{"".join(strokes[colour])}"/>' for colour in sorted(strokes))
    lines = "".join([*(f"M0 {y}h{width}" for y in range(1, height)), *_upright(width, height)])
    return Markup(
        f'<svg class="g" role="img" width="{cell * width}" height="{cell * height}" '
        f'viewBox="0 0 {width} {height}"><title>{escape(told(grid))}</title>'
        f'<g transform="translate(0 .5)">{paths}</g><path class="l" d="{lines}"/></svg>'
    )


def _upright(width: int, height: int) -> list[str]:
    return [f"M{x} 0v{height}" for x in range(1, width)]


def bars(counts: Items[int], title: str) -> Markup:
    """How many there are of each, as columns side by side."""
    most = max(*counts, 1)
    columns = "".join(
        f'<rect x="{7 * at}" y="{22 - height}" width="6" height="{height}"/>'
        for at, count in enumerate(counts)
        if (height := round(22 * count / most, 1))
    )
    wide = 7 * len(counts)
    return Markup(
        f'<svg class="bars" role="img" width="{wide}" height="24" viewBox="0 0 {wide} 24">'
        f'<title>{escape(title)}</title>{columns}<path d="M0 23h{wide}"/></svg>'
    )
