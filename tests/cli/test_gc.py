"""`selfedit gc`: room is made, and what is erased is gone for good."""

from __future__ import annotations

import subprocess
from pathlib import Path

from selfedit.store import Store

from .conftest import Run


def test_what_nothing_needs_goes(run: Run, commits: list[str], here: Path) -> None:
    heads = here / "memory" / "heads"
    heads.mkdir(exist_ok=True)
    (heads / "cached").write_bytes(b"x" * 5000)
    assert run("gc").out.startswith("Freed 5.0 KB in ")
    assert not heads.exists()
    assert run("gc", "--json").json["erased"] == []
    assert run("verify").code == 0


def test_erased_for_good(run: Run, commits: list[str], here: Path) -> None:
    run("revert", commits[2])
    shown = run("gc", "--erase", commits[2][:8])
    assert shown.code == 0
    assert f"Erased for good, of {commits[2][:8]}: " in shown.out
    found = subprocess.run(["grep", "-rl", "Lanternfish", "memory"], capture_output=True, text=True)
    assert found.stdout == ""
    assert run("verify").code == 0
    rows = run("log", "--json").json
    assert (rows[0]["state"], bool(rows[0]["erased"])) == ("reverted", True)
    assert "reverted, erased" in run("log").out


def test_what_is_live_is_not_erased(run: Run, commits: list[str]) -> None:
    for name in (commits[0], "zzz"):
        shown = run("gc", "--erase", name)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)


def test_a_run_is_forgotten_by_the_beginning_of_its_id(run: Run, commits: list[str], here: Path) -> None:
    with Store.open(here / "memory", write=True, verb="train") as store:
        for name in ("run-a", "run-b"):
            store.begin_run(name, {"rounds": 1})
    for unknown in ("run", "zzz"):
        shown = run("gc", "--drop-run", unknown)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
        assert "run-a, run-b" in shown.err
    assert "Forgotten: 1 run of" in run("gc", "--drop-run", "run-a").out
    with Store.open(here / "memory") as store:
        assert [each.id for each in store.runs()] == ["run-b"]
    assert run("gc", "--json", "--drop-run", "run-b").json["dropped"] == ["run-b"]
    assert run("verify").code == 0
