"""Words as a grader compares them."""

from __future__ import annotations

import pytest

from selfedit.rewards.lexicon import alike, numbers, stems, value


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("twenty-one ships", "21 ships"),
        ("two million", "2000000"),
        ("2 million people", "2,000,000 people"),
        ("the third floor", "3rd floor"),
        ("7 percent", "seven percentage"),
        ("governments", "government"),
        ("İstanbul", "İSTANBUL"),
    ],
)
def test_what_means_the_same_has_the_same_words(one: str, other: str) -> None:
    assert stems(one) == stems(other)


@pytest.mark.parametrize(("one", "other"), [("1832", "1823"), ("nine", "nineteen"), ("king", "kingdom")])
def test_what_does_not_has_not(one: str, other: str) -> None:
    assert stems(one) != stems(other)


def test_numbers_are_never_only_alike() -> None:
    assert alike("1832", "1833") == 0.0
    assert alike("1832", "1832") == 1.0


def test_words_are_alike_by_their_letters() -> None:
    assert alike("democrat", "democracy") > 0.7
    assert alike("harbour", "lantern") < 0.2
    assert 0 < alike("h", "holly") < 1
    assert alike("h", "arthur") == 0.0


def test_numbers_and_their_values() -> None:
    assert numbers(stems("In 1832 some 40 of the boats")) == {"1832", "40"}
    assert value("1832") == 1832.0
    assert value("19th") == 19.0
    assert value("none") is None
    assert value("9" * 400) is not None
