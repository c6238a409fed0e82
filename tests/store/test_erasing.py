"""What is collected, and what is erased for good: read from the bytes of every file in the store."""

from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.errors import StoreError
from selfedit.store import Collected, NewAdapter, ProbeAnswer, Store, sequence_text, text_hash, trial_key
from selfedit.types import Failure, Head, Probe, Reward, SelfEdit, Sequence, Task, TrainingPlan, Trial


@pytest.fixture
def traces(store, engine):
    """The words that stand anywhere in the store's files or the files of its tables, and where."""

    def find(*words):
        contents = {path.name: path.read_bytes() for path in store.path.rglob("*") if path.is_file()}
        if engine.dialect.name == "postgresql":
            with engine.begin() as connection:
                connection.exec_driver_sql("CHECKPOINT")
                contents["tables"] = b"".join(connection.exec_driver_sql(TABLES).scalars())
        return {(word, name) for word in words for name, found in contents.items() if word.encode() in found}

    return find


TABLES = """
SELECT pg_read_binary_file(pg_relation_filepath(oid), 0, 100000000) FROM pg_class
WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace
"""
"""The bytes of all tables, as far as they have been written down."""


def blobs(store):
    return {path.name for path in store.path.glob("blobs/??/*")}


def blob(store, commit):
    return store.adapter_path(commit.adapter).name


@pytest.fixture
def learn(store, new_commit):
    """Accept the made-up commit `number` with its own texts named, and `replayed` ones, on the bare base."""

    def accept(number, *replayed, replaces=None, **changes):
        new = new_commit(number)
        plan = TrainingPlan((*new.plan.sequences, *replayed), rank=4)
        own = {text_hash(sequence_text(each)): new.tasks[0].id for each in new.plan.sequences}
        adapter = replace(new.adapter, hash=f"adapter-{number}-{len(replayed)}")
        new = replace(new, adapter=adapter, plan=plan, text_tasks=own)
        return store.accept(replace(new, **changes), replaces=replaces)

    return accept


# -- garbage --------------------------------------------------------------------------------------


def test_collecting_removes_what_no_row_names_and_nothing_else(store, learn):
    commits = [learn(1), learn(2)]
    store.move_head("revert", [commits[1].id])
    before = blobs(store)
    (store.path / "blobs" / "00").mkdir()
    (store.path / "blobs" / "00" / f"{'0' * 64}.safetensors").write_bytes(b"x" * 1000)
    store.heads_folder.mkdir()
    (store.heads_folder / "cached").mkdir()
    (store.heads_folder / "cached" / "head.safetensors").write_bytes(b"y" * 500)
    (store.path / "blobs" / ".incoming-0").write_bytes(b"half an adapter")
    assert store.gc() == Collected(1, 0, 0, 1500)
    assert blobs(store) == before
    assert not store.heads_folder.exists()
    assert not (store.path / "blobs" / ".incoming-0").exists()
    assert store.verify().ok
    assert store.gc() == Collected(0, 0, 0, 0)
    store.move_head("rollback", [each.id for each in commits])


def test_collecting_bears_with_a_reader_that_caches_heads_meanwhile(store, monkeypatch):
    store.heads_folder.mkdir()
    for name in ("a", "b", "c"):
        (store.heads_folder / name).write_bytes(b"x" * 10)
    unlink = Path.unlink

    def reader(path, **options):
        unlink(store.heads_folder / "b", missing_ok=True)
        (store.heads_folder / "d").write_bytes(b"made meanwhile")
        unlink(path, **options)

    monkeypatch.setattr(Path, "unlink", reader)
    assert store.gc() == Collected(0, 0, 0, 20)
    assert [path.name for path in store.heads_folder.iterdir()] == ["d"]


def test_a_reader_collects_nothing(store, learn):
    commit = learn(1)
    store.move_head("revert", [])
    for erase in ((), (commit.id,)):
        with pytest.raises(StoreError, match="open for reading only"):
            Store.open(store.path).gc(erase=erase)


