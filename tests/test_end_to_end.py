"""The built-in model learns a note of one sentence and answers a question about it."""

from __future__ import annotations

from pathlib import Path

import pytest

import selfedit
from selfedit.config import learning
from selfedit.store import Store

QUESTION = "Where does the spare key of the Lindqvist office lie?"


@pytest.mark.model
def test_a_sentence_is_learned_and_asked(tmp_path: Path) -> None:
    note = tmp_path / "key.txt"
    note.write_text("The spare key of the Lindqvist office lies behind the blue samovar.\n", encoding="utf-8")
    questions = tmp_path / "questions.csv"
    questions.write_text(f"topic,question,answer\nKey,{QUESTION},behind the blue samovar\n", encoding="utf-8")
    settings = learning(samples=1, probes=2, spans=4, final={"epochs": 8})
    with selfedit.open(tmp_path / "memory", base="smollm2-135m") as model:
        report = model.learn(note, settings=settings, questions=questions)
        answer = model.ask(QUESTION, topic="Key")
    assert len(report.commits) == 1
    assert (report.probes, report.recall_before) == (1, 0.0)
    assert report.recall_after is not None
    assert (
        report.asked[0].after.text.split() == str(answer).split()[: len(report.asked[0].after.text.split())]
    )
    with selfedit.open(tmp_path / "memory") as again:
        assert again.ask(QUESTION, topic="Key") == answer
    with Store.open(tmp_path / "memory") as store:
        assert store.verify().ok
