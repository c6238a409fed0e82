"""What goes in comes out again, and the history tells it in order."""

import json
import os
from dataclasses import asdict, replace
from datetime import UTC, datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfedit.errors import StoreError
from selfedit.store import (
    AdapterName,
    Figures,
    MomentsName,
    NewAdapter,
    NewCommit,
    Store,
    text_hash,
    texts_of,
    trial_key,
)
from selfedit.types import (
    Elastic,
    Failure,
    Head,
    NullSpace,
    Objective,
    Orthogonal,
    Reward,
    SelfEdit,
    Sequence,
    Task,
    TrainingPlan,
    Trial,
)

slow_disk = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def test_a_commit_comes_back_with_all_its_parts(store, new_commit):
    new = new_commit(1)
    commit = store.accept(new)
    assert commit.sources == new.sources
    assert commit.figures == new.figures
    assert commit.settings == new.settings
    assert commit.cost == new.cost
    assert (commit.seq, commit.parent, commit.adapter, commit.plan) == (1, None, "adapter-1", new.plan.id)
    assert commit.head_trained_on == Head(store.weights).id
    assert store.tasks(commit.id) == new.tasks
    assert store.edits(commit.id) == new.edits
    assert store.probes(commit.id) == new.probes
    assert store.plan(commit.id) == new.plan
    assert store.texts_used(commit.id) == texts_of(new.plan)
    assert store.gate_report(commit.id) == new.gate
    assert store.trial(trial_key(new.trials[0])).outcome == new.trials[0].outcome
    assert store.edit(new.edits[0].id) == new.edits[0]
    assert store.adapter_path("adapter-1").read_bytes() == new.adapter.weights
    row = store.adapter("adapter-1")
    assert (row.config, row.losses, row.rank, row.bytes) == (new.adapter.config, {"last": 0.25}, 4, 1984)


def test_another_process_sees_the_same(store, learn):
    commits = [learn(number) for number in range(3)]
    other = Store.open(store.path)
    assert other.head() == tuple(commits)
    assert other.log() == tuple(reversed(commits))
    assert (other.base, other.weights, other.dtype) == ("tiny", "f" * 64, "float32")
    assert other.verify().ok


def test_each_commit_stands_on_the_head_before_it(store, learn):
    first, second, third = (learn(number) for number in range(3))
    assert [each.parent for each in (first, second, third)] == [None, first.id, second.id]
    assert store.trained_on(third.id) == (first.id, second.id)
    assert store.plan(third.id).id == third.plan
    assert store.plan(third.id).head.id == third.head_trained_on
    assert store.trained_on(first.id) == ()


def test_an_adapter_of_another_head_is_refused(store, learn, new_commit):
    learn(1)
    row = store.adapter("adapter-1")
    learn(2)
    with pytest.raises(StoreError, match="trained on another head"):
        store.accept(new_commit(3, (row,)))
    assert len(list(store.path.glob("blobs/*/*"))) == 2
    assert len(store.log()) == 2


def test_weights_may_come_from_a_file(store, new_commit, tmp_path):
    file = tmp_path / "adapter_model.safetensors"
    file.write_bytes(b"weights" * 1000)
    adapter = NewAdapter("from-file", file, {})
    store.accept(NewCommit(adapter=adapter, plan=new_commit(1).plan))
    assert store.adapter_path("from-file").read_bytes() == file.read_bytes()
    with pytest.raises(StoreError, match=r"missing\.safetensors: reading the trained adapter"):
        store.accept(
            NewCommit(adapter=NewAdapter("m", tmp_path / "missing.safetensors", {}), plan=new_commit(1).plan)
        )


def test_the_head_is_what_the_last_move_says(store, learn):
    first, second, third = (learn(number) for number in range(3))
    store.move_head("revert", [first.id, third.id])
    assert [each.id for each in store.head()] == [first.id, third.id]
    assert [each.live for each in store.log()] == [True, False, True]
    store.move_head("reorder", [third.id, second.id])
    assert [each.id for each in store.head()] == [third.id, second.id]
    assert [(move.verb, len(move.live)) for move in store.moves(3)] == [
        ("reorder", 2),
        ("revert", 2),
        ("learn", 3),
    ]
    store.move_head("rollback", [])
    assert store.head() == ()
    assert store.verify().ok


