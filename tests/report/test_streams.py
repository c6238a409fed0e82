"""Streams on the page: the figures that were kept, a map for every method, and the average over steps."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from selfedit.memory import Memory
from selfedit.recipes import parse_stream
from selfedit.report import stream_plots
from selfedit.report.gathering import gather
from selfedit.report.page import render
from selfedit.store import Store
from selfedit.streaming import StreamRow, StreamTable, Wanted, stream

from ..fakes import FakeWorker
from ..streaming.conftest import SMALL, furnished

WHEN = datetime(2026, 1, 2, tzinfo=UTC)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("streams") / "memory"


@pytest.fixture(scope="module")
def table(place: Path) -> StreamTable:
    """A table that is kept in a store."""
    worker = FakeWorker(grasps={"Topic: Mill. Who keeps the lamp of Mill?": "Keeper Millson"})
    Store.create(place, base="smollm2-135m", weights=worker.base, dtype="float32").close()
    wanted = Wanted(parse_stream(SMALL, "x"), furnished(place.parent / "data"))
    return stream(Memory(place, lambda: worker), wanted)


def test_what_was_kept_is_read_back(place: Path, table: StreamTable) -> None:
    with Store.open(place) as store:
        (found,) = gather(store).streams
    assert found.rows == table.rows
    assert [row.method for row in found.methods] == ["naive", "replay", "router"]
    assert found.first == "naive"


def test_the_page_has_maps_curves_and_a_table(place: Path, table: StreamTable) -> None:
    with Store.open(place) as store:
        page = render(gather(store), WHEN)
    assert "This store holds 1 stream." in page
    assert page.count("<figure>") == 2
    assert "2 sequences of 3 documents, 12 questions" in page
    assert "router finds the document of a question by titles" in page
    assert "documents: 3" in page, "the recipe"
    figures = "".join(re.findall(r"<figure>(.*?)</figure>", page, re.DOTALL))
    assert re.findall(r"(?:fill|stroke): #[0-9a-f]{6}", figures) == [], "a colour that no theme can change"


def shades(svg: str) -> list[float]:
    """How strong the shaded cells of a map are, in the order in which they are drawn."""
    return [float(x) for x in re.findall(r"fill: var\(--blue\); opacity: ([\d.]+)", svg)]


def with_matrix(row: StreamRow, size: int) -> StreamRow:
    """Each document one tenth less known with every step since."""
    values = tuple(
        tuple(max(0.0, 1 - 0.1 * (step - at)) if at <= step else None for at in range(size))
        for step in range(size)
    )
    return replace(row, matrix={"concise": values}, average={"concise": (1.0,) * size})


def test_the_better_known_the_stronger(table: StreamTable) -> None:
    drawn = stream_plots.heat([with_matrix(table.rows[1], 3)], "m")
    assert drawn is not None
    found = shades(drawn.svg)
    assert len(found) == 6
    diagonal, last = [found[0], found[2], found[5]], found[3:]
    assert len(set(diagonal)) == 1
    assert last == sorted(last)
    assert last[0] < last[1] < last[2]


def test_many_documents_are_stripes_without_numbers(table: StreamTable) -> None:
    few, many = (stream_plots.heat([with_matrix(table.rows[1], size)], "m") for size in (10, 40))
    assert few is not None
    assert many is not None
    assert ">1.00<" in few.svg
    assert ">1.00<" not in many.svg
    assert 40 < len(shades(many.svg)) < 40 * 41 / 2


def test_where_answers_were_not_asked_everywhere_log_probability_is_shown(table: StreamTable) -> None:
    rows = table.rows[1:4]
    assert stream_plots.measure_of(rows) == "logprob"
    assert stream_plots.measure_of([with_matrix(row, 3) for row in rows]) == "concise"
    assert stream_plots.heat([], "m") is None
    assert stream_plots.curves([], "c") is None
    curves = stream_plots.curves(rows, "c")
    assert curves is not None
    assert all(f">{row.method}<" in curves.svg for row in rows)
    assert ">never edited<" in curves.svg
