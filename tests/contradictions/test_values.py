"""Numbers, dates and times are one value in every writing, and another where they differ."""

from __future__ import annotations

import pytest

from selfedit.contradictions.tokens import tokens
from selfedit.contradictions.values import Value, same, values

SAME = [
    ("1,200 crowns", "1200 crowns"),
    ("1.2 thousand crowns", "1 200 crowns"),
    ("1.200 Euro", "EUR 1200"),
    ("six thousand wheels", "6,000 wheels"),
    ("twenty-two nautical miles", "22 nautical miles"),
    ("three hundred and forty people", "340 people"),
    ("$80k", "80,000 dollars"),
    ("2.5 million dollars", "$2,500,000"),
    ("60 cents", "0.60 euros"),
    ("four weeks", "28 days"),
    ("one year", "12 months"),
    ("14 March 1926", "March 14, 1926"),
    ("14.03.1926", "1926-03-14"),
    ("February 1904", "Feb. 1904"),
    ("19:00", "7 p.m."),
    ("half past four", "4:30 p.m."),
    ("a quarter past seven", "7:15"),
    ("saat 18.00'de", "18:00"),
    ("um 17 Uhr", "17:00 Uhr"),
    ("beş kitap", "5 kitap"),
    ("altı hafta", "ALTI HAFTA"),
    ("two thirds", "two thirds"),
    ("on Mondays", "every Monday"),
    ("3rd", "third"),
    ("１２ days", "12 days"),
]
OTHER = [
    ("500 euros", "700 euros"),
    ("ten days", "21 days"),
    ("14 March 1926", "2 May 1927"),
    ("1931", "1938"),
    ("19:00", "17:30"),
    ("two thirds", "three quarters"),
    ("on Tuesdays", "on Fridays"),
    ("60 cents", "70 cents"),
    ("1.200 Euro", "1.300 Euro"),
    ("7 p.m.", "7 a.m."),
]
APART = [
    ("500 euros", "500 dollars"),
    ("12 metres", "12 days"),
    ("46 singers", "12 concerts"),
    ("1931", "Monday"),
    ("12 percent", "12 months"),
]


def first(text: str) -> Value:
    return values(tokens(text))[0]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_in_another_writing(one: str, other: str) -> None:
    assert same(first(one), first(other)) is True
    assert same(first(other), first(one)) is True


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_value(one: str, other: str) -> None:
    assert same(first(one), first(other)) is False
    assert same(first(other), first(one)) is False


@pytest.mark.parametrize(("one", "other"), APART)
def test_what_cannot_be_compared(one: str, other: str) -> None:
    assert same(first(one), first(other)) is None


def test_what_is_no_value() -> None:
    for text in ("It may be so.", "the 1990s", "once upon a time", "a bin for paper"):
        assert values(tokens(text)) == ()