def test_the_head_cannot_hold_a_commit_twice_or_one_unknown(store, learn):
    commit = learn(1)
    with pytest.raises(StoreError, match="named twice"):
        store.move_head("revert", [commit.id, commit.id])
    with pytest.raises(StoreError, match="commit 'abc': not in the store"):
        store.move_head("revert", ["abc"])
    assert store.head() == (commit,)


def test_the_same_made_again_is_the_same_commit_live_again(store, learn, new_commit):
    commit = learn(1)
    store.move_head("revert", [])
    assert store.accept(new_commit(1)) == commit
    assert store.log() == store.head() == (commit,)


def test_commits_are_found_by_the_beginning_of_their_ids(store, learn):
    commits = [learn(number) for number in range(3)]
    for commit in commits:
        assert store.commit(commit.id) == store.commit(commit.id[:12]) == commit
    for unknown in ("", "%", "xyz"):
        with pytest.raises(StoreError, match="none has an id that begins so"):
            store.commit(unknown)
    with pytest.raises(StoreError, match="none has an id that begins so"):
        store.probes("xyz")


def test_an_ambiguous_beginning_names_the_candidates(store, learn):
    by_letter = {}
    for number in range(17):  # seventeen ids, sixteen first letters
        commit = learn(number)
        if twin := by_letter.get(commit.id[0]):
            break
        by_letter[commit.id[0]] = commit
    with pytest.raises(StoreError, match="give more of it") as raised:
        store.commit(commit.id[0])
    assert twin.id[:5] in str(raised.value)
    assert "\n" not in str(raised.value)


def test_where_a_document_lay_is_kept_but_is_no_part_of_an_id(store, new_commit, sql, tmp_path):
    plain = new_commit(1)
    odd = os.fsdecode(b"/pages/caf\xe9.md")
    sources = tuple(replace(plain.sources[0], path=f"{n}.md", place=p) for n, p in enumerate((odd, None)))
    commit = store.accept(replace(plain, sources=sources))
    assert [source.place for source in commit.sources] == ["/pages/caf\\udce9.md", None]
    assert [row.place for row in store.known_sources()] == ["/pages/caf\\udce9.md", None]
    store.move_head("rollback", [])
    moved = tuple(replace(source, place="/elsewhere.md") for source in sources)
    assert store.accept(replace(plain, sources=moved)).id == commit.id
    assert store.verify().ok
    store.backup(tmp_path / "copy")
    with Store.open(tmp_path / "copy") as copy:
        assert copy.log() == store.log()
        assert copy.verify().ok
    sql("UPDATE commit_sources SET place = '/elsewhere.md' WHERE ordinal = 0")
    (problem,) = store.verify().problems
    assert problem.endswith("its record (figures, time, settings) was changed")


def test_sources_tell_what_is_known_already(store, learn):
    first, second = learn(1), learn(2)
    source = first.sources[0]
    assert store.source_commit(source.path, source.sha256) == first
    assert store.source_commit(source.path, "0" * 64) is None
    assert [(each.path, each.commit, each.live) for each in store.known_sources()] == [
        ("page-2.md", second.id, True),
        ("page-1.md", first.id, True),
    ]
    store.move_head("revert", [second.id])
    assert store.source_commit(source.path, source.sha256) is None
    assert store.known_sources()[1].live is False


def test_paths_that_are_no_unicode_are_kept(store, new_commit):
    odd = "caf\udce9.md"
    new = new_commit(1)
    store.accept(replace(new, sources=(replace(new.sources[0], path=odd),)))
    assert store.source_commit(odd, new.sources[0].sha256) is not None
    assert store.verify().ok


def test_trials_are_kept_before_anything_is_accepted(store, new_commit):
    new = new_commit(1)
    edit = new.edits[0]
    failure = Trial(edit, None, Failure("parse", "no facts found"))
    store.record_tasks(new.tasks)
    store.record_edits([edit])
    assert store.record_trial(new.trials[0], key="one") == "one"
    store.record_trials({"two": failure})
    other = Store.open(store.path)
    assert other.trial("one").outcome == Reward(0.5, {"concise": 1.0})
    assert other.trial("one").adapter == "unkept"
    assert other.trial("two").outcome == failure.outcome
    assert other.trial("three") is None
    assert other.edit(edit.id) == edit
    assert other.log() == ()


def test_a_trial_is_never_replaced(store, new_commit):
    trial = new_commit(1).trials[0]
    store.record_tasks(new_commit(1).tasks)
    key = store.record_trial(trial)
    store.record_trial(Trial(trial.edit, trial.plan, Reward(0.9)))
    assert store.trial(key).outcome == trial.outcome


