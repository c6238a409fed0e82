"""What verbs print: valid JSON whatever the values, and text that is never read as markup."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from selfedit.cli import output


@dataclass(frozen=True, slots=True)
class Point:
    name: str
    x: float


def test_document_is_valid_json_of_plain_values(capsys: pytest.CaptureFixture[str]) -> None:
    value = {
        "points": (Point("ü", 0.5), Point("b", float("nan"))),
        "path": Path("a/b"),
        "worst": float("-inf"),
    }
    output.document(value)
    assert json.loads(capsys.readouterr().out) == {
        "points": [{"name": "ü", "x": 0.5}, {"name": "b", "x": None}],
        "path": "a/b",
        "worst": None,
    }


def test_document_refuses_what_has_no_form() -> None:
    with pytest.raises(TypeError):
        output.document(object())


def test_lines_are_one_value_each(capsys: pytest.CaptureFixture[str]) -> None:
    output.lines([Point("a\nb\u2028c", 0.5), {"x": float("nan")}])
    output.lines([])
    first, second, last = capsys.readouterr().out.split("\n")
    assert json.loads(first) == {"name": "a\nb\u2028c", "x": 0.5}
    assert json.loads(second) == {"x": None}
    assert last == ""


def test_table_shows_text_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["question", "rate"], [["[red]Who?[/red] :smile:", 0.25], ["", None]])
    shown = capsys.readouterr().out
    assert "[red]Who?[/red] :smile:" in shown
    assert "0.25" in shown


def test_table_without_rows_still_has_its_head(capsys: pytest.CaptureFixture[str]) -> None:
    output.table(["question", "rate"], [])
    assert "question" in capsys.readouterr().out


def test_say_keeps_off_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    output.say("working")
    assert capsys.readouterr() == ("", "working\n")


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (541_614_863, "541.6 MB"), (2e12, "2.0 TB"), (2e15, "2000.0 TB")],
)
def test_size(count: float, text: str) -> None:
    assert output.size(count) == text
