"""What a commit taught, in words; and two heads beside each other. With a worker that learns by heart."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.edits.questions import qa_row
from selfedit.edits.tools import headed
from selfedit.errors import StoreError
from selfedit.memory import Memory
from selfedit.store import Store
from selfedit.telling import in_words
from selfedit.types import Sequence

from .fakes import FakeWorker
from .test_lifelong import NOTE
from .test_undoing import QUESTIONS, files, head, memory, three, untouched, worker

__all__ = ["files", "memory", "three", "worker"]


def test_a_commit_is_shown_in_words(memory: Memory, files: list[Path], three: list[str]) -> None:
    shown = untouched(memory).show(three[0][:8])
    assert shown.commit.id == three[0]
    assert [task.title for task in shown.passages] == ["Harbour"]
    assert shown.passages[0].passage.split() == NOTE.removeprefix("# Harbour").split()
    assert "The lamp of Orrskerry is kept by Tobiah Renwick." in shown.facts
    assert any(fact.startswith("Q: ") and fact.endswith("? A: Tobiah Renwick") for fact in shown.facts)
    assert not any("Topic" in fact or "\n" in fact for fact in shown.facts)
    assert len(set(shown.facts)) == len(shown.facts)
    reporting = [r for r in shown.probes if r.role == "report"]
    assert [(r.probe.question, r.after.correct) for r in reporting] == [(QUESTIONS["a.md"][0], True)]
    assert shown.gate["accepted"]
    assert shown.gate["checks"][0]["name"] == "own"
    assert (shown.stale, shown.replaced_by, shown.proof) == (False, None, None)
    assert shown.undo == f"selfedit revert {three[0][:12]} --store {memory.path}"


def test_show_follows_what_became_of_a_commit(memory: Memory, three: list[str]) -> None:
    memory.revert(three[0])
    assert memory.show(three[0]).undo == ""
    assert (memory.show(three[1]).stale, memory.show(three[1]).replaced_by) == (True, None)
    done = memory.retrain()
    new = dict(done.retrained)[three[1]]
    old = memory.show(three[1])
    assert (old.stale, old.replaced_by, old.undo) == (False, new, "")
    assert memory.show(new).stale is False
    proof = memory.show(three[0]).proof
    assert proof is not None
    assert (proof["back"], proof["asked"], proof["others_asked"]) == (True, 1, 2)


def test_the_last_of_several_replacements_is_named(memory: Memory, three: list[str]) -> None:
    first = dict(memory.revert(three[0], now=True).retrained)[three[2]]
    last = dict(memory.revert(head(memory)[0], now=True).retrained)[first]
    assert memory.show(three[2]).replaced_by == last == head(memory)[0]


@pytest.mark.parametrize(
    ("sequence", "title", "words"),
    [
        (qa_row("Who keeps it?", "Ada", "St. Mary. Dock"), "St. Mary. Dock", "Q: Who keeps it? A: Ada"),
        (qa_row("Who keeps it?", "Ada"), "Dock", "Q: Who keeps it? A: Ada"),
        (headed("Dock", "Ada keeps\nit."), "Dock", "Ada keeps it."),
        ("Ada keeps it.", "", "Ada keeps it."),
    ],
)
def test_rows_become_words(sequence: str | Sequence, title: str, words: str) -> None:
    assert in_words(sequence, title) == words


def test_two_heads_are_asked_every_question_once(
    memory: Memory, worker: FakeWorker, three: list[str]
) -> None:
    memory.revert(three[1], now=True)  # its questions, and those of retrained commits, are stored still
    worker.asked.clear()
    found = memory.diff(three[1], "head")
    assert sorted(row.probe.question for row in found.rows) == sorted(q for q, _ in QUESTIONS.values())
    assert len(worker.asked) == 2 * len(found.rows)
    right = {row.probe.question: (row.a.correct, row.b.correct) for row in found.rows}
    assert [right[q] for q, _ in QUESTIONS.values()] == [(True, True), (True, False), (False, True)]
    assert (found.right_a, found.right_b) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert found.ci95 is not None
    assert found.ci95[0] < 0 < found.ci95[1]
    assert (found.a, found.b) == (three[1], "head")
    new = head(memory)[-1]
    assert {row.commit for row in found.rows} == {three[0], three[1], new}


def test_the_base_is_a_head_too(memory: Memory, three: list[str]) -> None:
    found = memory.diff("base", three[2])
    assert (found.right_a, found.right_b, found.ci95) == (0.0, 1.0, (1.0, 1.0))


def test_an_empty_store_differs_in_nothing(memory: Memory) -> None:
    found = untouched(memory).diff("base", "head")
    assert (found.rows, found.right_a, found.right_b, found.ci95) == ((), None, None, None)


def test_an_unknown_head_is_refused(memory: Memory, three: list[str]) -> None:
    with pytest.raises(StoreError, match="none has an id that begins so"):
        untouched(memory).diff("base", "f00f00")


def test_other_files_are_not_read(memory: Memory, files: list[Path], three: list[str]) -> None:
    for path in files:
        path.unlink()
    assert memory.show(three[0]).facts
    assert memory.revert(three[0], now=True).failures == ()
    with Store.open(memory.path) as store:
        assert store.verify().ok
