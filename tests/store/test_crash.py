"""Nothing that was acknowledged is lost, wherever a process is killed.

The program that is started here is the one of the big run (scripts/crash.py), with less to do.
"""

import sqlite3
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

HERE = Path(__file__).parent
ERASED = "UPDATE texts SET body = NULL, erased = 'now'"


def test_killed_processes_lose_nothing(run):
    kills = run("crash.py", 3, 20, "a seed")
    assert len(kills) == 60
    assert [(kill["nth"], kill["place"], kill["problems"]) for kill in kills if kill["problems"]] == []
    places = Counter(kill["place"] for kill in kills)
    assert places["learn"] + places["retrain"] >= 8
    assert places["revert"] + places["gc"] + places["erase"] >= 8
    struck = [kill for kill in kills if kill["call"]]  # the others died at a moment, wherever they were
    assert len(struck) >= 15
    assert len({(kill["place"], kill["call"], kill["file"]) for kill in struck}) >= 10


def test_killed_processes_lose_nothing_on_a_server(run, postgres):
    kills = run("crash.py", 1, 8, "a seed", postgres)
    assert [(kill["nth"], kill["place"], kill["problems"]) for kill in kills if kill["problems"]] == []
    assert len({kill["place"] for kill in kills}) >= 2


@pytest.fixture
def known(tmp_path, monkeypatch):
    """A store with an erased commit, a live one and a round; what it holds, and what looks at it."""
    monkeypatch.syspath_prepend(str(HERE))
    import crash_world as world
    from crash_steps import Step
    from samples import new_store

    known = world.Known()
    steps = (
        *(Step("learn", 1, 1, head=(1,)), Step("revert"), Step("erase", doc=1)),
        *(Step("learn", 2, 2, head=(2,)), Step("report"), Step("round", 1)),
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
        ("DELETE FROM rounds", "rounds: 0 in place of 1"),
        ("UPDATE rounds SET record = (SELECT recipe FROM runs)", "half: round 1 has another record"),
        ("UPDATE adapters SET erased = 'now'", "half: round 1 has other weights"),
        ("DELETE FROM commit_probes WHERE ordinal = 2", "half: commit 2 has other probes"),
        (f"{ERASED} WHERE hash IN (SELECT gate FROM commits)", "half: commit 2 has other gate report"),
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


def test_words_and_weights_of_a_run_that_is_gone_are_noticed(known):
    store, known, world = known
    gone, policy = replace(known, rounds=0), world.blob_name("policy-1")
    assert [*world.not_erased(store, gone)] == [f"erase undone: {world.ROUND_MARK} stands in journal.db"]
    assert [*world.superfluous(store, gone)] == [f"garbage: {policy} is there after gc"]
    store.drop_run(world.RUN)
    assert [*world.not_erased(store, gone)] == []
    store.gc()
    assert [*world.superfluous(store, gone)] == []