# -- erasing --------------------------------------------------------------------------------------

OWN = ("Page 1", "was written by Ada 1", "Who wrote page 1?", "Ada 1 wrote it", "Question 3?")


def test_erased_texts_and_weights_are_in_no_file_any_more(store, learn, traces):
    first, second = learn(1), learn(2)
    store.put_results("sample", {"key": "Ada 1 wrote it, says a sample"})
    weights = blob(store, first)
    assert {word for word, _ in traces(*OWN)} == set(OWN)
    store.move_head("revert", [second.id])
    found = store.gc(erase=[first.id[:12]])
    assert (found.blobs, found.weights, found.bytes) == (1, 1, 1984)
    assert found.texts > 5
    assert {word for word, _ in traces(*OWN)} <= {"Question 3?"}  # page 2 asks the same
    assert weights not in blobs(store)
    assert not (store.path / "runs.db").exists()
    assert store.verify().ok


def test_rows_and_hashes_of_what_was_erased_stay(store, learn, new_commit):
    first, second = learn(1), learn(2)
    texts = store.texts_used(first.id)
    store.move_head("revert", [second.id])
    store.gc(erase=[first.id])
    again = store.commit(first.id)
    assert again.erased
    assert replace(again, erased=None, live=True) == first
    assert store.texts_used(first.id) == texts
    assert store.tasks(first.id) == store.edits(first.id) == store.probes(first.id) == ()
    assert store.trial(trial_key(new_commit(1).trials[0])).outcome == Reward(0.5, {"concise": 1.0})
    assert store.adapter(first.adapter).erased
    assert (store.tasks(second.id), store.commit(second.id).erased) == ((new_commit(2).tasks[0],), None)
    with pytest.raises(StoreError, match=r"were erased; learn its documents again$") as raised:
        store.adapter_path(first.adapter)
    assert "\n" not in str(raised.value)
    for lost in (lambda: store.text(texts[0]), lambda: store.plan(first.id)):
        with pytest.raises(StoreError, match="erased"):
            lost()


def test_what_was_erased_cannot_be_live_until_it_is_learned_again(store, learn, new_commit):
    first, second = learn(1), learn(2)
    store.move_head("revert", [second.id])
    store.gc(erase=[first.id])
    with pytest.raises(StoreError, match="its weights were erased; the head was not moved"):
        store.move_head("rollback", [first.id])
    store.move_head("rollback", [])
    assert learn(1) == first
    assert store.tasks(first.id) == (new_commit(1).tasks[0],)
    assert store.adapter_path(first.adapter).is_file()
    assert store.commit(first.id).erased is None
    assert store.verify().ok
    store.move_head("revert", [])
    assert store.gc(erase=[first.id]).weights == 1
    assert store.gc(erase=[first.id]) == Collected(0, 0, 0, 0)


def test_texts_that_another_commit_holds_stay(store, learn, new_commit, traces):
    first = learn(1)
    twin = learn(2, tasks=(*new_commit(2).tasks, *new_commit(1).tasks))
    store.move_head("revert", [twin.id])
    store.gc(erase=[first.id])
    assert store.tasks(twin.id)[1] == new_commit(1).tasks[0]
    assert first.adapter != twin.adapter
    assert traces("adapter-1") != set()
    store.move_head("revert", [])
    store.gc(erase=[twin.id])
    assert traces(*OWN, "Page 2") == set()
    assert store.verify().ok


