"""`selfedit revert`: what leaves at once, what is trained again, and the proof in words."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from selfedit.cli import background
from selfedit.store import Store

from ..fakes import FakeWorker
from .conftest import Run

pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The stores whose retraining was started; nothing is."""
    stores: list[Path] = []

    def command(verb: str, store: Path, device: str) -> list[str]:
        stores.append(store)
        return [sys.executable, "-c", "pass"]

    monkeypatch.setattr(background, "command", command)
    return stores


def states(run: Run) -> list[str]:
    return [row["state"] for row in run("log", "--json").json]


def test_it_leaves_at_once_and_the_rest_is_retrained_in_the_background(
    run: Run, commits: list[str], started: list[Path], worker: FakeWorker, here: Path
) -> None:
    trained = len(worker.plans)
    shown = run("revert", commits[0][:8])
    assert (shown.code, shown.err) == (0, "")
    lines = shown.out.splitlines()
    assert lines[0] == f"Out of the model: {commits[0][:8]} (harbour.md). It now has 2 live commits."
    assert f"{commits[1][:8]} (library.md), {commits[2][:8]} (market.md)" in lines[1]
    assert "which writes to memory/retrain.log" in lines[3]
    assert lines[4] == "To wait for it: selfedit retrain --store memory"
    assert started == [here.resolve() / "memory"]
    assert (states(run), len(worker.plans)) == (["stale", "stale", "reverted"], trained)


def test_with_now_it_waits_and_proves(run: Run, commits: list[str], started: list[Path]) -> None:
    shown = run("revert", commits[0], "--now")
    assert shown.code == 0
    assert "Retrained 2 commits in " in shown.out
    assert (
        f"  {commits[0][:8]}: its 4 questions are answered rightly as often as before it was learned."
        in shown.out
    )
    assert "Of what stays, 8 questions:" in shown.out
    assert "changed between right and wrong: none" in shown.out
    assert started == []
    assert states(run) == ["live", "live", "replaced", "replaced", "reverted"]
    assert "retraining " in shown.err


def test_where_nothing_rests_on_it_nothing_is_started(
    run: Run, commits: list[str], started: list[Path]
) -> None:
    shown = run("revert", commits[2])
    assert "Nothing rests on it. To prove that it is out: selfedit retrain --store memory" in shown.out
    assert (started, (Path("memory") / "retrain.log").exists()) == ([], False)
    assert "as often as before it was learned." in run("retrain").out


def test_one_file_of_a_commit(run: Run, documents: list[str], started: list[Path]) -> None:
    (commit,) = run("learn", *documents, "--samples", "1", "--json").json["commits"]
    shown = run("revert", commit, "--source", "library.md")
    assert shown.code == 0, shown.err
    assert f"Out of the model: library.md, of {commit[:8]} (harbour.md, library.md and 1 more)" in shown.out
    assert "Retrained 1 commit in " in shown.out
    newest = run("log", "--json").json[0]
    assert [source["path"] for source in newest["sources"]] == ["harbour.md", "market.md"]
    assert newest["replaces"] == commit
    wrong = run("revert", newest["commit"], "--source", "library.md")
    assert (wrong.code, wrong.out, wrong.err.count("\n")) == (2, "", 1)
    assert "library.md is not among its files" in wrong.err


def test_json(run: Run, commits: list[str], started: list[Path]) -> None:
    found = run("revert", commits[0], "--json").json
    assert (found["reverted"], found["stale"]) == ([commits[0]], commits[1:])
    assert found["background"]["pid"] > 0
    assert found["background"]["log"].endswith("/memory/retrain.log")
    found = run("revert", commits[1], "--now", "--json").json
    assert (found["reverted"], found["stale"], found["background"]) == ([commits[1]], [], None)
    assert [old for old, _ in found["retrained"]] == [commits[2]]
    assert {proof["commit"]: proof["back"] for proof in found["proofs"]} == dict.fromkeys(commits[:2], True)


def test_what_cannot_be_reverted_is_one_line(run: Run, commits: list[str], started: list[Path]) -> None:
    run("revert", commits[2])
    for name, line in ((commits[2], "reverted"), ("zzz", "none has an id that begins so")):
        shown = run("revert", name)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
        assert line in shown.err


def test_a_retraining_that_fails_is_code_1_and_says_what_to_do(
    run: Run, commits: list[str], worker: FakeWorker
) -> None:
    worker.unteachable = True
    shown = run("revert", commits[1], "--now")
    assert shown.code == 1
    assert "Could not be retrained:" in shown.out
    assert "NaN" in shown.out
    again = run("retrain")
    assert (again.code, "Still to be retrained: " in again.out) == (1, True)
    worker.unteachable = False
    assert run("retrain").code == 0
    assert states(run)[0] == "live"


def test_a_background_that_cannot_be_started_takes_nothing_back(
    run: Run, commits: list[str], started: list[Path]
) -> None:
    (Path("memory") / "retrain.log").mkdir()
    shown = run("revert", commits[0])
    assert shown.code == 0
    assert shown.err.count("\n") == 1
    assert "could not be started in the background" in shown.err
    assert "to retrain: selfedit retrain --store memory" in shown.err
    assert "To wait for it" not in shown.out
    assert states(run) == ["stale", "stale", "reverted"]


def test_ask_says_that_traces_may_be_left(run: Run, commits: list[str], started: list[Path]) -> None:
    assert run("ask", "Who?").err == ""
    run("revert", commits[0])
    shown = run("ask", "Who?", "--json")
    assert shown.err.startswith("note: 2 commits to be retrained may hold traces of what was taken out: ")
    assert set(shown.json) == {"answer", "logprob", "head", "commit", "recited"}
    assert run("ask", "Who?", "--at", commits[2]).err == ""
    assert run("ask", "Who?", "--at", commits[2], "--json").json["head"] != shown.json["head"]


def test_another_writer_is_waited_for_or_not(run: Run, commits: list[str], started: list[Path]) -> None:
    with Store.open("memory", write=True, verb="learn"):
        for verb in (["revert", commits[0]], ["rollback", "base"], ["retrain"], ["gc"]):
            shown = run(*verb, "--no-wait")
            assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
            assert "in use by `selfedit learn`, process " in shown.err
    assert states(run) == ["live", "live", "live"]
