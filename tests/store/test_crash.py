"""Nothing that was acknowledged is lost, wherever a process is killed and whichever system call fails.

The programs that are started here are the ones of the big runs (scripts/crash.py), with less to do.
"""

import json
import os
import sqlite3
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def faults():
    """What builds and loads the library that strikes system calls."""
    sys.path.insert(0, str(HERE))
    try:
        import faults

        yield faults
    finally:
        sys.path.remove(str(HERE))


@pytest.fixture(scope="module")
def library(faults, tmp_path_factory):
    if reason := faults.why_not():
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return faults.build(tmp_path_factory.mktemp("faults"))


@pytest.fixture
def run(faults, library, tmp_path):
    """Run a program of this folder under the library, in a folder of its own; returns the lines it prints."""

    def run(program, *arguments):
        command = [sys.executable, "-W", "error", HERE / program, tmp_path, *map(str, arguments)]
        environment = {**os.environ, **faults.environment(library)}
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

    return run


@pytest.mark.parametrize("seed", ["first", "second", "third"])
def test_killed_processes_lose_nothing(run, seed):
    kills = run("crash.py", 20, seed)
    assert len(kills) == 20
    assert [(kill["nth"], kill["place"], kill["problems"]) for kill in kills if kill["problems"]] == []
    places = Counter(kill["place"] for kill in kills)
    assert places["learn"] + places["retrain"] >= 4
    assert places["revert"] + places["gc"] + places["erase"] >= 4
    assert (
        sum(bool(kill["call"]) for kill in kills) >= 5
    )  # struck at a call that was about to change the disk


def test_a_call_that_fails_is_one_line_and_harms_nothing(run):
    tried = run("crash_faults.py", 1000)
    assert [each for each in tried if each["problems"]] == []
    spoken = [each["line"] for each in tried if each["line"]]
    assert len(spoken) > len(tried) / 2
    for what in ("full while writing a commit", "full while writing an adapter", "failed while erasing"):
        assert any(f"disk {what}" in line for line in spoken), what


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A store with a dead and erased commit and a live one, what it holds, and what looks at it."""
    monkeypatch.syspath_prepend(str(HERE))
    import crash_world as world
    from crash_steps import Step
    from samples import new_store

    known = world.Known()
    steps = (
        *(Step("learn", 1, 1, head=(1,)), Step("revert"), Step("erase", doc=1)),
        *(Step("learn", 2, 2, head=(2,)), Step("report")),
    )
    with new_store(tmp_path / "memory") as store:
        for step in steps:
            step.prepare(store, known, tmp_path)()
            known = step.after(known)
        yield store, known, world


def test_a_whole_store_gives_no_cause_for_complaint(known):
    store, known, world = known
    assert world.difference(known, world.Known.read(store)) == []
    assert [
        *world.half_done(store, known),
        *world.not_erased(store, known),
        *world.superfluous(store, known),
    ] == []


@pytest.mark.parametrize(
    ("statement", "complaint"),
    [
        ("DELETE FROM head_moves WHERE seq = 3", "head: () in place of (2,)"),
        ("DELETE FROM reports", "reports: 0 in place of 1"),
        ("DELETE FROM commit_probes WHERE ordinal = 2", "half: commit 2 has other probes"),
        ("UPDATE texts SET body = NULL, erased = 'now'", "half: commit 2 has other gate report"),
        ("UPDATE texts SET body = x'00' WHERE hash IN (SELECT passage FROM tasks)", "verify: text"),
    ],
)
def test_what_is_lost_or_half_there_is_noticed(known, statement, complaint):
    store, known, world = known
    with sqlite3.connect(store.path / "journal.db") as connection:
        connection.execute(statement)
    connection.close()
    found = [*world.difference(known, world.Known.read(store)), *world.half_done(store, known)]
    assert any(each.startswith(complaint) for each in found), found


def test_a_commit_that_is_gone_or_erased_words_that_are_back_are_noticed(known):
    store, known, world = known
    more = replace(known, commits={**known.commits, 3: (3,)}, head=(2, 3))
    assert "lost: commit 3" in world.difference(more, world.Known.read(store))
    (store.path / "runs.db").write_bytes(b".." + world.mark(1).encode() + b"..")
    (store.path / "blobs" / world.blob_name(1)).write_bytes(world.weights(1))
    assert [*world.not_erased(store, known)] == [
        f"erase undone: {world.mark(1)} stands in runs.db",
        "erase undone: the weights of commit 1 are there",
    ]
    assert [*world.superfluous(store, known)] == [f"garbage: {world.blob_name(1)} is there after gc"]
