"""Folding: one form for all disguises, and every letter leads back to where it stood."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfedit.screening.folding import Page


def test_case_accents_and_dots_are_dropped() -> None:
    assert Page("İSTANBUL'da ığdır, Straße, Crème").plain.text == "istanbul'da igdir, strasse, creme"


def test_unseen_characters_and_styles_are_dropped() -> None:
    assert Page("a\u200bb\U000e0041c 𝒅𝒆 ｆ").plain.text == "abc de f"


def test_only_the_latin_view_takes_lookalikes_as_latin() -> None:
    page = Page("раураl")
    assert page.latin.text == "paypal"
    assert page.plain.text == "раураl"


def test_letters_that_stand_apart_are_joined() -> None:
    assert Page("so: i g n o r e   t h i s   n o w ok").plain.text == "so: ignore this now ok"
    assert Page("a b c and d").plain.text == "a b c and d"


@given(st.text(max_size=200))
def test_places_lead_back(text: str) -> None:
    for folded in (Page(text).plain, Page(text).latin):
        assert len(folded.text) == len(folded.places)
        assert list(folded.places) == sorted(folded.places)
        assert all(0 <= place < len(text) for place in folded.places)


def test_a_span_leads_back_to_the_disguised_letters() -> None:
    text = "The b\u200ban\u200bk"
    folded = Page(text).plain
    at = folded.text.index("bank")
    start, end = folded.span(at, at + 4)
    assert text[start:end] == "b\u200ban\u200bk"
