"""Runs of a recipe: rounds are kept once and for good, with their policies; a run is dropped whole."""

import os
import signal
from contextlib import suppress
from dataclasses import replace

import pytest
from sqlalchemy import Engine, event

from selfedit.errors import StoreBusyError, StoreError
from selfedit.store import NewAdapter, Store, text_hash
from selfedit.types import Head, Sequence, TrainingPlan

RUN, RECIPE = "5eed" * 16, {"base": "tiny", "rounds": 2, "write": {"temperature": 0.8}}
SECRET = "The tower of Qz was built by Ada in 1889."


def policy(number, *below):
    """The policy of a round, trained on the policies below it: an adapter and its plan."""
    head = Head("f" * 64, below) if below else None
    plan = TrainingPlan((Sequence(f"Write about page {number}.", f"Ada {number}"),), rank=4, head=head)
    return NewAdapter(f"policy-{number}", f"policy {number}".encode() * 100, {"r": 4}, {"last": 0.5}), plan


@pytest.fixture
def end(store):
    """End a round of the run, which is begun if it was not; its policy stands on those before it."""

    def ended(number, run=RUN, **record):
        store.begin_run(run, RECIPE)
        below = [store.adapter(each.adapter) for each in store.rounds(run) if each.number < number]
        return store.end_round(run, number, {"round": number, **record}, *policy(number, *below))

    return ended


def blobs(store):
    return {path.name for path in store.path.glob("blobs/??/*")}


def test_a_round_comes_back_with_its_policy_and_its_record(store, end):
    one, two = end(1, rewards=[0.5, None], best="é"), end(2)
    with Store.open(store.path) as other:
        (run,) = other.runs()
        assert (run.id, run.recipe, run.time <= one.time <= two.time) == (RUN, RECIPE, True)
        assert other.rounds(RUN) == [one, two]
        assert (one.run, one.number, one.adapter) == (RUN, 1, "policy-1")
        assert one.record == {"round": 1, "rewards": [0.5, None], "best": "é"}
        assert other.adapter_path("policy-1").read_bytes() == policy(1)[0].weights
        below, row = other.adapter("policy-1"), other.adapter("policy-2")
        assert (row.rank, row.config, row.losses) == (4, {"r": 4}, {"last": 0.5})
        assert row.head_trained_on == one.head == Head("f" * 64, (below,)).id
        assert two.head == Head("f" * 64, (below, row)).id
        assert other.verify().problems == ()
        assert other.head() == other.log() == ()


def test_runs_come_in_the_order_in_which_they_were_begun(store):
    for name in ("b", "a", "c"):
        store.begin_run(name, {"name": name})
    assert [(run.id, run.recipe["name"]) for run in store.runs()] == [(name, name) for name in "bac"]
    assert store.rounds("a") == store.rounds("unknown") == []


def test_where_nothing_was_reinforced_the_policy_stays(store, end):
    store.begin_run("bare", {})
    assert store.end_round("bare", 0, {}, None, None).head == Head("f" * 64).id
    shipped, plan = policy(1)
    stands = TrainingPlan(plan.sequences, head=Head("f" * 64, (shipped,)))
    assert store.end_round("bare", 1, {}, None, stands).head == stands.head.id
    one = end(1)
    idle = store.end_round(RUN, 2, {"failed": 5}, None, None)
    assert (idle.adapter, idle.head) == (None, one.head)
    assert store.verify().problems == ()


def test_the_same_again_is_one_round(store, end):
    store.begin_run(RUN, RECIPE)
    one, two = end(1), end(2)
    store.begin_run(RUN, dict(reversed(RECIPE.items())))
    assert (end(1), end(2)) == (one, two)
    assert len(blobs(store)) == 2
    idle = store.end_round(RUN, 3, {}, None, None)
    assert store.end_round(RUN, 3, {}, None, None) == idle
    assert store.rounds(RUN) == [one, two, idle]


def test_the_same_again_mends_weights_that_are_gone(store, end):
    one = end(1)
    store.adapter_path("policy-1").unlink()
    assert not store.verify().ok
    assert end(1) == one
    assert store.verify().ok


def test_what_is_written_stays_as_it_was(store, end):
    rounds = [end(1), end(2)]
    adapter, plan = policy(1)
    other = NewAdapter("other", b"other", {})
    elsewhere = TrainingPlan(plan.sequences, head=Head("f" * 64, (other,)))
    for record, trained in (
        ({"round": 9}, (adapter, plan)),
        ({"round": 1}, (other, plan)),
        ({"round": 1}, (adapter, elsewhere)),
        ({"round": 1}, (None, None)),
    ):
        with pytest.raises(StoreError, match=r"round 1 of run 5eed5eed5eed: has ended already, with another"):
            store.end_round(RUN, 1, record, *trained)
    with pytest.raises(StoreError, match="is there with another recipe; take another store, or drop"):
        store.begin_run(RUN, {**RECIPE, "rounds": 3})
    assert store.rounds(RUN) == rounds
    assert store.runs()[0].recipe == RECIPE
    assert len(blobs(store)) == 2


