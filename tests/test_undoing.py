"""Taking back what was learned, with a worker that learns by heart."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.config import learning
from selfedit.errors import StoreError
from selfedit.lessons import Pupil
from selfedit.memory import Memory
from selfedit.rounds import plan_for
from selfedit.store import NewAdapter, NewCommit, Source, Store, sequence_text, text_hash
from selfedit.types import Sequence, Task
from selfedit.undoing import Undone, lost_texts

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER, SETTINGS

THIRD = """# Mill

The mill of Sallow Bend grinds barley for Petra Vance. Its wheel was built in 1874 from bog oak. The miller's
dog is called Juniper. Flour costs nine shells a sack.
"""
QUESTIONS = {
    "a.md": ("Who keeps the lamp?", "Tobiah Renwick"),
    "b.md": ("Who founded the Tide Library?", "Isaura Quill"),
    "c.md": ("For whom does the mill grind?", "Petra Vance"),
}
QUICK = learning(SETTINGS, samples=1, retention={"strategies": ("naive",)})
"""Merged into one head: what follows a commit was trained on top of it."""


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker(grasps=dict(QUESTIONS.values()))


@pytest.fixture
def memory(tmp_path: Path, worker: FakeWorker) -> Memory:
    place = tmp_path / "memory"
    Store.create(place, base="fake", weights=worker.base, dtype="float32").close()
    return Memory(place, lambda: worker)


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    made = [tmp_path / name for name in QUESTIONS]
    for path, text in zip(made, (NOTE, OTHER, THIRD), strict=True):
        path.write_text(text, encoding="utf-8")
    return made


def learn(memory: Memory, *paths: Path) -> str:
    """The commit of these files, with the question that reports on each."""
    rows = memory.path.parent / "questions.csv"
    asked = "".join("{},{}\n".format(*QUESTIONS[path.name]) for path in paths if path.name in QUESTIONS)
    rows.write_text(f"question,answer\n{asked}", encoding="utf-8")
    (commit,) = memory.learn(paths, settings=QUICK, questions=rows).commits
    return commit


@pytest.fixture
def three(memory: Memory, files: list[Path]) -> list[str]:
    return [learn(memory, path) for path in files]


def head(memory: Memory) -> list[str]:
    with Store.open(memory.path) as store:
        return [row.id for row in store.head()]


def answers(memory: Memory) -> list[bool]:
    return [memory.ask(question, topic="").text == answer for question, answer in QUESTIONS.values()]


def untouched(memory: Memory) -> Memory:
    """The same store, with a model that must not be loaded."""

    def load() -> FakeWorker:
        raise AssertionError("the model was loaded")

    return Memory(memory.path, load)


def test_a_revert_is_instant_and_says_what_is_stale(memory: Memory, three: list[str]) -> None:
    assert answers(memory) == [True, True, True]
    done = untouched(memory).revert(three[0][:10])
    assert (done.reverted, done.stale, done.retrained, done.proofs) == ((three[0],), tuple(three[1:]), (), ())
    assert head(memory) == three[1:]
    assert answers(memory) == [False, True, True]
    assert [row.id for row in memory.stale()] == three[1:]


def test_retraining_puts_each_in_its_place_and_then_proves(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    with Store.open(memory.path) as store:
        plans = [store.plan(commit) for commit in three]
        settings = [store.commit(commit).settings for commit in three]
    memory.revert(three[0])
    worker.plans.clear()
    done = memory.retrain()
    assert [old for old, _ in done.retrained] == three[1:]
    assert head(memory) == [new for _, new in done.retrained]
    assert (done.stale, done.failures, len(worker.plans)) == ((), (), 2)
    assert done.tokens == sum(
        p.epochs
        * sum(worker.count(s if isinstance(s, str) else s.prompt + s.completion) for s in p.sequences)
        for p in worker.plans
    )
    with Store.open(memory.path) as store:
        for at, (old, new) in enumerate(done.retrained, 1):
            row = store.commit(new)
            assert (row.replaces, row.settings) == (old, settings[at])
            assert store.plan(new).sequences == plans[at].sequences
            assert store.text_tasks(new) == store.text_tasks(old)
            assert [e.id for e in store.edits(new)] == [e.id for e in store.edits(old)]
            assert [r.probe for r in store.probes(new)] == [r.probe for r in store.probes(old)]
            assert row.sources == store.commit(old).sources
        new_b, new_c = head(memory)
        assert (store.trained_on(new_b), store.trained_on(new_c)) == ((), (new_b,))
        assert (store.commit(new_b).parent, store.commit(new_c).parent) == (None, new_b)
        gate = store.gate_report(new_b)
        assert (gate["accepted"], gate["reason"]) == (True, f"trained again in place of {three[1][:12]}")
        figures = [store.commit(each).figures for each in (new_b, new_c)]
        assert [each.retention for each in figures] == [None, 1.0]  # of what stands before each
        assert [each.recall_after for each in figures] == [1.0, 1.0]
        assert store.verify().ok
    (proof,) = done.proofs
    assert (proof.commit, proof.asked, proof.back, proof.same_answers) == (three[0], 1, True, 1.0)
    assert (proof.right_before, proof.right_now, proof.difference_ci95) == (0.0, 0.0, (0.0, 0.0))
    assert (proof.others_asked, proof.others_then, proof.others_now, proof.moved) == (2, 1.0, 1.0, ())
    assert answers(memory) == [False, True, True]


def test_answers_before_are_those_of_the_head_that_it_is_retrained_on(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[0])
    question, answer = QUESTIONS["b.md"]
    worker.knows[question] = answer
    (_, new), _ = memory.retrain().retrained
    with Store.open(memory.path) as store:
        was, now = (
            next(r for r in store.probes(each) if r.probe.question == question) for each in (three[1], new)
        )
        figures = store.commit(new).figures
    assert (was.before.correct, now.before.correct, figures.recall_before) == (False, True, 1.0)


def test_now_does_all_at_once(memory: Memory, three: list[str]) -> None:
    done = memory.revert(three[1], now=True)
    assert (done.reverted, len(done.retrained), done.stale) == ((three[1],), 1, ())
    assert [proof.back for proof in done.proofs] == [True]
    assert head(memory) == [three[0], done.retrained[0][1]]


def test_the_last_commit_leaves_nothing_stale_and_its_proof_waits(memory: Memory, three: list[str]) -> None:
    done = untouched(memory).revert(three[2])
    assert (done.reverted, done.stale, done.proofs) == ((three[2],), (), ())
    (proof,) = memory.retrain().proofs
    assert (proof.commit, proof.back, proof.others_asked) == (three[2], True, 2)
    assert untouched(memory).retrain() == Undone(seconds=pytest.approx(0, abs=10))


def test_a_proof_shows_what_is_still_known_and_what_moved(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[2])
    question, answer = QUESTIONS["c.md"]
    worker.knows[question] = answer  # it leaked somewhere
    worker.amnesia = True  # only the last commit of a head speaks
    (proof,) = memory.retrain().proofs
    assert (proof.right_before, proof.right_now, proof.back) == (0.0, 0.0, True)
    assert (proof.others_then, proof.others_now) == (0.0, 0.5)
    assert proof.moved == (QUESTIONS["b.md"][0],)
    worker.amnesia = False
    memory.rollback(three[2])
    memory.revert(three[2])
    (proof,) = memory.retrain().proofs
    assert (proof.right_now, proof.same_answers, proof.back) == (1.0, 0.0, False)
    assert proof.difference_ci95 == (1.0, 1.0)
    kept = memory.show(three[2]).proof
    assert kept is not None
    assert (kept["back"], kept["right_now"], kept["moved"]) == (False, 1.0, [])


def test_kept_proofs_name_questions_without_holding_their_text(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[2])
    worker.amnesia = True
    memory.retrain()
    shown = memory.show(three[2]).proof
    assert shown is not None
    assert shown["moved"] == [QUESTIONS["b.md"][0]]
    with Store.open(memory.path) as store:
        assert QUESTIONS["b.md"][0] not in str(store.report("proof", three[2]))


def test_what_was_learned_again_needs_no_proof(memory: Memory, files: list[Path], three: list[str]) -> None:
    memory.revert(three[2])
    again = learn(memory, files[2])
    assert memory.retrain().proofs == ()
    memory.revert(again)
    assert {proof.commit for proof in memory.retrain().proofs} == {three[2], again}


def test_two_reverts_are_proven_each(memory: Memory, three: list[str]) -> None:
    memory.revert(three[0])
    memory.revert(three[1])
    done = memory.retrain()
    assert [old for old, _ in done.retrained] == [three[2]]
    assert [proof.commit for proof in done.proofs] == three[:2]
    assert [proof.others_asked for proof in done.proofs] == [1, 1]


def test_retraining_goes_on_where_it_was_broken_off(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[0])
    worker.plans.clear()
    stages: list[str] = []

    def interrupt(stage: str, done: int, total: int) -> None:
        stages.append(stage)
        if stage == "training" and total and stages.count("committing"):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        memory.retrain(watch=interrupt)
    first, last = head(memory)
    assert (first not in three, last) == (True, three[2])
    assert [row.id for row in memory.stale()] == [three[2]]
    assert memory.verify().ok
    done = memory.retrain()
    assert [old for old, _ in done.retrained] == [three[2]]
    assert head(memory)[0] == first
    assert [len(plan.head.adapters) if plan.head else 0 for plan in worker.plans] == [0, 1, 1]
    assert [proof.back for proof in done.proofs] == [True]


def test_what_cannot_be_retrained_stays_and_stops_the_rest(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[0])
    worker.unteachable = True
    done = memory.retrain()
    assert (done.retrained, done.proofs, done.stale) == ((), (), tuple(three[1:]))
    (line,) = done.failures
    assert three[1][:12] in line
    assert "NaN in step 1" in line
    assert "\n" not in line
    assert head(memory) == three[1:]
    worker.unteachable = False
    assert len(memory.retrain().retrained) == 2


def test_a_collapse_is_told_by_the_choosing_probes(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[0])
    worker.collapses_above = 0.0
    (line,) = memory.retrain().failures
    assert "collapsed" in line


def test_a_commit_that_is_not_live_cannot_be_reverted(memory: Memory, three: list[str]) -> None:
    memory.revert(three[0], now=True)
    with pytest.raises(StoreError, match=f"{three[0][:12]}: was reverted already; .*selfedit rollback"):
        memory.revert(three[0])
    with pytest.raises(StoreError, match="took its place in the head; name that one"):
        memory.revert(three[1])
    with pytest.raises(StoreError, match="none has an id that begins so"):
        memory.revert("f00f00")
    last = head(memory)[-1]
    memory.rollback("base")
    with pytest.raises(StoreError, match="left the head by a rollback"):
        memory.revert(last)


# -- one file of a commit --------------------------------------------------------------------------------


def test_one_file_is_taken_out_of_a_commit(memory: Memory, worker: FakeWorker, files: list[Path]) -> None:
    both, third = learn(memory, *files[:2]), learn(memory, files[2])
    with Store.open(memory.path) as store:
        texts, probes = store.text_tasks(both), store.probes(both)
        mine = next(task.id for task in store.tasks(both) if task.source == str(files[1]))
    worker.plans.clear()
    done = memory.revert(both, source=files[0])
    ((old, new),) = done.retrained
    assert (old, done.reverted, done.stale, done.proofs) == (both, (both,), (third,), ())
    assert head(memory) == [new, third]
    assert len(worker.plans) == 1
    with Store.open(memory.path) as store:
        assert [source.path for source in store.commit(new).sources] == [str(files[1])]
        assert store.text_tasks(new) == {text: task for text, task in texts.items() if task == mine}
        assert [r.probe for r in store.probes(new)] == [r.probe for r in probes if r.task == mine]
        assert store.moves(1)[0].verb == "revert"
    assert answers(memory) == [False, True, True]
    (proof,) = memory.retrain().proofs
    assert (proof.commit, proof.asked, proof.back) == (both, 1, True)
    assert proof.others_asked == 2


def test_a_passage_that_another_file_holds_stays(memory: Memory, files: list[Path]) -> None:
    copy = files[0].with_name("copy.md")
    copy.write_text(NOTE + "\n# Bell\n\nThe bell of Orrskerry was cast by Ansel Roke.\n", encoding="utf-8")
    commit = memory.learn([files[0], copy], settings=QUICK).commits[0]
    done = memory.revert(commit, source=copy, now=True)
    with Store.open(memory.path) as store:
        ((_, new),) = done.retrained
        assert [task.title for task in store.tasks(new)] == ["Harbour"]
        assert {task.source for task in store.tasks(new)} == {str(files[0])}
        texts = [s if isinstance(s, str) else s.completion for s in store.plan(new).sequences]
        assert any("Tobiah Renwick" in text for text in texts)
        assert not any("Ansel Roke" in text for text in texts)


def test_the_only_file_is_the_whole_commit(memory: Memory, files: list[Path], three: list[str]) -> None:
    done = untouched(memory).revert(three[2], source=files[2])
    assert (done.reverted, done.retrained) == ((three[2],), ())
    assert head(memory) == three[:2]


def test_a_file_that_a_commit_does_not_hold_is_refused(
    memory: Memory, files: list[Path], three: list[str]
) -> None:
    with pytest.raises(StoreError, match=r"b\.md is not among its files \(.*a\.md\)"):
        untouched(memory).revert(three[0], source=files[1])
    assert head(memory) == three


def test_a_commit_stays_where_it_cannot_be_trained_without_its_file(
    memory: Memory, worker: FakeWorker, files: list[Path]
) -> None:
    both = learn(memory, *files[:2])
    worker.unteachable = True
    done = memory.revert(both, source=files[0], now=True)
    assert (done.reverted, len(done.failures)) == ((), 1)
    assert head(memory) == [both]


# -- rolling back ----------------------------------------------------------------------------------------


def test_the_head_goes_back_and_forward_again(memory: Memory, three: list[str]) -> None:
    heads = [memory.ask("Who?", at=at).head for at in ("base", *three)]
    moved = untouched(memory).rollback(three[0][:9])
    assert (moved.verb, moved.commit, moved.live) == ("rollback", three[0], (three[0],))
    assert (moved.left, moved.joined) == (tuple(three[1:]), ())
    assert memory.ask("Who?").head == heads[1]
    assert answers(memory) == [True, False, False]
    assert memory.rollback("base").live == ()
    assert memory.ask("Who?").head == heads[0]
    assert answers(memory) == [False, False, False]
    forward = memory.rollback(three[2])
    assert (forward.live, forward.left, forward.joined) == (tuple(three), (), tuple(three))
    assert memory.ask("Who?").head == heads[3]
    assert (memory.stale(), len(memory.log())) == ((), 3)


def test_a_rollback_to_where_one_stands_moves_nothing(memory: Memory, three: list[str]) -> None:
    with Store.open(memory.path) as store:
        before = store.moves()
    moved = memory.rollback(three[2])
    assert (moved.live, moved.left, moved.joined) == (tuple(three), (), ())
    with Store.open(memory.path) as store:
        assert store.moves() == before


def test_a_revert_can_be_rolled_back(memory: Memory, worker: FakeWorker, three: list[str]) -> None:
    first = memory.revert(three[0], now=True)
    assert memory.rollback(three[2]).live == tuple(three)
    assert memory.stale() == ()
    assert answers(memory) == [True, True, True]
    worker.plans.clear()
    again = memory.revert(three[0], now=True)  # what was trained once is not trained twice
    assert (again.retrained, worker.plans, again.stale) == (first.retrained, [], ())
    assert [proof.commit for proof in again.proofs] == [three[0]]
    assert head(memory) == [new for _, new in first.retrained]


# -- replayed texts --------------------------------------------------------------------------------------


def test_replayed_texts_of_the_reverted_are_left_out(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    with Store.open(memory.path, write=True) as store:
        brought = store.plan(three[0]).sequences[0]
        own = Sequence("Who is Ada?\nAnswer:", " the engineer")
        replayer = replays(memory, store, worker, own, brought)
        assert lost_texts(store, store.commit(replayer)) == frozenset()
    memory.revert(three[0])
    done = memory.retrain()
    with Store.open(memory.path) as store:
        assert store.plan(dict(done.retrained)[replayer]).sequences == (own,)
        assert brought in store.plan(replayer).sequences


def replays(memory: Memory, store: Store, worker: FakeWorker, own: Sequence, old: object) -> str:
    """A commit of one row of its own that replays a text of another commit."""
    live = memory._members(store, store.head())
    pupil = Pupil(store, worker, live, None)
    plan = plan_for((own, old), pupil.ground(QUICK, "training", final=True))
    (adapter,) = worker.train([plan])
    folder = adapter.save(memory.path.parent / "adapter")
    task = Task("Ada", "Ada is the engineer.", (), "ada.md")
    new = NewCommit(
        adapter=NewAdapter(adapter.hash, folder / "adapter_model.safetensors", adapter.peft_config()),
        plan=plan,
        sources=(Source("ada.md", "0" * 64, 20),),
        tasks=(task,),
        settings=QUICK.model_dump(mode="json"),
        text_tasks={text_hash(sequence_text(own)): task.id},
    )
    return store.accept(new).id
