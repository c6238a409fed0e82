"""`selfedit import-seal`: figures for programs and people, pairs in a file, one line where it fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from selfedit.cli import main

from ..test_records import TWO, article, questions, saved, tried
from .conftest import Ended

Import = Callable[..., Ended]


@pytest.fixture
def run(here: Path, capsys: pytest.CaptureFixture[str]) -> Import:
    """Run `selfedit import-seal ARGUMENTS...`."""

    def ran(*arguments: str) -> Ended:
        code = main.run(["import-seal", *arguments])
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return ran


def test_json_is_what_is_promised(run: Import, here: Path) -> None:
    saved(here, TWO)
    found = run("run.json", "--json")
    assert (found.code, found.err) == (0, "")
    promised = ["baseline_accuracy", "adapter_accuracy", "ci95", "articles", "questions"]
    figures = found.json
    low, high = figures["ci95"]
    assert [figures[name] for name in promised] == [0.25, 0.625, [low, high], 2, 6]
    assert low <= 0.625 <= high
    assert figures["gain"] == 0.375


def test_a_person_sees_a_table(run: Import, here: Path) -> None:
    saved(here, TWO, "run.json.gz")
    found = run("run.json.gz")
    lines = [line.split() for line in found.out.splitlines()]
    (after,) = (line for line in lines if line[:1] == ["after"])
    assert (after[1], after[5], after[6]) == ("0.6250", "0.1768", "0.6250")
    assert found.out.splitlines()[-1] == "2 passages, 6 questions, 8 verdicts after training."
    assert (found.code, found.err) == (0, "")


def test_pairs_are_written_beside_the_figures(run: Import, here: Path) -> None:
    blank = article(tried("", questions("1")))
    saved(here, {"articles": [*TWO["articles"], blank]})
    shown = run("run.json", "--sft", "out.jsonl")
    assert shown.out.endswith("Wrote 2 pairs to out.jsonl.\n")
    assert shown.err == "run.json: 1 passage left out: the best completion is blank\n"
    rows = [json.loads(line) for line in (here / "out.jsonl").read_text().splitlines()]
    assert rows == [
        {"prompt": "Write notes on Karg.", "completion": "1. Karg lies east."},
        {"prompt": "Write notes on Karg.", "completion": "1. Lim is a river."},
    ]
    assert run("run.json", "--sft", "out.jsonl", "--json").json["articles"] == 3


def test_a_file_at_odds_with_itself_is_told_in_a_few_lines(run: Import, here: Path) -> None:
    saved(here, {"articles": [article(tried("a", questions("10"), 1.0)) for _ in range(5)]})
    found = run("run.json", "--json")
    assert found.json["adapter_accuracy"] == 0.5
    lines = found.err.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("run.json: articles[0].completions[0].stats.adapter_mean is 1, but")
    assert lines[-1] == "… and 2 more means that the verdicts do not give"


@pytest.mark.parametrize(
    "arguments",
    [
        ["missing.json"],
        ["run.json", "--sft", "run.json"],
        ["run.json", "--sft", "no/folder.jsonl"],
        ["text.json"],
        ["text.json", "--json"],
        [],
    ],
)
def test_what_goes_wrong_is_one_line_and_code_2(run: Import, here: Path, arguments: list[str]) -> None:
    saved(here, TWO)
    (here / "text.json").write_text("Dear all,")
    found = run(*arguments)
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("selfedit: ")
    assert found.err.count("\n") == 1
