"""Grading by words, held against hand-made cases and the published verdicts."""

from __future__ import annotations

import gzip
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards import concise, correct, first_line, grade, mismatch, normalise, recall
from selfedit.types import Probe


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The Denver Broncos!", ["denver", "broncos"]),
        ("1,200 euros, or 1,200,000.", ["1200", "euros", "or", "1200000"]),
        ("3.5 % and $1.50.", ["3.5", "and", "1.50"]),
        ("7,5 and 1,23", ["7", "5", "and", "1", "23"]),
        ("24–10", ["24", "10"]),
        ("the U.S. and D.C", ["us", "and", "d", "c"]),
        ("Levi's Stadium, don't", ["levi", "stadium", "dont"]),
        ("ﬁne ÉTÉ straße", ["fine", "été", "strasse"]),
        ("The, a; an ...", []),
    ],
)
def test_normalise(text: str, words: list[str]) -> None:
    assert normalise(text) == words


def test_first_line_is_the_first_with_anything_on_it() -> None:
    assert first_line("\n  \n Mira  signs.\nThen Bo.") == "Mira signs."
    assert first_line(" ".join("abcdefghijklmnopqrstuvwxyz")) == " ".join("abcdefghijklmnopqrstuvwx")
    assert first_line("one two three", 2) == "one two"
    assert first_line("") == ""


@pytest.mark.parametrize(
    ("answer", "gold", "share"),
    [
        ("It was Mira Kol.", "Mira Kol", 1.0),
        ("Mira", "Mira Kol", 0.5),
        ("1200 euros", "1,200 euros", 1.0),
        ("12 euros", "1,200 euros", 0.5),
        ("Bo Bo", "Bo Bo Bo Bo", 0.5),
        ("Paris\nMira Kol", "Mira Kol", 0.0),
        (" ".join(["word"] * 24) + " Mira", "Mira", 0.0),
        (" ".join(["word"] * 23) + " Mira", "Mira", 1.0),
        ("", "Mira", 0.0),
        ("...", "Mira", 0.0),
        ("The A, I think", "A", 1.0),
        ("the", "A", 0.0),
        ("it is !!", "!!", 1.0),
        ("it is so", "!!", 0.0),
        ("anything", "", 0.0),
        ("", "", 0.0),
    ],
)
def test_recall(answer: str, gold: str, share: float) -> None:
    assert recall(answer, gold) == pytest.approx(share)


@given(st.text(max_size=80), st.text(max_size=80))
def test_measures_agree_with_each_other(answer: str, gold: str) -> None:
    assert 0 <= recall(answer, gold) <= 1
    assert correct(answer, gold) == (recall(answer, gold) >= 0.6)
    assert correct(answer, gold) or not concise(answer, gold)


@given(st.lists(st.sampled_from(["Mira", "the", "1,200", "U.S.", "!", "euros"]), min_size=1, max_size=24))
def test_the_gold_answer_itself_is_right_and_concise(parts: list[str]) -> None:
    gold = " ".join(parts)
    assert recall(gold, gold) == 1
    assert concise(gold, gold)


def test_correct_from_three_words_in_five() -> None:
    assert correct("one two three", "one two three four five")
    assert not correct("one two three", "one two three four five six")


def test_concise_bounds_the_words_of_the_whole_first_line() -> None:
    assert concise("it was by the way Mira, they say", "Mira") is False  # 7 words without the article
    assert concise("it was, by the way, Mira indeed", "Mira") is True  # 6
    gold = "one two three four five"
    assert concise(f"{gold} b c d", gold)  # 5 + 3
    assert not concise(f"{gold} b c d e", gold)
    long = " ".join(f"w{i}" for i in range(22))
    assert not concise(long + " and" * 4, long)  # cut at 24 words it would pass


def test_mismatch_is_what_the_other_answers_earn() -> None:
    answers, golds = ["Karg on the Lim", "in Karg", "1921"], ["Karg", "Lim", "1921"]
    # Karg: "in Karg" yes, "1921" no.  Lim: "Karg on the Lim" yes, "1921" no.  1921: neither.
    assert mismatch(answers, golds) == (0.5, 0.5, 0.0)


def test_mismatch_leaves_out_questions_of_the_same_gold() -> None:
    assert mismatch(["Karg", "Karg", "Lim"], ["Karg", "the Karg!", "Lim"]) == (0.0, 0.0, 0.0)
    assert mismatch(["x", "x"], ["Karg", "karg"]) == (None, None)
    assert mismatch(["Karg"], ["Karg"]) == (None,)
    assert mismatch([], []) == ()


def test_mismatch_of_reciting_is_high_where_correct_is() -> None:
    recited = ["Karg was founded in 1921 by Mira"] * 3
    assert mismatch(recited, ["Karg", "1921", "Mira"]) == (1.0, 1.0, 1.0)


def test_mismatch_needs_an_answer_for_each_gold() -> None:
    with pytest.raises(ValueError, match="1 answers to 2 gold answers"):
        mismatch(["a"], ["a", "b"])


def test_grade_names_its_parts() -> None:
    reward = grade("Mira, who lives in Karg near the river Lim", Probe("Who?", "Mira"))
    assert reward.value == reward.parts["concise"] == 0.0
    assert (reward.parts["correct"], reward.parts["recall"]) == (1.0, 1.0)
    assert grade("Mira", Probe("Who?", "Mira")).value == 1.0


@pytest.mark.skipif("SELFEDIT_DATA" not in os.environ, reason="SELFEDIT_DATA names no folder")
def test_agreement_with_the_published_verdicts() -> None:
    path = Path(os.environ["SELFEDIT_DATA"]) / "grading_verdicts.jsonl.gz"
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    agreed = sum(correct(row["prediction"], row["answer"]) == row["correct"] for row in rows)
    assert agreed / len(rows) > 0.85
