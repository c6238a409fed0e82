"""One format of asking, and questions by rule that are right or not made at all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.questions import ask_prompt, blank_question, make_question, qa_row, rule_question
from selfedit.types import Sequence


def test_asking_and_training_share_their_format() -> None:
    assert ask_prompt("Who wrote it?", "Faust") == "Topic: Faust. Who wrote it?\nAnswer:"
    assert ask_prompt("Who wrote it?") == "Who wrote it?\nAnswer:"
    row = qa_row("Who wrote it?", " Goethe ", "Faust")
    assert row == Sequence(ask_prompt("Who wrote it?", "Faust"), " Goethe")


@pytest.mark.parametrize(
    ("sentence", "question", "kind"),
    [
        ("Much *dislike of colonies* there.", None, "phrase"),
        ("*Otto Bismarck* wrote two books.", "Who wrote two books?", "name"),
        ("*Lord Shaftesbury* was an outspoken advocate.", "Who was an outspoken advocate?", "name"),
        ("The *service module* was discarded.", "What was discarded?", "phrase"),
        ("*Universal Music Group* decided to leave.", "What decided to leave?", "name"),
        ("*Puberty* occurs through a long process.", "What occurs through a long process?", "phrase"),
        ("*Papers* published in 1905 were lost.", None, "phrase"),
        ("Oxygen is a *chemical element*.", "What is Oxygen?", "phrase"),
        ("The test began in *1967*.", "When did the test begin?", "date"),
        ("The firm was founded in *1599*.", "When was the firm founded?", "date"),
        ("In *1599* the firm was founded in London.", "When was the firm founded in London?", "date"),
        ("The firm was chartered by *Queen Anne* in 1600.", "Who was the firm chartered by in 1600?", "name"),
        ("The firm was founded in *Leith*.", "Where was the firm founded?", "name"),
        ("The ship was built by *Ann*, Eve and Otto.", None, "name"),
        ("In *1864* the ships left Leith and sailed home.", None, "date"),
        ("In *1864* Ann left Leith, which was small.", "When did Ann leave Leith?", "date"),
        ("*24.6 feet* was its length.", None, "quantity"),
        ("The city has *14 bridges*.", "How many bridges does the city have?", "quantity"),
        ("It was built in *1911*.", None, "date"),
        ("It was discarded just before *re-entry*.", None, "phrase"),
        ("They said, “It was *blue*.”", None, "phrase"),
    ],
)
def test_rules(sentence: str, question: str | None, kind: str) -> None:
    before, span, after = sentence.split("*")
    made = rule_question(before + span + after, len(before), len(before) + len(span), kind)
    assert made == question


def test_where_no_rule_is_safe_a_gap_is_left() -> None:
    text = "It was discarded just before re-entry."
    gap = 'Fill in the blank: "It was discarded just before ____."'
    assert make_question(text, 29, 37) == gap == blank_question(text, 29, 37)


@given(st.text(max_size=200), st.integers(0, 200), st.integers(0, 200), st.sampled_from(["", "date", "name"]))
def test_any_sentence_and_span(sentence: str, start: int, end: int, kind: str) -> None:
    made = rule_question(sentence, start, end, kind)
    assert made is None or (made.endswith("?") and "\n" not in made)
    assert "\n" not in make_question(sentence, start, end, kind)
