"""Saying a sentence from memory and reading it: as functions, and through a store."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.config import learning, recorded
from selfedit.edits.questions import blank_question
from selfedit.edits.recitation import is_recited, recited_row
from selfedit.errors import StoreError
from selfedit.memory import Memory
from selfedit.reciting import SAMPLES, Query, Reader, recited
from selfedit.rounds import Ground, answered, logprobs
from selfedit.store import Store
from selfedit.types import Probe, TrainingPlan

from .fakes import FakeWorker
from .test_lifelong import NOTE, SETTINGS

QUESTION, ANSWER = "Who keeps the lamp?", "Tobiah Renwick"
SENTENCE = "The lamp of Orrskerry is kept by Tobiah Renwick."
RECITE = learning(SETTINGS, samples=1, recite=True)


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker(grasps={QUESTION: ANSWER})


def adapter(worker: FakeWorker, sentence: str = SENTENCE):
    (made,) = worker.train([TrainingPlan((recited_row(QUESTION, sentence, "Harbour"),), rank=2, alpha=4)])
    return made


def test_what_was_learned_is_said_and_read(worker: FakeWorker) -> None:
    query = Query(QUESTION, "Harbour", adapter(worker))
    said = recited(worker, [query])
    assert said == [(SENTENCE,)]
    (read,) = Reader(worker).answers([query], said, 24)
    assert read is not None
    assert read.text.strip() == ANSWER


def test_a_wrong_sentence_is_not_read_right(worker: FakeWorker) -> None:
    query = Query(QUESTION, "Harbour", adapter(worker, "Goats travel free on Wednesdays."))
    (read,) = Reader(worker).answers([query], recited(worker, [query]), 24)
    assert read is not None
    assert read.text.strip() != ANSWER


def test_a_gap_is_filled_without_a_reader(worker: FakeWorker) -> None:
    gapped = blank_question(SENTENCE, SENTENCE.index("Tobiah"), len(SENTENCE) - 1)
    worker.asked.clear()
    (read,) = Reader(worker).answers([Query(gapped)], [("Goats travel free.", SENTENCE)], 24)
    assert read is not None
    assert (read.text, worker.asked) == (ANSWER, [])


def test_no_more_is_read_than_the_base_can_hold(worker: FakeWorker) -> None:
    worker.context = 45
    texts = (SENTENCE, "Goats travel free on Wednesdays. " * 4, SENTENCE)
    Reader(worker).answers([Query(QUESTION)], [texts], 24)
    (asked,) = worker.asked
    assert SENTENCE in asked.prompt
    assert "Goats" not in asked.prompt
    worker.context = 5
    assert Reader(worker).answers([Query(QUESTION)], [texts], 24) == [None]


def test_what_was_not_learned_is_not_read_at_all(worker: FakeWorker) -> None:
    query = Query(QUESTION, "Harbour")
    said = recited(worker, [query])
    worker.asked.clear()
    assert (said, Reader(worker).answers([query], said, 24)) == ([()], [None])
    assert worker.asked == []


def test_the_same_question_is_sampled_alike_and_others_apart(worker: FakeWorker) -> None:
    first, again, other = Query(QUESTION), Query(QUESTION), Query("When was it lit?")
    recited(worker, [first, again, other])
    seeds = [(each.seed, each.temperature) for each in worker.asked]
    size = 1 + SAMPLES
    assert seeds[:size] == seeds[size : 2 * size]
    assert not {seed for seed, _ in seeds[:size]} & {seed for seed, _ in seeds[2 * size :]}
    assert [heat == 0 for _, heat in seeds[:size]] == [True, *[False] * SAMPLES]


def test_a_ground_asks_in_its_own_way(worker: FakeWorker) -> None:
    probe, made = Probe(QUESTION, ANSWER, "Harbour"), adapter(worker)
    ground = Ground(worker, None, SETTINGS.final, recite=True)
    assert answered([(made, probe)], ground) == [ANSWER]
    assert answered([(None, probe)], ground) == [""]
    worker.asked.clear()
    (value,) = logprobs([(made, probe)], ground)
    assert value < 0
    assert all(each.prompt.endswith("\nText:") for each in worker.asked)


@pytest.fixture
def memory(tmp_path: Path, worker: FakeWorker) -> Memory:
    place = tmp_path / "memory"
    Store.create(place, base="fake", weights=worker.base, dtype="float32").close()
    return Memory(place, lambda: worker)


def learned(memory: Memory, tmp_path: Path, settings=RECITE):
    (tmp_path / "note.md").write_text(NOTE, encoding="utf-8")
    (tmp_path / "asked.csv").write_text(f"question,answer\n{QUESTION},{ANSWER}\n", encoding="utf-8")
    return memory.learn([tmp_path / "note.md"], settings=settings, questions=tmp_path / "asked.csv")


def test_a_note_is_learned_by_heart_and_asked_so(memory: Memory, worker: FakeWorker, tmp_path: Path) -> None:
    report = learned(memory, tmp_path)
    assert report.accepted, report.reason
    assert (report.recall_before, report.recall_after, report.concise_after) == (0.0, 1.0, 1.0)
    assert all(is_recited(row) for row in worker.plans[-1].sequences)
    answer = memory.ask(QUESTION)
    assert (answer.text, answer.recited) == (ANSWER, (SENTENCE,))
    assert memory.ask(QUESTION, at="base").recited == ()


def test_a_commit_tells_its_sentences_without_the_cue(memory: Memory, tmp_path: Path) -> None:
    (commit,) = learned(memory, tmp_path).commits
    facts = memory.show(commit).facts
    assert any(fact.startswith("Q: ") and fact.endswith(f"A: {SENTENCE}") for fact in facts)
    assert not any("Text:" in fact or "Topic" in fact for fact in facts)


def test_commits_of_both_kinds_answer_side_by_side(
    memory: Memory, worker: FakeWorker, tmp_path: Path
) -> None:
    learned(memory, tmp_path)
    other = tmp_path / "mill.md"
    other.write_text("# Mill\n\nThe mill of Aldersund grinds for Petra Vance.\n", encoding="utf-8")
    worker.grasps["For whom does the mill grind?"] = "Petra Vance"
    memory.learn([other], settings=learning(SETTINGS, samples=1))
    mill, lamp = memory.ask("For whom does the mill grind?", topic=""), memory.ask(QUESTION)
    assert (mill.text, mill.recited) == ("Petra Vance", ())
    assert (lamp.text, lamp.recited) == (ANSWER, (SENTENCE,))


def test_a_correction_says_the_new_sentence(memory: Memory, tmp_path: Path) -> None:
    learned(memory, tmp_path)
    new = tmp_path / "new.md"
    new.write_text("# Harbour\n\nThe lamp of Orrskerry is kept by Odalys Brandt.\n", encoding="utf-8")
    report = memory.learn([new], settings=RECITE, correction=True)
    with Store.open(memory.path) as store:
        rows = [row for each in store.head() for row in store.plan(each.id).sequences if is_recited(row)]
    assert report.replaced, report.reason
    assert not any(ANSWER in row.completion for row in rows)
    assert any("Odalys Brandt" in row.completion for row in rows)


def test_no_row_asks_what_a_probe_asks(memory: Memory, worker: FakeWorker, tmp_path: Path) -> None:
    (commit,) = learned(memory, tmp_path).commits
    with Store.open(memory.path) as store:
        probed = {each.probe.question for each in store.probes(commit)}
    asked = {
        row.prompt.removesuffix("\nText:").removeprefix("Topic: Harbour. ")
        for row in worker.plans[-1].sequences
    }
    assert probed
    assert not probed & asked


@pytest.mark.parametrize("given", [{"format": "implications"}, {"abstention": 0.5}, {"recite": False}])
def test_what_cannot_be_recited_answers_at_once(given: dict[str, object]) -> None:
    settings = learning(**given)
    assert (learning().recites, settings.recites) == (True, False)
    assert settings.asked_as(learning()).recites
    assert not learning().asked_as(settings).recites


def test_settings_of_before_there_was_reciting_answer_at_once() -> None:
    held = learning().model_dump()
    assert recorded(held).recites
    del held["recite"]
    assert not recorded(held).recites


def test_a_changed_file_is_asked_as_before(memory: Memory, tmp_path: Path) -> None:
    (old,) = learned(memory, tmp_path).commits
    (tmp_path / "note.md").write_text(NOTE.replace("eleven shells", "twelve shells"), encoding="utf-8")
    report = memory.learn([tmp_path / "note.md"], settings=learning(SETTINGS, samples=1))
    assert [gone for gone, _ in report.replaced] == [old]
    with Store.open(memory.path) as store:
        (row,) = store.head()
        rows = store.plan(row.id).sequences
    assert rows
    assert all(is_recited(each) for each in rows)
    assert memory.ask(QUESTION).recited == (SENTENCE,)


def test_what_recites_is_made_one_with_its_like_alone(
    memory: Memory, worker: FakeWorker, tmp_path: Path
) -> None:
    learned(memory, tmp_path)
    other = tmp_path / "mill.md"
    other.write_text("# Mill\n\nThe mill of Aldersund grinds for Petra Vance.\n", encoding="utf-8")
    (mill,) = memory.learn([other], settings=learning(SETTINGS, samples=1)).commits
    with pytest.raises(StoreError, match=r"recites and .* does not"):
        memory.consolidate()
    memory.revert(mill)
    memory.learn([other], settings=learning(RECITE))
    report = memory.consolidate(settings=learning(SETTINGS, gate={"canaries": 0}))
    assert len(report.commits) == 1, report.reason
    assert memory.ask(QUESTION).recited == (SENTENCE,)
