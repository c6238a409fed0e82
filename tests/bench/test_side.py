"""The line protocol between a benchmark and its sides, and the program around it."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from dataclasses import replace

import pytest

from selfedit.bench.__main__ import main
from selfedit.bench.process import running
from selfedit.bench.settings import Settings
from selfedit.bench.side import serve
from selfedit.errors import EngineError, UsageError


def test_each_request_has_one_reply_and_an_error_ends_nothing():
    def refuse() -> None:
        raise UsageError("no")

    asked = [["add", {"a": 1, "b": 2}], ["refuse", {}], ["absent", {}], ["add", {"a": 0, "b": 0}]]
    replies = io.StringIO()
    serve(
        {"add": lambda a, b: a + b, "refuse": refuse}, io.StringIO("\n".join(map(json.dumps, asked))), replies
    )
    first, second, third, fourth = map(json.loads, replies.getvalue().splitlines())
    assert (first, fourth) == ({"ok": 3}, {"ok": 0})
    assert second == {"error": "no", "usage": True}
    assert third["error"] == "KeyError: 'absent'"


def test_a_side_is_a_process_that_reports_its_errors(settings: Settings):
    with running("theirs", settings) as side:
        assert side.ask("facts")["steps"] == [6, 6, 6, 6]
        with pytest.raises(EngineError, match="theirs, load"):
            side.ask("load", folders=["/nowhere"])
        assert side.ask("memory")["host"] > 0


def test_an_unknown_model_is_refused_in_the_models_own_words(settings: Settings):
    with running("ours", replace(settings, base="/nowhere/at-all")) as side:
        with pytest.raises(UsageError, match="/nowhere/at-all") as caught:
            side.ask("path")
        assert "\n" not in str(caught.value)


def test_a_side_that_ended_is_an_error(settings: Settings):
    with running("nobody", settings) as side, pytest.raises(EngineError, match="'nobody' ended in 'facts'"):
        side.ask("facts")


def test_bad_input_is_one_line_and_exit_code_2(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("SELFEDIT_DATA", raising=False)
    assert main(["train"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1


def test_whole_run_prints_one_json_array(base: str):
    options = ["--quick", "--synthetic", "--base", base, "--device", "cpu", "--json"]
    command = [sys.executable, "-m", "selfedit.bench", "score", *options]
    ran = subprocess.run(command, capture_output=True, text=True, check=True)
    (row,) = json.loads(ran.stdout)
    assert row["name"] == "score"
    assert row["agrees"]


def test_importing_the_benchmarks_loads_no_torch():
    code = "import sys, selfedit.bench; print('torch' in sys.modules, 'pydantic' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["False", "False"]
