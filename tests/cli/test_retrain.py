"""`selfedit retrain`: it goes on where it was, and says so when there is nothing to do."""

from __future__ import annotations

import signal

import pytest

from selfedit.cli import background, output

from .conftest import Run


@pytest.fixture
def reverted(run: Run, commits: list[str], monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Three commits, of which the first was taken out and the others were not retrained yet."""
    with monkeypatch.context() as patch:
        patch.setattr(background, "begin", lambda verb, store, device: None)
        run("revert", commits[0])
    return commits


def test_it_retrains_and_proves(run: Run, reverted: list[str]) -> None:
    shown = run("retrain")
    assert shown.code == 0
    lines = shown.out.splitlines()
    assert lines[0].startswith("Retrained 2 commits in ")
    assert lines[1].startswith(f"  {reverted[1][:8]} is now ")
    assert "Proof that what was taken out is out of the model:" in lines
    assert shown.err.splitlines()[0] == "loading the model"
    assert run("retrain").out == "Nothing awaits retraining.\n"


def test_ctrl_c_loses_nothing(run: Run, reverted: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    def say(line: str) -> None:
        seen.append(line)
        if line == f"retraining {reverted[2][:12]}":
            signal.raise_signal(signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(output, "say", say)
        assert run("retrain").code == 130
    assert [row["state"] for row in run("log", "--json").json] == [
        "live", "stale", "replaced", "reverted",
    ]  # fmt: skip
    shown = run("retrain", "--json")
    assert [old for old, _ in shown.json["retrained"]] == [reverted[2]]
    assert [proof["back"] for proof in shown.json["proofs"]] == [True]
