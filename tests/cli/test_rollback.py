"""`selfedit rollback`: back to a point, and forward again."""

from __future__ import annotations

import threading

import pytest

from selfedit.store import Store

from .conftest import Run


def test_back_and_forward_again(run: Run, commits: list[str]) -> None:
    heads = [run("ask", "Who?", "--at", at, "--json").json["head"] for at in ("base", *commits)]
    shown = run("rollback", commits[0][:7])
    assert (shown.code, shown.err) == (0, "")
    assert shown.out.splitlines() == [
        f"The model is as it was when {commits[0][:8]} was learned: 1 live commit.",
        f"Out of it: {commits[1][:8]}, {commits[2][:8]}",
        f"Nothing was deleted. To go forward again: selfedit rollback {commits[2][:8]} --store memory",
    ]
    assert run("ask", "Who?", "--json").json["head"] == heads[1]
    shown = run("rollback", commits[2])
    assert shown.out.splitlines()[1:] == [f"In it again: {commits[1][:8]}, {commits[2][:8]}"]
    assert run("ask", "Who?", "--json").json["head"] == heads[3]
    assert "before anything was learned: 0 live commits." in run("rollback", "base").out
    assert run("ask", "Who?", "--json").json["head"] == heads[0]
    assert "It was so already." in run("rollback", "base").out


def test_json(run: Run, commits: list[str]) -> None:
    assert run("rollback", commits[1], "--json").json == {
        "verb": "rollback",
        "commit": commits[1],
        "live": commits[:2],
        "left": commits[2:],
        "joined": [],
    }


@pytest.mark.parametrize("name", ["zzz", ""])
def test_no_such_commit_is_one_line(run: Run, commits: list[str], name: str) -> None:
    shown = run("rollback", name)
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)


def test_it_waits_for_another_writer_and_says_so(run: Run, commits: list[str]) -> None:
    store = Store.open("memory", write=True, verb="learn")
    timer = threading.Timer(1.0, store.close)
    timer.start()
    shown = run("rollback", "base")
    timer.join()
    assert shown.code == 0
    assert shown.err.count("\n") == 1
    assert "waiting for `selfedit learn`, process " in shown.err
