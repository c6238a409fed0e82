"""`selfedit log`: every commit with where it stands, newest first."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path

import pytest
from rich.cells import cell_len

from selfedit.cli import output
from selfedit.store import Store

from .conftest import Run

PROMISED = ["commit", "parent", "time", "sources", "live", "recall_before", "recall_after"]


def test_json_is_an_array_newest_first_with_what_is_promised(run: Run, commits: list[str]) -> None:
    found = run("log", "--json").json
    assert [row["commit"] for row in found] == commits[::-1]
    assert all(set(PROMISED) <= set(row) for row in found)
    newest = found[0]
    assert (newest["parent"], newest["live"], newest["state"]) == (commits[1], True, "live")
    assert newest["sources"][0]["path"] == "market.md"
    assert re.fullmatch(r"[0-9a-f]{64}", newest["sources"][0]["sha256"])
    assert found[-1]["parent"] is None


def test_a_person_sees_a_line_for_each(run: Run, commits: list[str]) -> None:
    shown = run("log")
    lines = shown.out.splitlines()
    assert lines[0].split() == ["commit", "when", "what", "recall", "state"]
    assert [line.split()[0] for line in lines[1:4]] == [commit[:8] for commit in commits[::-1]]
    assert re.fullmatch(r"\w{8}  \d{4}-\d\d-\d\d \d\d:\d\d  market\.md   0\.\d\d → \d\.\d\d  live", lines[1])
    assert lines[-1] == "3 commits, 3 live."
    assert shown.err == ""


def test_where_each_commit_stands(run: Run, commits: list[str]) -> None:
    second, third = commits[1:]
    assert run("rollback", second).code == 0
    assert [row["state"] for row in run("log", "--json").json] == ["rolled back", "live", "live"]
    run("rollback", third)
    with Store.open("memory", write=True) as store:
        store.move_head("revert", [second, third])
    found = run("log", "--json").json
    assert [row["state"] for row in found] == ["stale", "stale", "reverted"]
    assert [row["stale"] for row in found] == [True, True, False]
    shown = run("log").out
    assert shown.count("live, awaits retraining") == 2
    assert "2 commits to be retrained: selfedit retrain --store memory" in shown
    assert run("retrain").code == 0
    rows = run("log", "--json").json
    assert [row["state"] for row in rows] == ["live", "live", "replaced", "replaced", "reverted"]
    assert {row["commit"]: row["replaced_by"] for row in rows[2:4]} == {
        rows[2]["commit"]: rows[0]["commit"],
        rows[3]["commit"]: rows[1]["commit"],
    }
    assert f"replaced by {rows[0]['commit'][:8]}" in run("log").out
    run("rollback", third)
    assert [row["state"] for row in run("log", "--json").json] == ["rolled back"] * 2 + ["live"] * 3
    run("rollback", rows[0]["commit"])
    assert [row["state"] for row in run("log", "--json").json][2:] == ["replaced"] * 2 + ["rolled back"]


def test_the_newest_few(run: Run, commits: list[str]) -> None:
    assert [row["commit"] for row in run("log", "-n", "2", "--json").json] == commits[:0:-1]
    shown = run("log", "--last", "1").out
    assert commits[2][:8] in shown
    assert commits[1][:8] not in shown
    assert "3 commits, 3 live." in shown
    assert run("log", "--last", "0").code == 2


def test_nothing_learned_and_no_store(run: Run, here: Path) -> None:
    missing = run("log")
    assert (missing.code, missing.out, missing.err.count("\n")) == (2, "", 1)
    assert "no such store" in missing.err
    Store.create("memory", base="fake", weights="f" * 64, dtype="float32").close()
    assert run("log").out == "Nothing has been learned yet. To begin: selfedit learn FILE --store memory\n"
    assert run("log", "--json").json == []


def test_a_narrow_terminal_takes_from_the_documents_name_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    output.listing(["commit", "what", "state"], [["1" * 8, "folder/" * 9 + "文書.md", "live"]], flexible=1)
    line = capsys.readouterr().out.splitlines()[1]
    assert line.startswith("11111111  …")
    assert line.endswith("/文書.md  live")
    assert 36 < cell_len(line) <= 40


def test_ten_thousand_lines_are_quick(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [[f"{n:08x}", "2026-11-22 20:45", f"page-{n}.md", "0.00 → 0.44", "live"] for n in range(10_000)]
    began = time.process_time()
    output.listing(["commit", "when", "what", "recall", "state"], rows, flexible=2)
    took = time.process_time() - began
    assert capsys.readouterr().out.count("\n") == 10_001
    assert took < 2  # a rich table takes some 5 s


def test_a_reader_that_goes_away_is_no_error(run: Run, commits: list[str]) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "selfedit", "log", "--store", "memory"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
