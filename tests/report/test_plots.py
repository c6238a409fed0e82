"""Figures: what is drawn stands where its value is, and equal values give equal drawings."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from selfedit.report import plots
from selfedit.report.found import Found, Point, RoundFound
from selfedit.report.gathering import gather
from selfedit.store import Store


def found(whole: Path) -> Found:
    with Store.open(whole) as store:
        return gather(store)


def marks(svg: str, colour: str) -> list[tuple[float, float]]:
    """Where the markers of a colour stand."""
    uses = re.findall(r'<use xlink:href="[^"]*" x="([\d.]+)" y="([\d.]+)" style="fill: var\(--(\w+)\)', svg)
    return [(float(x), float(y)) for x, y, of in uses if of == colour]


def test_dots_of_the_table_stand_in_the_order_of_their_values(whole: Path) -> None:
    rows = found(whole).tables[0].rows
    svg = plots.table(rows, "t").svg
    dots = marks(svg, "blue")[: len(rows)]
    assert [y for _, y in dots] == sorted(y for _, y in dots)
    by_value = sorted(zip([row.accuracy or 0.0 for row in rows], [x for x, _ in dots], strict=True))
    assert [x for _, x in by_value] == sorted(x for x, _ in dots)
    scale = {round((x - dots[0][0]) / ((row.accuracy or 0) - (rows[0].accuracy or 0)), 2)
             for row, (x, _) in zip(rows, dots, strict=True) if row.accuracy != rows[0].accuracy}  # fmt: skip
    assert len(scale) == 1, "distances in the figure are in proportion"


def test_drawings_are_the_same_each_time_and_apart_by_name(whole: Path) -> None:
    rows = found(whole).tables[0].rows
    assert plots.table(rows, "a") == plots.table(rows, "a")
    assert not set(re.findall(r'id="([^"]*)"', plots.table(rows, "a").svg)) & set(
        re.findall(r'id="([^"]*)"', plots.table(rows, "b").svg)
    )


def test_names_are_text_whatever_stands_in_them(whole: Path) -> None:
    rows = [replace(row, method=f"<b>$x^2$ & {row.method}") for row in found(whole).tables[0].rows]
    svg = plots.table(rows, "t").svg
    assert "&lt;b&gt;$x^2$ &amp; base" in svg
    assert "<b>" not in svg


def test_a_row_without_figures_is_left_blank(whole: Path) -> None:
    rows = list(found(whole).tables[0].rows)
    full = len(marks(plots.table(rows, "t").svg, "blue"))
    rows[1] = replace(rows[1], accuracy=None, ci95=None, against_base=None, against_base_ci95=None)
    assert len(marks(plots.table(rows, "t").svg, "blue")) == full - 2


def test_rounds_without_a_kept_edit_are_drawn(whole: Path) -> None:
    rounds = found(whole).runs[0].rounds
    bare: list[RoundFound] = [
        replace(each, kept=Point(None), floor=Point(None), values_kept=(), told={**each.told, "choice": None})
        for each in rounds
    ]
    assert "Gain of the choice" in plots.rewards(rounds, "r").svg
    svg = plots.rewards(bare, "r").svg
    assert "Gain of the choice" not in svg
    assert marks(svg, "red") == []
    assert plots.distribution([replace(bare[0], values=(1.0,))], "d") is None
    assert plots.distribution([replace(bare[0], values=(1.0, 1.0))], "d")
