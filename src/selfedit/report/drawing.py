"""Matplotlib's SVG for inside a page: in its own colours and font, with a title, and the same each time.

Figures are drawn in stand-in colours, which are then replaced by the page's CSS variables, so one drawing
serves a light page, a dark one and a printer. Knows nothing of what is drawn.
"""

from __future__ import annotations

import io
import re
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import Any, TypeAlias, final

import matplotlib
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

Axes: TypeAlias = Any
"""Matplotlib's; its stubs leave untyped what its methods take."""
_library: Any = matplotlib

INK, FAINT, RULE, PAPER = "#010203", "#040506", "#070809", "#0a0b0c"
BLUE, RED, GREEN, GREY = "#0d0e0f", "#101112", "#131415", "#161718"
VARIABLES = {
    INK: "--ink",
    FAINT: "--faint",
    RULE: "--rule",
    PAPER: "--paper",
    BLUE: "--blue",
    RED: "--red",
    GREEN: "--green",
    GREY: "--grey",
}
"""Stand-in colour → the page's variable. The page has Okabe and Ito's blue, vermilion and bluish green."""

WIDTH = 9.8
"""Inches: the full width of a figure."""

STYLE = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.family": "DejaVu Sans",
    "font.size": 8.5,
    "text.color": INK,
    "axes.facecolor": "none",
    "axes.edgecolor": RULE,
    "axes.labelcolor": FAINT,
    "axes.titlecolor": INK,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.labelsize": 8,
    "axes.grid": False,
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "axes.unicode_minus": True,
    "grid.color": RULE,
    "grid.linewidth": 0.5,
    "xtick.color": RULE,
    "ytick.color": RULE,
    "xtick.labelcolor": FAINT,
    "ytick.labelcolor": FAINT,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "xtick.major.width": 0.8,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "legend.labelcolor": INK,
    "lines.linewidth": 1.3,
    "lines.markersize": 5,
}


@final
@dataclass(frozen=True)
class Drawn:
    """A figure: its SVG element."""

    svg: str


def panels(height: float, *, columns: int = 1, rows: int = 1, **grid: Any) -> tuple[Any, list[Axes]]:
    """A figure with these axes, left to right and top to bottom. Only to be called within `style`."""
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    FigureCanvasSVG(figure)
    axes: Any = figure.subplots(rows, columns, squeeze=False, **grid)
    return figure, list(axes.flat)


@contextmanager
def style(**more: str) -> Generator[None]:
    """How all figures look, whatever the user's own matplotlibrc says."""
    with _library.rc_context():
        _library.rcdefaults()
        _library.rcParams.update({**STYLE, **more})
        yield


def drawn(figure: Any, name: str, title: str) -> Drawn:
    """The figure as an element; `name` tells its parts from other figures', `title` is what it says."""
    held = io.StringIO()
    with style(**{"svg.hashsalt": name}):
        figure.savefig(held, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Drawn(_inline(held.getvalue(), name, title))


_FONT = re.compile(r"font: (?:normal )*(bold )?([\d.]+)px [^;\"]*")
_FAMILY = re.compile(r"font-family: [^;\"]*;? ?")


def _font(found: re.Match[str]) -> str:
    """Size and weight; the family is the page's."""
    return f"font-weight: {700 if found[1] else 400}; font-size: {found[2]}px"


def _inline(text: str, name: str, title: str) -> str:
    body = text[text.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r"<style[^>]*>.*?</style>", "", body, flags=re.DOTALL)
    body = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL)
    body = re.sub(r"<defs>\s*</defs>", "", body)
    body = _FONT.sub(_font, body)
    body = _FAMILY.sub("", body)
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(href="#|url\(#)', rf"\1{name}-", body)
    for colour, variable in VARIABLES.items():
        body = body.replace(colour, f"var({variable})")
    body = re.sub(r"\n\s*", "\n", body)
    box = re.search(r'viewBox="([^"]*)"', body)
    assert box, "matplotlib's SVG has a view box"
    opening = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" '
        f'viewBox="{box[1]}" role="img" aria-labelledby="{name}-title">'
        f'<title id="{name}-title">{escape(title)}</title>'
    )
    return opening + body[body.index(">") + 1 :].strip()
