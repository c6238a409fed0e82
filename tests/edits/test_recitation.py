"""The cue under which sentences are learned by heart."""

from __future__ import annotations

from selfedit.edits.questions import ask_prompt, qa_row
from selfedit.edits.recitation import is_recited, recite_prompt, recited_row

SENTENCE = "The lamp of Orrskerry is kept\nby Tobiah Renwick."


def test_a_row_ends_in_the_sentence_on_one_line() -> None:
    row = recited_row("Who keeps the lamp?", SENTENCE, "Harbour")
    assert row.prompt == "Topic: Harbour. Who keeps the lamp?\nText:"
    assert row.completion == " The lamp of Orrskerry is kept by Tobiah Renwick."


def test_the_cue_is_no_other_prompt() -> None:
    assert recite_prompt("Who keeps the lamp?", "Harbour") != ask_prompt("Who keeps the lamp?", "Harbour")
    assert recite_prompt("Who?", "") == "Who?\nText:"


def test_rows_are_told_apart() -> None:
    assert is_recited(recited_row("Who keeps the lamp?", SENTENCE))
    assert not is_recited(qa_row("Who keeps the lamp?", "Tobiah Renwick"))
    assert not is_recited(SENTENCE)
