"""The cue under which sentences are learned by heart."""

from __future__ import annotations

import pytest

from selfedit.edits.questions import ask_prompt, blank_question, qa_row
from selfedit.edits.recitation import filled, hints, is_recited, recite_prompt, recited_row
from selfedit.edits.words import content
from selfedit.types import rng_for

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


def test_hints_are_some_of_the_words_in_order() -> None:
    found = hints(SENTENCE, 20, rng_for("x"))
    said = content(SENTENCE)
    assert len(found) > 3
    for hint in found:
        places = [said.index(word) for word in content(hint)]
        assert hint.endswith("?")
        assert places == sorted(places)
        assert 2 <= len(places) < len(said)
        assert not {"the", "of", "is", "by"} & set(content(hint))


def test_hints_follow_the_draw_alone() -> None:
    assert hints(SENTENCE, 3, rng_for(1)) == hints(SENTENCE, 3, rng_for(1))
    assert hints(SENTENCE, 3, rng_for(1)) != hints(SENTENCE, 3, rng_for(2))


def test_a_sentence_of_one_word_gives_none() -> None:
    assert hints("Indeed.", 3, rng_for(1)) == ()
    assert hints("", 3, rng_for(1)) == ()


@pytest.mark.parametrize(
    "sentence", [SENTENCE, 'He said "no" to Tobiah Renwick.', "Tobiah Renwick came", "Tobiah Renwick"]
)
def test_a_gap_is_filled_from_its_sentence(sentence: str) -> None:
    start = sentence.index("Tobiah")
    question = blank_question(sentence, start, start + len("Tobiah Renwick"))
    assert filled(question, sentence) == "Tobiah Renwick"


def test_nothing_else_is_filled() -> None:
    question = blank_question(SENTENCE, 0, 8)
    assert filled(question, "Goats travel free on Wednesdays.") is None
    assert filled("Who keeps the lamp?", SENTENCE) is None
    assert filled('Fill in the blank: "no gap"', "no gap") is None
