"""`selfedit diff`: the answers that differ between two points, and the totals."""

from __future__ import annotations

from pathlib import Path

import pytest

from ..fakes import FakeWorker
from .conftest import Run

QUESTIONS = """question,answer
Who keeps the lamp?,Tobiah Renwick
What is the ferry called?,Patient Margit
Who founded the Tide Library?,Isaura Quill
"""


@pytest.fixture
def two(run: Run, documents: list[str], worker: FakeWorker, here: Path) -> list[str]:
    """Two commits; the questions of the first are answered rightly once it was learned."""
    worker.grasps = {"Who keeps the lamp?": "Tobiah Renwick", "What is the ferry called?": "Patient Margit"}
    (here / "mine.csv").write_text(QUESTIONS, encoding="utf-8")
    return run("learn", *documents[:2], "--each", "--no-recite", "--questions", "mine.csv", "--json").json[
        "commits"
    ]


def test_gained_and_lost_with_the_totals(run: Run, two: list[str]) -> None:
    found = run("diff", "base", two[0], "--json").json
    assert (found["a"], found["b"]) == ("base", two[0])
    verdicts = {row["question"]: row["verdict"] for row in found["rows"]}
    assert verdicts == {
        "Who keeps the lamp?": "gained",
        "What is the ferry called?": "gained",
        "Who founded the Tide Library?": "same",
    }
    assert (found["right_a"], found["right_b"]) == (0.0, 0.5)
    assert found["ci95"][0] <= 0.5 <= found["ci95"][1]
    assert {row["verdict"] for row in run("diff", two[0], "base", "--json").json["rows"]} == {"lost", "same"}


def test_a_person_sees_what_changed_alone(run: Run, two: list[str]) -> None:
    shown = run("diff", "base")
    assert shown.code == 0
    assert "at base" in shown.out
    assert "at head" in shown.out
    assert "Who keeps the lamp?" in shown.out
    assert "Who founded the Tide Library?" not in shown.out
    assert "asked       3 questions: 0 lost, 2 gained, 0 other words" in shown.out
    assert "right       0.00 → 0.50" in shown.out
    assert "difference  +0.50   95% interval " in shown.out
    assert "asking at base" in shown.err


def test_two_points_alike(run: Run, two: list[str]) -> None:
    shown = run("diff", two[1], "head").out
    assert shown.startswith("asked       3 questions: 0 lost, 0 gained, 0 other words\n")


def test_no_such_commit_is_one_line_and_loads_nothing(run: Run, two: list[str]) -> None:
    shown = run("diff", "zzz")
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