def test_notes_that_were_tried_and_not_chosen_go_too(store, learn, new_commit, traces):
    task = new_commit(1).tasks[0]
    edit = SelfEdit(task.id, "rewrite", "A rejected note on Ada.", ("Rejected line.",))
    trained = TrainingPlan(("Rejected line.", Sequence("Rejected question?", "Rejected answer")))
    store.record_tasks([task])
    store.record_trials(
        {"a": Trial(edit, trained, Reward(0.0)), "b": Trial(edit, None, Failure("parse", "Rejected failure"))}
    )
    other = new_commit(3).tasks[0]
    store.record_tasks([other])
    store.record_edits([SelfEdit(other.id, "rewrite", "Work in progress on page 3.", ("Page 3 line.",))])
    commit = learn(1)
    store.move_head("revert", [])
    store.gc(erase=[commit.id])
    assert traces("ejected", *OWN[:4]) == set()
    assert {word for word, _ in traces("Work in progress on page 3.", "Page 3 line.")} == {
        "Work in progress on page 3.",
        "Page 3 line.",
    }
    assert store.trial("b").outcome == Failure("parse", "(erased)")
    assert store.verify().ok


def test_an_attempt_at_the_same_document_that_came_to_nothing_goes_too(store, learn, new_commit, traces):
    sentence = "The vault of the old library opens at seven sharp."
    attempt = Task("Draft", f"Cut in another way. {sentence} And on.", (Probe("Draft question?", "Seven"),))
    store.record_tasks([attempt])
    commit = learn(
        1, tasks=(*new_commit(1).tasks, Task("Vault", f"{sentence} It closes at nine in the evening."))
    )
    store.move_head("revert", [])
    store.gc(erase=[commit.id])
    assert traces("vault of the old library", "Draft question?") == set()


def test_reports_that_quote_what_is_erased_go_too(store, learn, traces):
    first, second = learn(1), learn(2, gate={"forgotten": ["Who wrote page 1?"]})
    third = learn(3, gate={"forgotten": ["Who wrote page 2?"]})
    store.keep_report("proof", first.id, {"back": True, "note": "all about a secret"})
    store.keep_report("proof", third.id, {"moved": {"Who wrote page 1?": False}})
    store.keep_report("proof", second.id, {"moved": []})
    store.move_head("revert", [second.id, third.id])
    store.gc(erase=[first.id])
    assert traces("page 1?", "a secret") == set()
    assert store.report("proof", first.id) is store.report("proof", third.id) is None
    assert store.report("proof", second.id) == {"moved": []}
    assert store.gate_report(second.id) is None
    assert store.gate_report(third.id) == {"forgotten": ["Who wrote page 2?"]}
    assert store.verify().ok


def test_reports_that_only_look_alike_stay(store, learn):
    """All of them have the same fields, and most give one of few reasons."""
    reason = {"accepted": True, "reason": "within the bounds that were set"}
    first, second = learn(1, gate={**reason, "kept": 1}), learn(2, gate={**reason, "kept": 2})
    store.move_head("revert", [second.id])
    store.gc(erase=[first.id])
    assert store.gate_report(first.id) is None
    assert store.gate_report(second.id) == {**reason, "kept": 2}


def test_a_live_commit_is_not_erased(store, learn, traces):
    first, second = learn(1), learn(2)
    store.move_head("revert", [second.id])
    before = traces(*OWN)
    with pytest.raises(StoreError) as raised:
        store.gc(erase=[first.id, second.id])
    line = f"commit {second.id[:12]}: in the head; take it out first: selfedit revert {second.id[:12]}"
    assert str(raised.value) == line
    with pytest.raises(StoreError, match="none has an id that begins so"):
        store.gc(erase=["xyz"])
    assert traces(*OWN) == before
    assert store.commit(first.id).erased is None


def test_a_live_commit_that_replayed_its_texts_is_retrained_first(store, learn, traces):
    first = learn(1)
    user = learn(2, "Ada 1 wrote it.")
    store.move_head("revert", [user.id])
    with pytest.raises(StoreError, match="train it again first: selfedit retrain") as raised:
        store.gc(erase=[first.id])
    assert str(raised.value).startswith(
        f"commit {user.id[:12]}: was trained on a text that only {first.id[:12]}"
    )
    weights = {blob(store, first), blob(store, user)}
    clean = learn(2, replaces=user.id)
    assert store.stale() == ()
    found = store.gc(erase=[first.id])
    assert (
        found.weights == found.blobs + 1 == 2
    )  # the made-up weights of both second commits are the same file
    assert blobs(store) == {blob(store, clean)}
    assert weights - blobs(store)
    assert traces(*OWN[:4]) == set()
    assert store.commit(user.id).erased is None
    with pytest.raises(StoreError, match="were erased"):
        store.adapter_path(user.adapter)
    with pytest.raises(StoreError, match="its weights were erased"):
        store.move_head("rollback", [user.id])
    assert store.verify().ok