def test_a_round_that_cannot_be_next_leaves_nothing(store, end):
    with pytest.raises(StoreError, match="run '5eed5eed5eed': not in this store"):
        store.end_round(RUN, 1, {}, *policy(1))
    assert not blobs(store)
    store.begin_run(RUN, RECIPE)
    for number in (-1, 2):
        with pytest.raises(StoreError, match=f"round {number} .*: none before it has ended; begin with 0 or"):
            store.end_round(RUN, number, {}, *policy(1))
    end(1)
    for number in (0, 3):
        with pytest.raises(StoreError, match="the last one there is 1; end them in order"):
            store.end_round(RUN, number, {}, *policy(2))
    with pytest.raises(StoreError, match="an adapter without the plan that trained it"):
        store.end_round(RUN, 2, {}, policy(2)[0], None)
    with pytest.raises(StoreError, match="made on tiny with weights"):
        store.end_round(RUN, 2, {}, policy(2)[0], TrainingPlan(("x",), head=Head("e" * 64)))
    with pytest.raises(StoreError, match="cannot be stored as JSON"):
        store.end_round(RUN, 2, {"path": store.path}, *policy(2))
    assert [row.number for row in store.rounds(RUN)] == [1]
    assert len(blobs(store)) == 1


def test_a_reader_ends_no_round(store):
    reader = Store.open(store.path)
    for change in (
        lambda: reader.begin_run(RUN, {}),
        lambda: reader.end_round(RUN, 1, {}, *policy(1)),
        lambda: reader.drop_run(RUN),
    ):
        with pytest.raises(StoreError, match="open for reading only"):
            change()
    assert not blobs(store)


# -- collecting, checking, copying ----------------------------------------------------------------


def test_policies_are_no_garbage(store, end, learn):
    learn(1), end(1)
    (store.path / "blobs" / "00").mkdir(exist_ok=True)
    (store.path / "blobs" / "00" / f"{'0' * 64}.safetensors").write_bytes(b"x")
    assert store.gc().blobs == 1
    assert len(blobs(store)) == 2
    assert store.verify().ok


def test_a_copy_has_the_runs(store, end, tmp_path):
    rounds = [end(1), end(2)]
    assert store.backup(tmp_path / "copy").blobs == 2
    with Store.open(tmp_path / "copy", write=True) as copy:
        assert (copy.runs(), copy.rounds(RUN)) == (store.runs(), rounds)
        assert copy.verify().problems == ()
        copy.end_round(RUN, 3, {}, None, None)
        assert copy.gc().blobs == 0


def test_damaged_policies_are_found(store, end):
    end(1)
    store.adapter_path("policy-1").write_bytes(b"other")
    assert "adapter policy-1: blob" in " ".join(store.verify().problems)


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        ("UPDATE rounds SET record = (SELECT recipe FROM runs) WHERE number = 2", "round 2 of run 5eed"),
        ("UPDATE rounds SET adapter = NULL WHERE number = 2", "round 2 of run 5eed5eed5eed: breaks"),
        ("UPDATE rounds SET head = 'x' WHERE number = 1", "round 1 of run 5eed5eed5eed: breaks the"),
        ("UPDATE runs SET time = 'x'", "round 1 of run 5eed5eed5eed: breaks the"),
        ("DELETE FROM rounds WHERE number = 1", "round 2 of run 5eed5eed5eed: breaks"),
        ("DELETE FROM runs", "a row of rounds refers to a row of runs that is not there"),
    ],
)
def test_whatever_is_changed_by_hand_is_found(store, end, sql, statement, problem):
    end(1), end(2)
    assert store.verify().ok
    sql(statement)
    assert problem in " ".join(store.verify().problems)


# -- dropping -------------------------------------------------------------------------------------


@pytest.fixture
def kept(store):
    """Which of some texts are there."""

    def there(text):
        with suppress(StoreError):
            return store.text(text_hash(text)) == text

    return lambda *texts: set(filter(there, texts))


def test_a_run_is_dropped_whole_and_nothing_else(store, end, new_commit, kept):
    other, new = end(1, run="other"), new_commit(1)
    store.record_tasks(new.tasks)
    store.record_trials({"tried": new.trials[0]})
    end(1), end(2)
    store.drop_run(RUN)
    assert [run.id for run in store.runs()] == ["other"]
    assert (store.rounds(RUN), store.rounds("other")) == ([], [other])
    assert store.verify().problems == ()
    assert len(blobs(store)) == 2
    assert store.gc().blobs == 1
    assert store.adapter_path("policy-1").read_bytes() == policy(1)[0].weights
    with pytest.raises(StoreError, match="its weights were erased"):
        store.adapter_path("policy-2")
    assert store.trial("tried").outcome == new.trials[0].outcome
    assert store.edit(new.edits[0].id) == new.edits[0]
    trained = [f'["Write about page {number}.", "Ada {number}"]' for number in (1, 2)]
    assert kept(*trained) == {trained[0]}
    assert store.verify().problems == ()
    with pytest.raises(StoreError, match="run '5eed5eed5eed': not in this store"):
        store.drop_run(RUN)


