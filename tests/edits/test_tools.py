"""Augmentation tools: what they keep and how it is headed."""

from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits import tools
from selfedit.edits.questions import ask_prompt
from selfedit.edits.spans import Span, best_spans
from selfedit.types import Sequence, Task

TASK = Task(
    "Kesselby", "Kesselby is a harbour town. It was founded in 1911. Dr. Ilse Marant led it for 12 years."
)


def test_split_heads_every_sentence() -> None:
    assert tools.split(TASK)[0] == "Kesselby\nKesselby is a harbour town."
    assert len(tools.split(TASK)) == 3
    assert tools.split(Task("", "One. Two."))[0] == "One."


def test_reorder_keeps_the_sentences_and_changes_the_order() -> None:
    texts = tools.reorder(TASK, copies=3)
    assert len(set(texts)) == 3
    for text in texts:
        head, body = text.split("\n")
        assert head == "Kesselby"
        assert body != TASK.passage
        assert sorted(tools.sentences(body)) == sorted(tools.sentences(TASK.passage))
    assert texts == tools.reorder(TASK, copies=3)
    assert tools.reorder(Task("A", "Only one.")) == ()
    assert len(tools.reorder(Task("A", "One. Two."), copies=5)) == 1


def test_cloze_rows_are_asked_like_any_question() -> None:
    rows = tools.cloze(TASK, best_spans(TASK.passage, 20), reword=False)
    assert Sequence(ask_prompt('Fill in the blank: "It was founded in ____."', "Kesselby"), " 1911") in rows
    assert all("____" in row.prompt for row in rows)


def test_cloze_leaves_out_spans_of_another_passage() -> None:
    assert (
        tools.cloze(
            TASK, [Span("x", 0, 500, 0, "name"), Span("x", 0, 1, 9, "name"), Span("", 3, 3, 0, "name")]
        )
        == ()
    )


def test_restate_wants_other_words() -> None:
    sentence = "The town was founded by Ilse Marant in 1911."
    assert tools.restate_prompt("Kesselby", sentence).endswith("in other words:")
    assert (
        tools.parse_restate(sentence, " Ilse Marant set up the town in 1911.\nMore")
        == "Ilse Marant set up the town in 1911."
    )
    for poor in ("", sentence, "Yes.", "the town " * 30, "word " * 200):
        assert tools.parse_restate(sentence, poor) is None


def test_ask_and_answer_wants_an_answer_from_the_sentence() -> None:
    sentence = "The town was founded by Ilse Marant in 1911."
    row = tools.parse_ask_and_answer(
        "Kesselby", sentence, " Who founded the town?\nAnswer: Ilse Marant.\nStatement:"
    )
    assert row == Sequence(ask_prompt("Who founded the town?", "Kesselby"), " Ilse Marant")
    for poor in (
        "",
        "Who founded it?",
        " Who founded it?\nAnswer: Otto",
        " Who founded Ilse Marant?\nAnswer: Ilse Marant",
    ):
        assert tools.parse_ask_and_answer("Kesselby", sentence, poor) is None


@given(st.text(), st.text())
def test_any_text_is_parsed(sentence: str, text: str) -> None:
    tools.parse_restate(sentence, text)
    tools.parse_ask_and_answer("T", sentence, text)
    assert all(isinstance(line, str) for line in tools.split(Task("T", sentence)))
