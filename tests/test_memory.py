"""What a person does with a model that keeps learning, with a worker that learns by heart."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

import selfedit
from selfedit.arrivals import lessons
from selfedit.config import learning
from selfedit.errors import DocumentError, EditError, StoreBusyError, StoreError, UsageError
from selfedit.lessons import Lesson
from selfedit.memory import Access, Memory, check
from selfedit.store import Store
from selfedit.tasks import read
from selfedit.types import Probe

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER, SETTINGS


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "harbour.md").write_text(NOTE, encoding="utf-8")
    (folder / "library.md").write_text(OTHER, encoding="utf-8")
    return sorted(folder.iterdir())


def test_learn_then_ask(memory: Memory, files: list[Path]) -> None:
    report = memory.learn(files, settings=SETTINGS)
    assert (len(report.commits), report.tasks, report.accepted) == (1, 2, True)
    with Store.open(memory.path) as store:
        plan = store.plan(report.commits[0])
    row = next(s for s in plan.sequences if not isinstance(s, str))
    topic, question = row.prompt.removesuffix("\nAnswer:").removeprefix("Topic: ").split(". ", 1)
    answer = memory.ask(question, topic=topic)
    assert str(answer) == answer.text == row.completion.strip()
    assert len(answer.head) == 64


def test_ask_stands_on_the_head_and_at_on_an_earlier_one(memory: Memory, files: list[Path]) -> None:
    report = memory.learn(files, settings=SETTINGS, each=True)
    heads = [memory.ask("Who?", at=at).head for at in (*report.commits, None)]
    assert heads[1] == heads[2] != heads[0]
    assert memory.ask("Who?", at=report.commits[0][:10]).head == heads[0]


def test_ask_at_the_base_and_while_another_writes(memory: Memory, files: list[Path]) -> None:
    bare = memory.ask("Who?").head
    memory.learn(files, settings=SETTINGS)
    with Store.open(memory.path, write=True, verb="learn"):
        heads = {at: memory.ask("Who?", at=at).head for at in (None, "head", "base")}
    assert (heads["base"], heads[None]) == (bare, heads["head"])
    assert heads["base"] != heads["head"]


def test_a_second_writer_is_refused_or_waits(memory: Memory, worker: FakeWorker, files: list[Path]) -> None:
    told: list[str] = []
    patient = Memory(memory.path, lambda: worker, Access(30.0, told.append))
    first = Store.open(memory.path, write=True, verb="learn")
    for write in (lambda: memory.learn(files), lambda: memory.rollback("base"), memory.retrain, memory.gc):
        with pytest.raises(StoreBusyError, match="in use by `selfedit learn`"):
            write()
    closing = threading.Timer(0.3, first.close)
    closing.start()
    assert patient.learn(files, settings=SETTINGS).commits
    closing.join()
    (line,) = told
    assert "selfedit learn" in line


def test_erased_is_gone_from_what_is_held_too(memory: Memory, files: list[Path]) -> None:
    first, second = memory.learn(files, settings=SETTINGS, each=True).commits
    memory.ask("Who?", at=second)
    with pytest.raises(StoreError):
        memory.gc(erase=second)
    memory.revert(second)
    found = memory.gc(erase=second[:12])
    assert (found.weights, found.texts > 0) == (1, True)
    assert memory.verify().ok
    for gone in (lambda: memory.ask("Who?", at=second), lambda: memory.rollback(second)):
        with pytest.raises(StoreError, match="weights were erased"):
            gone()
    shown = memory.show(second)
    assert (shown.facts, shown.passages, shown.probes, shown.commit.live) == ((), (), (), False)
    assert memory.ask("Who?", at=first).head == memory.ask("Who?").head
    assert memory.retrain().proofs == ()
    again = memory.learn(files, settings=SETTINGS)
    assert len(again.commits) == 1


def test_another_process_erases_what_is_held_here(memory: Memory, files: list[Path]) -> None:
    commit = memory.learn(files, settings=SETTINGS).commits[0]
    memory.ask("Who?")
    memory.revert(commit)
    with Store.open(memory.path, write=True) as store:
        store.gc(erase=[commit])
    with pytest.raises(StoreError, match="weights were erased"):
        memory.diff(commit, "base")


def test_a_backup_is_a_store(memory: Memory, worker: FakeWorker, files: list[Path], tmp_path: Path) -> None:
    memory.learn(files, settings=SETTINGS)
    memory.backup(tmp_path / "copy")
    copy = Memory(tmp_path / "copy", lambda: worker)
    assert (copy.log(), copy.verify().ok) == (memory.log(), True)
    assert copy.ask("Who?") == memory.ask("Who?")


def test_each_makes_one_commit_a_file(memory: Memory, files: list[Path]) -> None:
    report = memory.learn(files, settings=SETTINGS, each=True)
    assert (len(report.commits), report.tasks, report.probes) == (2, 2, len(report.asked))
    newest, oldest = memory.log()
    assert [row.id for row in (oldest, newest)] == list(report.commits)
    assert newest.parent == oldest.id
    assert [len(row.sources) for row in (oldest, newest)] == [1, 1]
    with Store.open(memory.path) as store:
        assert (store.trained_on(oldest.id), store.trained_on(newest.id)) == ((), ())


def test_each_asks_a_users_question_once_about_its_own_file(files: list[Path]) -> None:
    documents = read(files, count=lambda t: len(t.split()), budget=200).documents
    mine = (Probe("Who founded the Tide Library?", "Isaura Quill"), Probe("Who keeps the lamp?", "Tobiah"))
    found = lessons(documents, Lesson((), SETTINGS, mine), each=True)
    assert [each.questions for each in found] == [(mine[1],), (mine[0],)]
    (together,) = lessons(documents, Lesson((), SETTINGS, mine), each=False)
    assert (together.documents, together.questions) == (documents, mine)


def test_unchanged_files_are_skipped(memory: Memory, worker: FakeWorker, files: list[Path]) -> None:
    memory.learn(files[0], settings=SETTINGS)
    before, trained = memory.log(), len(worker.plans)
    again = memory.learn(files[0], settings=SETTINGS)
    assert (again.commits, again.accepted, again.reason) == ((), True, "nothing new to learn")
    assert again.skipped == (f"{files[0]}: unchanged since it was learned; skipped",)
    assert (memory.log(), len(worker.plans)) == (before, trained)
    both = memory.learn(files, settings=SETTINGS)
    assert (both.tasks, len(both.commits), len(both.skipped)) == (1, 1, 1)
    files[0].write_text(NOTE + "\nA tide bell rings at noon.\n", encoding="utf-8")
    assert memory.learn(files[0], settings=SETTINGS).commits


def test_users_questions_come_from_a_file(memory: Memory, files: list[Path], tmp_path: Path) -> None:
    rows = tmp_path / "mine.csv"
    rows.write_text("question,answer\nWho keeps the lamp?,Tobiah Renwick\n", encoding="utf-8")
    report = memory.learn(files[0], settings=SETTINGS, questions=rows)
    assert [row.probe.question for row in report.asked] == ["Who keeps the lamp?"]


@pytest.mark.parametrize(
    ("paths", "settings", "questions", "error"),
    [
        ("missing.md", {}, None, DocumentError),
        ("harbour.md", {}, "missing.csv", DocumentError),
        ("harbour.md", {"format": "nonsense"}, None, EditError),
    ],
)
def test_what_cannot_be_learned_is_found_before_the_model_is_loaded(
    files: list[Path], paths: str, settings: dict[str, str], questions: str | None, error: type[Exception]
) -> None:
    folder = files[0].parent

    def load() -> FakeWorker:
        raise AssertionError("the model was loaded")

    memory = Memory(folder / "nowhere", load)
    asked = folder / questions if questions else None
    with pytest.raises(error):
        memory.learn(folder / paths, settings=learning(SETTINGS, **settings), questions=asked)


def test_a_busy_store_is_found_before_the_model_is_loaded(tmp_path: Path, files: list[Path]) -> None:
    place = tmp_path / "busy"

    def load() -> FakeWorker:
        raise AssertionError("the model was loaded")

    with (
        Store.create(place, base="fake", weights=FakeWorker().base, dtype="float32", verb="learn"),
        pytest.raises(StoreBusyError, match="in use by"),
    ):
        Memory(place, load).learn(files)


def test_other_weights_are_refused(memory: Memory, worker: FakeWorker, files: list[Path]) -> None:
    worker.base = "0" * 64
    with pytest.raises(StoreError, match="made on fake"):
        memory.learn(files)
    with pytest.raises(StoreError, match="made on fake"):
        memory.ask("Who?")


def test_an_empty_question_is_refused(memory: Memory) -> None:
    with pytest.raises(UsageError, match="empty"):
        memory.ask("  ")


def test_an_unknown_commit_is_refused(memory: Memory) -> None:
    with pytest.raises(StoreError):
        memory.ask("Who?", at="abcdef")


def test_open_says_what_stands_where_no_store_can_be(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no store there"):
        selfedit.open(tmp_path / "memory")
    (tmp_path / "file").write_text("x")
    for place in (tmp_path, tmp_path / "file"):
        with pytest.raises(StoreError, match="something else is there"):
            selfedit.open(place, base="no-such-model-at-all")


@pytest.mark.parametrize("opened", [Memory.open, Memory.imagined])
def test_a_journal_that_cannot_be_is_found_before_the_model_is_loaded(
    opened: Callable[..., Memory], tmp_path: Path
) -> None:
    for url, line in (("mysql://x/y", "can be a file or on Post"), ("postgresql://localhost:1/x", "refused")):
        with pytest.raises(StoreError, match=line):
            opened(tmp_path / "memory", base="no-such-model-at-all", access=Access(journal=url))
    assert not (tmp_path / "memory").exists()


def test_open_refuses_another_base(memory: Memory) -> None:
    with pytest.raises(UsageError, match="made on fake, not other"):
        selfedit.open(memory.path, base="other")


def test_forecast_writes_nothing(
    memory: Memory, worker: FakeWorker, files: list[Path], tmp_path: Path
) -> None:
    memory.learn(files[0], settings=SETTINGS)
    before = memory.log()
    found = memory.forecast(files, settings=SETTINGS)
    assert [each.title for each in found.passages] == ["Library"]
    assert len(found.skipped) == 1
    assert (found.samples, found.plans) == (2, 3)
    assert found.seconds > 0
    assert found.trained_tokens > 0
    assert found.memory_free is None
    assert memory.log() == before
    nowhere = Memory(tmp_path / "nowhere", lambda: worker)
    assert len(nowhere.forecast(files, settings=SETTINGS).passages) == 2
    assert not (tmp_path / "nowhere").exists()
    assert memory.forecast(files[:1], settings=SETTINGS).passages == ()


@pytest.mark.parametrize("recite", [False, True])
def test_forecast_comes_close_to_the_work(
    memory: Memory, worker: FakeWorker, files: list[Path], recite: bool
) -> None:
    settings = learning(SETTINGS, samples=3, recite=recite)
    found = memory.forecast(files, settings=settings)
    worker.plans.clear()
    report = memory.learn(files, settings=settings)
    assert found.plans == len(worker.plans)
    assert 0.5 <= report.tokens / found.trained_tokens <= 1.5


def test_check_reads_a_folder_and_returns_the_questions(files: list[Path], tmp_path: Path) -> None:
    rows = tmp_path / "mine.csv"
    rows.write_text("question,answer\nWho?,Tobiah\n", encoding="utf-8")
    assert check(files[0].parent, SETTINGS, rows) == (Probe("Who?", "Tobiah"),)