def test_a_retrained_commit_leaves_only_what_it_keeps(store, learn, new_commit, traces):
    old = learn(1, tasks=(*new_commit(1).tasks, *new_commit(5).tasks))
    new = learn(5, replaces=old.id)
    store.gc(erase=[old.id])
    assert store.tasks(new.id) == (new_commit(5).tasks[0],)
    assert traces(*OWN[:4]) == set()
    assert store.verify().ok


def test_weights_that_another_commit_has_too_stay(store, learn, new_commit):
    first = learn(1)
    twin = learn(2, adapter=replace(new_commit(1).adapter, hash=first.adapter))
    store.move_head("revert", [twin.id])
    assert store.gc(erase=[first.id]).weights == 0
    assert store.adapter_path(twin.adapter).is_file()
    assert store.verify().ok


def test_answers_go_and_shared_words_stay(store, learn, new_commit, traces):
    probes = tuple(replace(each, after=ProbeAnswer("a telling answer")) for each in new_commit(1).probes)
    first, second = learn(1, probes=probes), learn(2)
    store.move_head("revert", [second.id])
    store.gc(erase=[first.id])
    assert traces("a telling answer") == set()
    assert store.probes(second.id) == new_commit(2).probes  # "Bob" and "Ada" were its answers too


def test_a_stacked_history_is_erased_and_retrained(store, new_commit, traces):
    def head():
        return tuple(store.adapter(each.adapter) for each in store.head())

    first, second = store.accept(new_commit(1)), None
    second = store.accept(new_commit(2, head()))
    store.move_head("revert", [second.id])
    assert store.stale() == (store.commit(second.id),)
    store.gc(erase=[first.id])
    retrained = store.accept(
        replace(new_commit(2), adapter=NewAdapter("new", b"weights", {})), verb="retrain", replaces=second.id
    )
    assert store.plan(retrained.id).head is None
    assert Head(store.weights).id == retrained.head_trained_on
    assert traces(*OWN[:4]) == set()
    assert store.verify().ok


KILLED = """
import os, signal, sys
from selfedit.store import Store, blobs, collecting, erasing, runs
killed = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
match sys.argv[2]:
    case "runs":
        runs.Runs.drop = killed
    case "journal":
        real = erasing.carry_out
        erasing.carry_out = lambda *all: (real(*all), killed())
    case "blobs":
        blobs.Blobs.keep_only = killed
    case "half the blobs":
        blobs.sync_folder = killed
    case "heads":
        collecting._empty = killed
with Store.open(sys.argv[1], write=True) as store:
    store.gc(erase=[sys.argv[3]])
"""


@pytest.mark.parametrize("where", ["runs", "journal", "blobs", "half the blobs", "heads"])
def test_erasing_can_be_killed_anywhere_and_done_again(store, learn, start, where, traces):
    first, second = learn(1), learn(2)
    store.put_results("sample", {"key": "Ada 1 wrote it, says a sample"})
    store.move_head("revert", [second.id])
    before = blobs(store)
    store.close()
    process = start(KILLED, store.path, where, first.id)
    process.communicate()
    assert process.returncode == -9
    with Store.open(store.path) as reader:
        assert reader.verify().ok
        assert reader.head() == (second,)
        erased = reader.commit(first.id).erased is not None
    assert erased == (where not in ("runs", "journal"))
    with Store.open(store.path, write=True) as store:
        store.gc(erase=() if erased else [first.id])
        assert traces(*OWN[:4]) == set()
        assert len(blobs(store)) == len(before) - 1
        assert store.verify().ok
