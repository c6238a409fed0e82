"""`selfedit train` and `eval` on tasks of demonstrations: no data folder needed, and bad input is a line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from ..evaluating.test_competing import SMALL, solver
from ..solvers import Solver
from .conftest import Run, put_in_place


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> Solver:
    """Who computes in the model's place."""
    made = solver()
    put_in_place(monkeypatch.setattr, made)
    return made


@pytest.fixture
def recipe(here: Path) -> str:
    (here / "few.yaml").write_text(SMALL)
    return "few.yaml"


def test_rounds_and_then_their_table(run: Run, recipe: str, here: Path) -> None:
    ended = run("train", recipe)
    assert ended.code == 0
    assert "tasks" in ended.out
    assert "passages" not in ended.out
    ended = run("eval", recipe, "--json", "--csv", "raw.csv")
    assert ended.code == 0
    rows = ended.json
    assert [row["method"] for row in rows] == [
        "in-context",
        "untrained",
        "round 1",
        "round 2",
        "fixed",
        "oracle",
    ]
    assert {"method", "accuracy", "ci95", "n", "seconds"} <= set(rows[0])
    assert (rows[-1]["accuracy"], rows[-1]["n"]) == (1.0, 20)
    assert rows[-1]["setting"]["tools"] == ["reorder"]
    with (here / "raw.csv").open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 6 * 20
    assert run("report", "--out", "page.html").code == 0


def test_people_see_what_was_chosen_and_what_is_solvable(run: Run, recipe: str) -> None:
    ended = run("eval", recipe, "--rows", "in-context,oracle,rounds", "--limit", "3")
    assert ended.code == 0
    assert (
        "oracle: reorder, loss on the output, rate 0.002, 1 epoch (chosen on these very tasks)" in ended.out
    )
    assert "Solved by the best setting: 3 tasks: " in ended.out
    assert "no row rounds" in ended.err


def test_an_estimate(run: Run, recipe: str) -> None:
    ended = run("train", recipe, "--estimate", "--json")
    assert ended.code == 0
    found = json.loads(ended.out)
    assert (found["passages"], found["report_passages"]) == (3, 10)
    assert found["round 1"]["edits"] == 3 * 4


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        ("generators:report", "generators:rest", "no such set of generators; choose among generators:build"),
        ("generators:report", "mine.jsonl", "mine.jsonl: no data folder; say --data FOLDER"),
        (
            "tools: [reorder]",
            "tools: [reordr]",
            "few_shot.settings[1].tools: is reordr; did you mean reorder?",
        ),
        ("formats: [few-shot], ", "", "write.formats: are of passages; choose [few-shot] for"),
    ],
)
def test_bad_input_is_one_line(run: Run, here: Path, before: str, after: str, line: str) -> None:
    assert before in SMALL
    (here / "bad.yaml").write_text(SMALL.replace(before, after))
    ended = run("eval", "bad.yaml")
    assert ended.code == 2
    assert line in ended.err
    assert len(ended.err.splitlines()) == 1
