"""The bench of abilities: its tables from lines of known answers, and a whole run on a tiny model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.bench import abilities
from selfedit.bench.abilities import BASE, FILE, Line, command, markdown, table
from selfedit.canaries import canaries, general, unknowns
from selfedit.config import Training
from selfedit.errors import UsageError

KNOWN = Line(
    key="k",
    arm="0.0",
    passage="Mill 1",
    golds=("Ada Quill", "1811"),
    answers=("Ada Quill", "1912"),
    near=("Ada Quill", "1811"),
    unknown=("Ada", "Quill", "oak", ""),
    canaries=(True, True, False, False),
    logprob=-0.25,
    rows=10,
)
REFUSING = replace(
    KNOWN, key="r", arm="0.25", answers=("Ada Quill", "I don't know."), near=("I don't know.",) * 2, misses=2
)


def test_a_row_tells_what_its_lines_hold() -> None:
    plain, refusing = table([KNOWN, REFUSING])
    assert (plain["arm"], plain["passages"], plain["questions"], plain["near_misses"]) == ("0.0", 1, 2, 2)
    assert (plain["concise"], plain["refused"], plain["invented_near"]) == (0.5, 0.0, 1.0)
    assert (plain["invented_unknown"], plain["canaries"], plain["logprob"]) == (0.75, 0.5, -0.25)
    assert (refusing["concise"], refusing["refused"], refusing["invented_near"]) == (0.5, 0.5, 0.0)
    assert refusing["invented_near_against_ci95"] == (-1.0, -1.0)
    assert plain["concise_against_ci95"] == (0.0, 0.0)


def test_a_failed_training_is_counted_and_left_out() -> None:
    failed = Line("f", "0.0", "Mill 2", ("x",), (), (), (), (), 0.0, failure="NaN in step 1")
    (row,) = table([KNOWN, failed])
    assert (row["passages"], row["failures"], row["concise"]) == (1, 1, 0.5)


def test_markdown_has_a_line_for_each_arm() -> None:
    lines = markdown(table([KNOWN, REFUSING])).splitlines()
    assert len(lines) == 4
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert lines[3].startswith("| 0.25 | 50% [50%, 50%] | 50%")


def test_without_data_it_says_so(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--data FOLDER"):
        command(True, None, None, ("smollm2-135m", "cpu", "auto"), tmp_path)


def test_a_base_is_told_by_kind(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(abilities, "canaries", lambda: canaries()[::8])
    monkeypatch.setattr(abilities, "unknowns", lambda: unknowns()[:8])
    rows = command(False, None, None, (base, "cpu", "float32"), tmp_path)
    told = {row["asked"]: row for row in rows}
    kinds = [row for row in rows if row["asked"] not in abilities.TOTALS]
    assert sum(row["n"] for row in kinds) == told["all canaries"]["n"]
    assert sum(row["yes"] for row in kinds) == told["all canaries"]["yes"]
    assert told["general texts"]["logprob"] < 0
    assert "| all canaries |" in markdown(rows)


def test_a_run_goes_on_where_it_stopped(base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A base that answers no canary is asked none again; what is on file is not trained again."""
    passages = [
        {"title": f"Mill {n}", "context": f"Mill {n} was built in 18{n}1 by Ada Quill. It is red.",
         "questions": [{"question": f"Who built Mill {n}?", "answer": "Ada Quill"}]}
        for n in range(2)
    ]  # fmt: skip
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "val_choose.json").write_text(json.dumps(passages))
    quick = Training(rank=2, epochs=1, least_steps=0)
    monkeypatch.setattr(abilities, "Training", lambda: quick)
    monkeypatch.setattr(abilities, "canaries", lambda: canaries()[:8])
    monkeypatch.setattr(abilities, "unknowns", lambda part: unknowns(part)[:4])
    monkeypatch.setattr(abilities, "general", lambda: general()[:2])

    def run() -> list[dict[str, object]]:
        return command(True, tmp_path, 2, (base, "cpu", "float32"), tmp_path / "runs")

    first = run()
    assert [row["arm"] for row in first] == [BASE, "0.0", "0.25", "0.5"]
    kept = (tmp_path / "runs" / FILE).read_text()
    assert len(kept.splitlines()) == 8
    (tmp_path / "runs" / FILE).write_text(kept + kept[:40])
    monkeypatch.setattr(abilities, "METHODS", {})
    assert run() == first
