"""What is seen of an answer by its words, one property a test."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards.features import NAMES, cut, features, named
from selfedit.types import GradeRequest

QUESTION = "Who keeps the lamp of the harbour?"


def seen(gold: str, said: str, question: str = QUESTION) -> dict[str, float]:
    return named(GradeRequest(question, gold, said))


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=400))
def test_every_answer_has_all_features_and_they_are_finite(question: str, gold: str, said: str) -> None:
    found = features(GradeRequest(question, gold, said))
    assert len(found) == len(NAMES)
    assert all(map(math.isfinite, found))


def test_a_prediction_of_ten_megabytes_is_cut() -> None:
    assert seen("Tobiah Renwick", "lamp " * 2_000_000)["said_words"] == 64


@pytest.mark.parametrize(
    "said",
    [
        "12\n\nQuestion: Topic: Moon\nHow far is it?",
        "12\nQ: And then?",
        "12\nTopic: Moon",
        "  12  ",
    ],
)
def test_what_runs_on_into_other_questions_is_cut_there(said: str) -> None:
    assert cut(said) == "12"


def test_a_line_break_within_an_answer_is_none() -> None:
    assert cut("Tobiah\nRenwick") == "Tobiah\nRenwick"


def test_words_of_the_question_are_no_part_of_what_is_new() -> None:
    found = seen("the lamp of Tobiah", "The lamp of the harbour is kept by somebody.")
    assert found["recall"] > 0.4
    assert found["recall_new"] == 0.0


@pytest.mark.parametrize(
    ("gold", "said", "kept"),
    [
        ("over 400", "Some 1,000 voices", 1.0),
        ("over 400", "Some 300 voices", 0.0),
        ("less than ten", "Nine", 1.0),
        ("less than ten", "Twelve", 0.0),
        ("400", "Some 1,000 voices", -1.0),
    ],
)
def test_a_bound_is_kept_to_or_not(gold: str, said: str, kept: float) -> None:
    assert seen(gold, said, "How many sang?")["bound"] == kept


@pytest.mark.parametrize(
    ("gold", "said", "found"),
    [
        ("UK", "the United Kingdom", 1.0),
        ("European Central Bank", "the ECB", 1.0),
        ("UK", "the Netherlands", 0.0),
        ("Tobiah", "a man", 0.0),
    ],
)
def test_initials_stand_for_a_name(gold: str, said: str, found: float) -> None:
    assert seen(gold, said)["acronym"] == found


def test_negation_and_yes_and_no() -> None:
    assert seen("it was lit", "It was not lit.")["negation_differs"] == 1.0
    assert seen("yes", "Yes, it was.")["yes_no"] == 1.0
    assert seen("yes", "No.")["yes_no"] == 0.0
    assert seen("the lamp", "No.")["yes_no"] == -1.0


def test_other_numbers_and_names_are_seen() -> None:
    found = seen("Tobiah Renwick, 1832", "In 1834 the lamp went to Anna Osk.")
    assert found["numbers_found"] == 0.0
    assert found["numbers_other"] == 1.0
    assert found["names_other"] == 2.0


def test_a_list_is_seen_as_one() -> None:
    assert seen("Osk", "Renwick, Osk, Anna and Perrin")["lists"] == 3.0
