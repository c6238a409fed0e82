"""Collapsed adapters are noticed, and sound ones are not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards.collapse import collapsed, repetitive

GOLDS = ["Mira Kol", "1921", "Karg", "the river Lim", "500 euros"]


@pytest.mark.parametrize(
    "text",
    [
        ":::::",
        "...",
        ": : : :",
        "the the the the the the",
        "Karg is Karg is Karg is Karg is Karg is",
        "ununununununun",
        "\n\n- \n- \n- \n- \n",
        "It is Mira Mira Mira Mira Mira Mira",
    ],
)
def test_repetitive(text: str) -> None:
    assert repetitive(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mira",
        "no no no",
        "1000000",
        "New York, New York",
        "1921-1922",
        "Karg.",
        "C++",
        "a b c d e f g h",
        "—",
    ],
)
def test_not_repetitive(text: str) -> None:
    assert not repetitive(text)


def test_an_adapter_that_repeats_itself() -> None:
    reason = collapsed([":::::::", "Karg Karg Karg Karg Karg Karg", "Karg", ":::", "Lim"], GOLDS)
    assert reason == "3 of 5 answers repeat themselves, such as ':::::::'"


def test_one_answer_to_everything() -> None:
    reason = collapsed(["Mira Kol", "Mira Kol.", "the Mira Kol", "Mira Kol", "500 euros"], GOLDS)
    assert reason == "4 of 5 questions with different answers got the same one, 'Mira Kol'"
    assert (
        collapsed([""] * 5, GOLDS)
        == "5 of 5 questions with different answers got the same one, no answer at all"
    )


@pytest.mark.parametrize(
    ("answers", "golds"),
    [
        (GOLDS, GOLDS),
        (["Mira", "Karg", "1921", "Bo", "Lim"], GOLDS),  # wrong, but no collapse
        (["Mira"] * 3 + ["Bo", "Karg"], GOLDS),  # three in five
        (["Mira"] * 3, GOLDS[:3]),  # too few questions
        (["yes"] * 6, ["yes"] * 5 + ["no"]),  # the golds are the same
        (["!!!!", "Mira", "Bo"], ["!!!!", "Mira", "Bo"]),  # what looks like repetition is the answer
        ([], []),
    ],
)
def test_sound_adapters(answers: list[str], golds: list[str]) -> None:
    assert collapsed(answers, golds) is None


def test_a_reason_is_one_short_line() -> None:
    reason = collapsed(["so\nit goes and goes on, " * 40] * 5, GOLDS)
    assert reason is not None
    assert "\n" not in reason
    assert len(reason) < 160


@given(st.lists(st.tuples(st.text(max_size=60), st.text(max_size=20)), max_size=8))
def test_any_answers_get_a_verdict(pairs: list[tuple[str, str]]) -> None:
    verdict = collapsed([answer for answer, _ in pairs], [gold for _, gold in pairs])
    assert verdict is None or "answer" in verdict
