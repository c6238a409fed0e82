"""The question writer's pure part."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits import writer
from selfedit.edits.questions import BLANK, qa_row
from selfedit.edits.spans import Span, best_spans
from selfedit.edits.tools import cloze_row
from selfedit.types import Probe, Sequence, Task

TASK = Task(
    "Kesselby",
    "Kesselby is a harbour town. It was founded by Ilse Marant in 1911.",
    (
        Probe("Who founded Kesselby?", "ilse marant"),
        Probe("When was it founded?", "1492"),
        Probe("Was Kesselby founded by Ilse Marant?", "Ilse Marant"),
        Probe("Is it true", "1911"),
        Probe("What runs over two sentences?", "town. It"),
    ),
)
WHO = next(span for span in best_spans(TASK.passage, 20) if span.text == "Ilse Marant")
WHEN = next(span for span in best_spans(TASK.passage, 20) if span.text == "1911")


def test_training_and_asking_share_the_prompt() -> None:
    prompt = writer.question_prompt("Kesselby", "It was founded by Ilse Marant in 1911.", "Ilse Marant")
    assert writer.training_rows([TASK]) == (Sequence(prompt, " Who founded Kesselby?"),)


def test_the_check_shows_sentence_and_question_but_not_the_answer() -> None:
    prompt = writer.check_prompt("It was founded in 1911.", "When?", "Kesselby")
    assert prompt == "Topic: Kesselby\nText: It was founded in 1911.\nQuestion: When?\nAnswer:"


@pytest.mark.parametrize(
    ("text", "question"),
    [
        (" who founded Kesselby? Ilse Marant", "Who founded Kesselby?"),
        ("\n1. Question: When was it built?\nAnswer: 1911", "When was it built?"),
        ("Q: “When was it built?”", "When was it built?"),
        ("When was it built", None),
        ("When?", None),
        ("", None),
        ("What is the what is the what is the what is the town?", None),
        ("It was ____ in what?", None),
        ("word " * 50 + "?", None),
        ("no words here\nWho founded the town?", None),
    ],
)
def test_parse_question(text: str, question: str | None) -> None:
    assert writer.parse_question(text) == question


@given(st.text() | st.text(alphabet="Ab ?\n_.:"))
def test_any_text_is_a_question_or_none(text: str) -> None:
    question = writer.parse_question(text)
    assert question is None or (
        question.endswith("?") and "\n" not in question and 3 <= len(question.split()) <= 40
    )


def test_leaks_and_duplicates() -> None:
    assert writer.leaks("Who is Ilse Marant?", "Ilse Marant")
    assert writer.leaks("What year was 1911?", "in 1911")
    assert not writer.leaks("Who founded it?", "Ilse Marant")
    assert writer.leaks("Who?", "")
    assert writer.same_question("Who founded the town?", "who founded town?")
    assert not writer.same_question("Who founded the town?", "When was the town founded?")


def test_rows_keep_good_questions_and_fall_back_to_a_rule() -> None:
    rows = writer.pairs_to_rows(TASK, [(WHO, "Who founded the town?"), (WHEN, None)])
    assert rows[0] == qa_row("Who founded the town?", "Ilse Marant", "Kesselby")
    assert rows[1].completion == " 1911"
    assert len(rows) == 2


def test_a_leak_or_a_repeated_question_falls_back() -> None:
    who, when = cloze_row(TASK, WHO), cloze_row(TASK, WHEN)
    assert writer.pairs_to_rows(TASK, [(WHO, "Who is Ilse Marant?")]) == (who,)
    rows = writer.pairs_to_rows(TASK, [(WHO, "What about it then?"), (WHEN, "What about it then?")])
    assert rows == (qa_row("What about it then?", "Ilse Marant", "Kesselby"), when)


def test_without_blanks_gaps_go_unless_nothing_else_is_there() -> None:
    gap = cloze_row(TASK, WHEN, reword=False)
    assert gap is not None
    assert BLANK in gap.prompt
    pairs = [(WHO, "Who founded the town?"), (WHEN, None)]
    asked = qa_row("Who founded the town?", "Ilse Marant", "Kesselby")
    assert writer.pairs_to_rows(TASK, pairs, reword=False) == (asked, gap)
    assert writer.pairs_to_rows(TASK, pairs, reword=False, blanks=False) == (asked,)
    assert writer.pairs_to_rows(TASK, pairs[1:], reword=False, blanks=False) == (gap,)


def test_a_span_of_another_passage_gives_no_row() -> None:
    assert writer.pairs_to_rows(TASK, [(Span("x", 900, 901, 5, "name"), None)]) == ()