def test_an_edit_of_an_unknown_task_is_refused(store):
    with pytest.raises(StoreError, match="never recorded"):
        store.record_edits([SelfEdit("unknown", "rewrite", "text")])


def test_what_is_no_number_is_no_measure(store, new_commit):
    with pytest.raises(StoreError, match="recall_after is nan"):
        Figures(recall_after=float("nan"))
    store.record_tasks(new_commit(1).tasks)
    with pytest.raises(StoreError, match="it is a Failure"):
        store.record_trial(Trial(new_commit(1).edits[0], None, Reward(float("nan"))))


def test_settings_must_be_json(store, new_commit):
    with pytest.raises(StoreError, match="cannot be stored as JSON"):
        store.accept(replace(new_commit(1), settings={"path": store.path}))
    assert store.log() == ()


def test_a_reader_changes_nothing(store, new_commit):
    reader = Store.open(store.path)
    for change in (
        lambda: reader.accept(new_commit(1)),
        lambda: reader.record_texts(["a"]),
        lambda: reader.move_head("revert", []),
        lambda: reader.put_results("sample", {"a": 1}),
    ):
        with pytest.raises(StoreError, match="open for reading only"):
            change()


def test_a_closed_store_writes_no_more(store):
    store.close()
    with pytest.raises(StoreError, match="open for reading only"):
        store.record_texts(["a"])


def test_texts_are_found_by_their_hash(store):
    (digest,) = store.record_texts(["Ada wrote it."])
    assert digest == text_hash("Ada wrote it.")
    assert store.text(digest) == "Ada wrote it."
    with pytest.raises(StoreError, match="not in this store, or erased"):
        store.text("0" * 64)


def test_other_weights_are_refused(store):
    store.check_weights("f" * 64)
    with pytest.raises(StoreError, match="made on tiny with weights ffffffffffff, not on eeeeeeeeeeee"):
        store.check_weights("e" * 64)


def test_time_is_what_the_clock_says(tmp_path, new_commit):
    def clock():
        return datetime(2031, 5, 4, 3, 2, 1, tzinfo=UTC)

    with Store.create(tmp_path / "m", base="b", weights="f" * 64, dtype="float32", clock=clock) as store:
        assert store.accept(new_commit(1)).time == "2031-05-04T03:02:01.000000+00:00"


def test_bulk_may_be_dropped_at_any_time(store):
    assert store.result("sample", "a") is None
    store.put_results("sample", {"a": {"text": "x"}, "b": None})
    store.put_results("sample", {"a": "never replaced"})
    assert Store.open(store.path).result("sample", "a") == {"text": "x"}
    assert store.result("answer", "a") is None
    (store.path / "runs.db").unlink()
    assert store.result("sample", "a") is None
    store.put_results("answer", {"a": 1})
    assert store.result("answer", "a") == 1


def test_bulk_whose_first_writer_was_killed_before_it_made_the_table_is_empty(store):
    (store.path / "runs.db").touch()
    assert store.result("sample", "a") is None
    store.put_results("sample", {"a": 1})
    assert store.result("sample", "a") == 1


@given(st.lists(st.text() | st.just("\x00") | st.just("\ud800"), max_size=5))
@slow_disk
def test_any_text_can_be_kept(store, texts):
    assert [store.text(digest) for digest in store.record_texts(texts)] == texts


sequences = st.text(min_size=1) | st.builds(Sequence, st.text(), st.text(), st.floats(-1, 2))
name = st.builds(AdapterName, st.sampled_from(["kept nowhere", "adapter-1"]))
names = st.lists(name, max_size=2).map(tuple)
objectives = st.none() | st.builds(
    Objective,
    st.floats(0.001, 100),
    st.sampled_from(["reverse", "forward"]),
    st.none() | st.builds(Head, st.just("f" * 64), names),
    st.sampled_from(["all", "unweighted"]),
)
weights = st.floats(0.001, 100)
moments = st.builds(MomentsName, st.sampled_from(["kept nowhere", "moments-1"]))
constraints = (
    st.none()
    | st.builds(Orthogonal, st.lists(name, min_size=1, max_size=2), st.none() | weights)
    | st.builds(NullSpace, moments, st.floats(0.01, 1))
    | st.builds(Elastic, moments, weights)
)