def test_what_a_commit_has_too_stays_when_a_run_is_dropped(store, new_commit):
    new = new_commit(1)
    commit = store.accept(new)
    store.begin_run(RUN, RECIPE)
    store.end_round(RUN, 1, new.gate, new.adapter, new.plan)
    store.drop_run(RUN)
    assert store.gc().blobs == 0
    assert store.plan(commit.id) == new.plan
    assert store.gate_report(commit.id) == new.gate
    assert store.adapter_path("adapter-1").is_file()
    assert store.verify().problems == ()


def test_a_run_that_was_dropped_can_be_made_again(store, end):
    before = [end(1), end(2)]
    store.drop_run(RUN)
    store.gc()
    assert not blobs(store)
    after = [end(1), end(2)]
    assert [(row.adapter, row.head, row.record) for row in before] == [
        (row.adapter, row.head, row.record) for row in after
    ]
    assert store.verify().problems == ()
    assert store.gc().blobs == 0
    assert len(blobs(store)) == 2


@pytest.mark.journal_file
def test_what_a_dropped_run_said_is_in_no_file_any_more(store, end):
    end(1, secret=SECRET)
    assert SECRET.encode() in (store.path / "journal.db").read_bytes()
    store.drop_run(RUN)
    assert SECRET.encode() not in (store.path / "journal.db").read_bytes()


@pytest.mark.parametrize(
    ("record", "prompt"),
    [
        ({"best": [{"edit": "Page 1 was written by Ada 1."}]}, "Nothing of it is in here."),
        ({}, "Read this. Page 1 was written by Ada 1. Write questions."),
    ],
    ids=["in its record", "in what it trained on"],
)
def test_a_text_that_a_run_holds_is_not_erased_before_the_run(store, learn, record, prompt):
    commit = learn(1)
    store.move_head("revert", [])
    store.begin_run(RUN, RECIPE)
    plan = TrainingPlan((Sequence(prompt, "Q: Who?"),), rank=4)
    store.end_round(RUN, 1, record, NewAdapter("policy", b"policy", {}), plan)
    with pytest.raises(
        StoreError, match=f"run 5eed5eed5eed: holds .* only {commit.id[:12]} brought; drop it first"
    ):
        store.gc(erase=[commit.id])
    assert not store.commit(commit.id).erased
    store.drop_run(RUN)
    assert store.gc(erase=[commit.id]).weights == 1
    assert store.verify().problems == ()


def test_an_adapter_that_a_run_has_is_not_erased_with_a_commit(store, new_commit):
    new = new_commit(1)
    commit = store.accept(new)
    store.move_head("revert", [])
    store.accept(replace(new, adapter=NewAdapter("twin", b"twin", {})))  # so that its texts stay
    store.begin_run(RUN, RECIPE)
    store.end_round(RUN, 1, {}, new.adapter, new.plan)
    assert store.gc(erase=[commit.id]).weights == 0
    assert store.adapter_path("adapter-1").is_file()
    assert store.verify().problems == ()


# -- two processes, and bulk ----------------------------------------------------------------------

TRAIN = """
import sys
from selfedit.store import Store
with Store.open(sys.argv[1], write=True, verb="train") as store:
    store.begin_run("run", {"seed": 0})
    print("held", flush=True)
    sys.stdin.read()
"""


def test_who_trains_already_is_named(store, start):
    store.close()
    holder = start(TRAIN, store.path)
    assert holder.stdout.readline() == "held\n"
    with pytest.raises(StoreBusyError) as raised:
        Store.open(store.path, write=True, verb="train")
    line = str(raised.value)
    assert f"in use by `selfedit train`, process {holder.pid} on {os.uname().nodename}" in line
    assert "\n" not in line
    assert [run.id for run in Store.open(store.path).runs()] == ["run"]
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    with Store.open(store.path, write=True, verb="train") as mine:
        mine.end_round("run", 1, {}, None, None)


def test_many_small_results_are_one_transaction(store):
    commits = []

    def committed(connection):
        commits.append(connection)

    event.listen(Engine, "commit", committed)
    try:
        store.put_results("row", {f"key-{n}": {"score": n / 7} for n in range(5000)})
    finally:
        event.remove(Engine, "commit", committed)
    assert len(commits) == 1
    assert store.result("row", "key-4999") == {"score": 4999 / 7}
    assert store.result("verdict", "key-4999") is None
    with pytest.raises(StoreError, match="cannot be stored as JSON"):
        store.put_results("row", {"new": 1, "key": {1, 2}})
    assert store.result("row", "new") is None
