"""Who answers a question: merged commits, a commit alone, or the base."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.config import Learning, learning
from selfedit.errors import ExportError
from selfedit.memory import Memory
from selfedit.serving import Member, Served
from selfedit.store import Store
from selfedit.types import Task

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER, SETTINGS

MERGED = learning(SETTINGS, retention={"strategies": ("naive",)})
HARBOUR = Task("Harbour", "The lamp of Orrskerry is kept by Tobiah Renwick.")
LIBRARY = Task("Library", "The Tide Library was founded in 1911 by Isaura Quill.")
LAMPS = Task("Harbour", "The second lamp burns kale oil.")


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    for name, text in (("harbour.md", NOTE), ("library.md", OTHER)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return [tmp_path / "harbour.md", tmp_path / "library.md"]


class Named:
    """Stands for an adapter."""

    def __init__(self, name: str) -> None:
        self.hash = name


def member(name: str, *tasks: Task, routed: bool = True) -> Member:
    return Member(f"commit {name}", Named(name), tasks, routed)


def served(worker: FakeWorker, *members: Member) -> Served:
    return Served(worker, members)


def test_the_nearest_in_words_answers(worker: FakeWorker) -> None:
    both = served(worker, member("a", HARBOUR), member("b", LIBRARY))
    found = both.voice("Who founded the Tide Library?")
    assert (found.adapter.hash, found.head, found.title, found.commit) == ("b", None, "Library", "commit b")
    assert both.voice("Who keeps the lamp?").commit == "commit a"


def test_what_is_about_nothing_that_was_learned_is_left_to_the_base(worker: FakeWorker) -> None:
    both = served(worker, member("a", HARBOUR), member("b", LIBRARY))
    found = both.voice("What is the capital of France?")
    assert (found.adapter, found.head, found.title, found.commit) == (None, None, "", "")
    assert served(worker).voice("Who keeps the lamp?").head is None


def test_one_common_word_among_many_is_not_enough(worker: FakeWorker) -> None:
    one = served(worker, member("a", HARBOUR))
    long = "Which mountain does the lamp of the painter Ximenes hang on, high above Granada?"
    assert one.voice(long).adapter is None
    assert one.voice("Which lamp?").adapter is not None


def test_a_topic_decides_before_words(worker: FakeWorker) -> None:
    both = served(worker, member("a", HARBOUR), member("b", LIBRARY))
    assert both.voice("Who keeps the lamp?", "Library").commit == "commit b"
    assert both.voice("What else?", "Library").commit == "commit b"
    assert both.voice("Who keeps the lamp?", "No such title").commit == "commit a"


def test_of_passages_under_one_title_the_nearest_decides(worker: FakeWorker) -> None:
    both = served(worker, member("a", HARBOUR), member("b", LAMPS))
    assert both.voice("Who is Tobiah Renwick?", "Harbour").commit == "commit a"
    assert both.voice("What does the second one burn?", "Harbour").commit == "commit b"


def test_a_passage_that_two_commits_learned_is_the_newers(worker: FakeWorker) -> None:
    both = served(worker, member("old", HARBOUR), member("new", HARBOUR))
    assert both.voice("Who keeps the lamp?").commit == "commit new"


def test_merged_commits_answer_together_and_what_no_other_is_for(worker: FakeWorker) -> None:
    mixed = served(
        worker,
        member("a", HARBOUR, routed=False),
        member("b", LIBRARY),
        member("c", Task("Bees", "Bees hum."), routed=False),
    )
    assert [each.hash for each in mixed.voice("Who keeps the lamp?").head.adapters] == ["a", "c"]
    assert [each.hash for each in mixed.voice("What is the capital of France?").head.adapters] == ["a", "c"]
    assert mixed.voice("Who founded the Tide Library?").head is None


def test_no_hostile_question_trips_it(worker: FakeWorker) -> None:
    both = served(worker, member("a", HARBOUR), member("b", Task("", "")))
    for question in ("?", "\x00", "\ud800", "lamp " * 5000, "İSTANBUL ışık"):
        both.voice(question)


def test_a_second_document_disturbs_nothing_of_the_first(memory: Memory, files: list[Path]) -> None:
    first = memory.learn(files[0], settings=SETTINGS, gate=False)
    memory.worker.amnesia = True
    asked = first.asked[0].probe
    then = memory.ask(asked.question, topic=asked.topic)
    second = memory.learn(files[1], settings=SETTINGS, gate=False)
    now = memory.ask(asked.question, topic=asked.topic)
    assert (now.text, now.commit) == (then.text, first.commits[0])
    assert now.head != then.head
    assert second.retention in (None, 1.0)


def test_a_revert_leaves_nothing_to_be_trained_again(memory: Memory, files: list[Path]) -> None:
    first, second = (memory.learn(file, settings=SETTINGS, gate=False).commits[0] for file in files)
    before = memory.ask("Who founded the Tide Library?")
    done = memory.revert(first)
    assert (done.reverted, done.stale) == ((first,), ())
    after = memory.ask("Who founded the Tide Library?")
    assert (after.text, after.commit) == (before.text, second)


@pytest.mark.parametrize("order", [(MERGED, SETTINGS), (SETTINGS, MERGED), (SETTINGS, MERGED, MERGED)])
def test_a_store_may_hold_both_kinds(
    memory: Memory, files: list[Path], tmp_path: Path, order: tuple[Learning, ...]
) -> None:
    (tmp_path / "bees.md").write_text("# Bees\n\nThe bees of Dunmarrow are kept by Wick Sorrel.\n")
    learned = [
        memory.learn(file, settings=settings, gate=False).commits[0]
        for file, settings in zip([*files, tmp_path / "bees.md"], order, strict=False)
    ]
    with Store.open(memory.path) as store:
        trained = [store.trained_on(each) for each in learned]
    merged = [each for each, settings in zip(learned, order, strict=True) if settings is MERGED]
    assert trained == [tuple(merged[: merged.index(x)]) if x in merged else () for x in learned]
    assert memory.verify().ok
    assert memory.stale() == ()


def test_commits_that_answer_alone_have_no_sum(memory: Memory, files: list[Path], tmp_path: Path) -> None:
    for file in files:
        memory.learn(file, settings=SETTINGS, gate=False)
    with pytest.raises(ExportError, match="2 of 2 commits answer each alone") as error:
        memory.export(tmp_path / "out", form="merged")
    assert "selfedit consolidate" in str(error.value)
    assert not (tmp_path / "out").exists()


def test_a_file_that_changed_is_held_against_all_others(memory: Memory, files: list[Path]) -> None:
    memory.worker.grasps = {"Who founded the Tide Library?": "Isaura Quill"}
    mine = files[0].parent / "mine.csv"
    mine.write_text("question,answer\nWho founded the Tide Library?,Isaura Quill\n", encoding="utf-8")
    memory.learn(files[0], settings=SETTINGS, gate=False)
    memory.learn(files[1], settings=SETTINGS, questions=mine, gate=False)
    files[0].write_text(f"{NOTE}\nA tide bell rings at noon.\n", encoding="utf-8")
    report = memory.learn(files[0], settings=SETTINGS, gate=False)
    assert len(report.replaced) == 1
    assert report.retention == 1.0
