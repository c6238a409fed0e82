"""Taking a commit out, putting another in its place, and what is stale then; reports about a commit."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.errors import StoreError
from selfedit.store import Store, sequence_text, text_hash, texts_of
from selfedit.store.spans import Numbers, holds, pack
from selfedit.types import Head, Task, TrainingPlan


def adapters(store, commits):
    return tuple(store.adapter(each.adapter) for each in commits)


@pytest.fixture
def relearn(store, new_commit):
    """Retrain: accept the made-up commit `number` in the place of `old`, on the commits before it."""

    def accept(number, old):
        head = store.head()
        before = head[: [each.id for each in head].index(old.id)]
        return store.accept(new_commit(number, adapters(store, before)), verb="retrain", replaces=old.id[:12])

    return accept


@pytest.fixture
def replaying(store, new_commit):
    """Accept commit `number`, whose own texts name their task and which replays the given texts."""

    def accept(number, *replayed, replaces=None):
        new = new_commit(number)
        plan = TrainingPlan((*new.plan.sequences, *replayed), rank=4)
        own = {text_hash(sequence_text(each)): new.tasks[0].id for each in new.plan.sequences}
        adapter = replace(new.adapter, hash=f"adapter-{number}-{len(replayed)}")
        return store.accept(
            replace(new, adapter=adapter, plan=plan, trials=(), text_tasks=own), replaces=replaces
        )

    return accept


def test_a_retrained_commit_takes_the_place_of_the_old_one(store, learn, relearn):
    first, second, third = (learn(number) for number in range(3))
    new = relearn(7, second)
    assert [each.id for each in store.head()] == [first.id, new.id, third.id]
    assert (new.parent, new.replaces, new.live) == (first.id, second.id, True)
    assert store.trained_on(new.id) == (first.id,)
    assert store.commit(second.id).live is False
    assert (store.commit(new.id), store.log()[0]) == (new, new)
    assert [move.verb for move in store.moves(2)] == ["retrain", "learn"]
    front = relearn(8, first)
    assert (front.parent, [each.id for each in store.head()]) == (None, [front.id, new.id, third.id])
    assert store.verify().ok


def test_whose_place_it_takes_is_part_of_the_record(store, learn, relearn, sql):
    relearn(7, learn(1))
    sql("UPDATE commits SET replaces = NULL")
    assert "record" in " ".join(store.verify().problems)


def test_only_a_live_commit_has_a_place_to_take(store, learn, new_commit):
    first, second = learn(1), learn(2)
    store.move_head("revert", [first.id])
    new = new_commit(3, adapters(store, [first]))
    with pytest.raises(StoreError, match="not in the head any more; nothing can take its place"):
        store.accept(new, replaces=second.id)
    with pytest.raises(StoreError, match="trained on another head"):
        store.accept(new, replaces=first.id)
    assert store.head() == (first,)
    assert len(store.log()) == 2


def test_the_same_retrained_again_is_live_once(store, learn, relearn):
    first, second = learn(1), learn(2)
    new = relearn(7, second)
    store.move_head("rollback", [first.id, second.id])
    assert relearn(7, second) == new
    assert [each.id for each in store.head()] == [first.id, new.id]
    assert len(store.log()) == 3


def test_the_head_at_a_commit_is_the_one_of_its_acceptance(store, learn, relearn):
    first, second, third = (learn(number) for number in range(3))
    store.move_head("revert", [first.id, third.id])
    fourth = learn(4)
    new = relearn(7, third)
    store.move_head("rollback", [])

    def ids(commit):
        return [each.id for each in store.head_at(commit.id)]

    assert ids(first) == [first.id]
    assert ids(third) == [first.id, second.id, third.id]
    assert ids(fourth) == [first.id, third.id, fourth.id]
    assert ids(new) == [first.id, new.id, fourth.id]
    assert not any(each.live for each in store.head_at(third.id))
    with pytest.raises(StoreError, match="none has an id that begins so"):
        store.head_at("xyz")


def test_what_was_trained_on_a_reverted_commit_is_stale(store, learn, relearn):
    first, second, third = (learn(number) for number in range(3))
    assert store.stale() == ()
    store.move_head("revert", [second.id, third.id])
    assert store.stale() == (store.commit(second.id), store.commit(third.id))
    new = relearn(7, second)
    assert [each.id for each in store.stale()] == [third.id]
    last = relearn(8, third)
    assert store.stale() == ()
    store.move_head("rollback", [each.id for each in store.head_at(third.id)])
    assert [each.id for each in store.head()] == [first.id, second.id, third.id]
    assert store.stale() == ()
    store.move_head("rollback", [last.id, new.id])
    assert [each.id for each in store.stale()] == [last.id]


def test_a_replayed_text_of_a_reverted_commit_makes_stale(store, replaying):
    first, second = replaying(1), replaying(2)
    user = replaying(3, "Ada 1 wrote it.")
    assert store.stale() == ()
    store.move_head("revert", [second.id, user.id])
    assert store.stale() == (user,)
    clean = replaying(3, replaces=user.id)
    assert [each.id for each in store.head()] == [second.id, clean.id]
    assert store.stale() == ()
    store.move_head("rollback", [first.id, user.id])
    assert store.stale() == ()


def test_a_replayed_text_that_another_live_commit_brought_too_is_fine(store, replaying, new_commit):
    first = replaying(1)
    new = new_commit(1)
    twin = store.accept(
        replace(
            new,
            adapter=replace(new.adapter, hash="twin"),
            plan=TrainingPlan(("Ada 1 wrote it.",)),
            trials=(),
            text_tasks={text_hash("Ada 1 wrote it."): new.tasks[0].id},
        )
    )
    user = replaying(3, "Ada 1 wrote it.")
    store.move_head("revert", [twin.id, user.id])
    assert store.stale() == ()
    store.move_head("revert", [user.id])
    assert store.stale() == (user,)
    assert first.id != twin.id


def test_what_stands_on_the_bare_base_is_never_stale(store, new_commit):
    first, second = (store.accept(new_commit(number)) for number in range(2))
    assert texts_of(new_commit(1).plan) == store.texts_used(second.id)
    store.move_head("revert", [second.id])
    assert store.stale() == ()
    assert store.head_at(first.id)


@given(st.lists(st.integers(1, 12), unique=True), st.integers(1, 12), st.integers(0, 5))
def test_numbers_know_whole_runs(added, first, length):
    numbers = Numbers()
    for at, number in enumerate(added):
        run = range(first, first + length + 1)
        assert numbers.hold(first, first + length) == (set(run) <= set(added[:at]))
        numbers.add(number)
    assert all(holds(pack(added), number) == (number in added) for number in range(13))


def test_the_newest_report_counts_and_all_are_kept(store, learn):
    commit = learn(1)
    assert store.report("proof", commit.id) is None
    store.keep_report("proof", commit.id, {"back": False, "moved": ["Who?"]})
    store.keep_report("proof", commit.id, {"back": True})
    store.keep_report("other", commit.id, {})
    other = Store.open(store.path)
    assert other.report("proof", commit.id) == {"back": True}
    assert other.report("other", commit.id) == {}
    assert other.verify().ok
    with pytest.raises(StoreError, match="open for reading only"):
        other.keep_report("proof", commit.id, {})
    with pytest.raises(StoreError, match="cannot be stored as JSON"):
        store.keep_report("proof", commit.id, {"path": store.path})


def test_the_newest_report_on_every_subject(store):
    for subject, value in (("one", 1), ("two", 2), ("one", 3)):
        store.keep_report("eval", subject, {"value": value})
    store.keep_report("proof", "three", {})
    assert [(row.subject, row.value) for row in store.reports("eval")] == [
        ("two", {"value": 2}),
        ("one", {"value": 3}),
    ]
    assert store.reports("nothing") == []


def test_tasks_are_known_by_id_with_their_probes(store, learn):
    commit = learn(1)
    (task,) = store.tasks(commit.id)
    assert store.known_tasks([task.id, "0" * 64]) == {task.id: replace(task, source="")}
    assert store.created[:4].isdigit()


def test_a_head_is_a_head_of_adapters(store, learn):
    commits = [learn(number) for number in range(2)]
    assert Head(store.weights, adapters(store, store.head_at(commits[1].id))).id != commits[1].head_trained_on
    assert Head(store.weights, adapters(store, store.head_at(commits[0].id))).id == commits[1].head_trained_on


def test_what_took_a_commit_out(store, learn, relearn):
    first, second, third = (learn(number) for number in range(3))
    assert store.left() == {}
    new = relearn(7, second)
    store.move_head("revert", [new.id, third.id])
    assert store.left() == {second.id: "retrain", first.id: "revert"}
    store.move_head("rollback", [first.id, second.id])
    assert store.left() == {new.id: "rollback", third.id: "rollback"}
    store.move_head("rollback", [])
    assert set(store.left().values()) == {"rollback"}
    assert len(store.left()) == 4


def test_every_move_of_a_kind_comes_with_the_one_before(store, learn):
    a, b, c = (learn(number).id for number in range(3))
    assert store.moves_of("revert") == ()
    store.move_head("revert", [b, c])
    store.move_head("rollback", [a, b, c])
    store.move_head("revert", [a, c])
    pairs = [(before.live, after.live) for before, after in store.moves_of("revert")]
    assert pairs == [((a, b, c), (a, c)), ((a, b, c), (b, c))]


def test_of_many_commits_at_once_as_of_each(store, learn):
    commits = [learn(number).id for number in range(3)]
    found = store.all_probes(reversed(commits))
    assert list(found) == commits[::-1]
    assert all(tuple(found[each]) == store.probes(each) for each in commits)
    passages = {task.passage: task for task in store.passages([*commits, commits[0]])}
    assert len(store.passages([*commits, commits[0]])) == len(passages) == 3
    for (task,) in map(store.tasks, commits):
        assert passages[task.passage] == Task(task.title, task.passage, (), task.source)
    assert (store.passages([]), store.all_probes([])) == ((), {})