@given(
    lines=st.lists(sequences, min_size=1, max_size=4),
    rate=st.floats(0, 1),
    modules=st.sampled_from(["all-linear", ("q_proj", "v_proj")]),
    objective=objectives,
    constraint=constraints,
)
@slow_disk
def test_any_plan_and_edit_come_back_with_their_ids(store, lines, rate, modules, objective, constraint):
    store.move_head("rollback", [])
    task = Task("t", "p")
    rates = {"learning_rate": rate, "alpha": rate + 1}
    held = {"objective": objective, "constraint": constraint}
    plan = TrainingPlan(tuple(lines), target_modules=modules, **held, **rates)
    edit = SelfEdit(task.id, "rewrite", "x", tuple(lines), {"rate": rate})
    new = NewCommit(adapter=NewAdapter("a", b"w", {}), plan=plan, tasks=(task,), edits=(edit,))
    commit = store.accept(new)
    assert (store.plan(commit.id), store.plan(commit.id).id) == (plan, plan.id)
    assert (store.edits(commit.id), store.edits(commit.id)[0].id) == ((edit,), edit.id)


def test_the_chain_holds_when_texts_are_erased(store, learn, new_commit, sql):
    first, second = learn(1), learn(2)
    for digest in (*store.texts_used(first.id), text_hash("Who wrote page 1?"), first.gate):
        sql(f"UPDATE texts SET body = NULL, erased = '2031-01-01' WHERE hash = '{digest}'")
    assert store.verify().ok
    assert store.head() == (first, second)
    assert store.tasks(first.id) == store.edits(first.id) == store.probes(first.id) == ()
    assert store.gate_report(first.id) is None
    with pytest.raises(StoreError, match="were erased"):
        store.plan(first.id)
    assert store.tasks(second.id)
    store.move_head("revert", [])
    store.accept(new_commit(1))
    assert store.plan(first.id) == new_commit(1).plan


SWAPPED = """
UPDATE texts SET body = (SELECT body FROM texts WHERE hash = (SELECT max(hash) FROM texts))
WHERE hash = (SELECT min(hash) FROM texts)
"""


@pytest.mark.parametrize(
    ("statement", "problem"),
    [
        (SWAPPED, "has another hash"),
        ("UPDATE texts SET body = NULL WHERE hash = (SELECT min(hash) FROM texts)", "not marked as erased"),
        (
            "UPDATE commits SET plan = (SELECT plan FROM commits WHERE seq = 1) WHERE seq = 2",
            "contents have another",
        ),
        ("UPDATE commits SET recall_after = 0.9 WHERE seq = 2", "figures, time, settings"),
        ("UPDATE commit_probes SET correct_after = false WHERE ordinal = 0", "figures, time, settings"),
        ("DELETE FROM commit_texts WHERE ordinal = 1", "contents have another hash"),
        ("UPDATE head_moves SET live = '1' WHERE seq = 2", "head move 2: breaks the chain"),
        ("DELETE FROM head_moves WHERE seq = 1", "head move 2"),
        ("DELETE FROM commits WHERE seq = 2", "refers to a row of commits that is not there"),
    ],
)
def test_whatever_is_changed_by_hand_is_found(store, learn, sql, statement, problem):
    learn(1), learn(2)
    sql(statement)
    found = store.verify()
    assert not found.ok
    assert problem in " ".join(found.problems)


@pytest.mark.journal_file
def test_a_text_that_is_no_longer_bytes_is_found(store, learn, sql):
    learn(1)
    sql("UPDATE texts SET body = CAST(body AS TEXT) WHERE hash = (SELECT min(hash) FROM texts)")
    assert "no longer kept as bytes" in " ".join(store.verify().problems)


def test_damaged_and_missing_blobs_are_found_and_mended(store, learn, new_commit):
    learn(1), learn(2)
    paths = [store.adapter_path(f"adapter-{number}") for number in (1, 2)]
    paths[0].write_bytes(b"\0" * 1984)
    paths[1].unlink()
    problems = " ".join(store.verify().problems)
    assert "adapter adapter-1: blob" in problems
    assert "adapter adapter-2: blob" in problems
    assert "missing" in problems
    with pytest.raises(StoreError, match=r"put .* back from a backup"):
        store.adapter_path("adapter-2")
    store.move_head("revert", [])
    learn(1), learn(2)
    assert store.verify().ok


def test_rows_go_out_as_json(store, learn):
    learn(1)
    assert (
        json.loads(json.dumps([asdict(each) for each in store.log()]))[0]["sources"][0]["path"] == "page-1.md"
    )
