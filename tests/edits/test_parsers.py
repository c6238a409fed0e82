"""Every parser is total: any text comes to an edit within bounds, or to a Failure."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.edits import FORMATS
from selfedit.edits.parsing import MOST_CHARACTERS, MOST_LINES
from selfedit.edits.questions import qa_row
from selfedit.types import Failure, SelfEdit, Sequence, Task

TASK = Task("Kesselby", "Kesselby is a harbour town. It was founded by Ilse Marant in 1911.")
WRITTEN = ["implications", "implications-long", "rewrite", "question-answer"]

junk = st.text() | st.lists(
    st.sampled_from(
        [
            "Question:",
            "Answer: x",
            "- ",
            "1. ",
            "A fact stands here.",
            "::::",
            "\n",
            "\n\n",
            "{",
            '{"tools":',
            "[",
            "]",
            '"split"',
            "NaN",
            "}",
            "**",
            "```json",
            "a b c " * 9,
            "\x00",
            "\u2028",
            "Q: who?",
            "?",
            "1e999",
            "�",
        ]
    )
).map(" ".join)


@settings(max_examples=150, deadline=None)
@given(
    st.sampled_from(sorted(FORMATS)),
    junk,
    st.sampled_from([TASK, Task("", ""), Task("{passage}", "{title}\n\n")]),
)
def test_any_text_is_an_edit_or_a_failure(name: str, text: str, task: Task) -> None:
    found = FORMATS[name].parse(task, text)
    if isinstance(found, Failure):
        assert found.where == "parse"
        assert found.what.startswith(name)
        assert "\n" not in found.what
        return
    assert found.text == text or not text.isprintable()
    assert found.id
    assert found.task == task.id
    assert len(found.lines) <= MOST_LINES
    for line in found.lines:
        shown = line.prompt + line.completion if isinstance(line, Sequence) else line
        assert line if name == "directive" else len(shown) <= MOST_CHARACTERS + 500
        assert shown.replace("\n", "").isprintable()
    assert all(FORMATS[name].sequences(task, found))


def lines_of(text: str, name: str = "implications") -> tuple[str | Sequence, ...]:
    found = FORMATS[name].parse(TASK, text)
    assert isinstance(found, SelfEdit), found
    return found.lines


def failure_of(text: str, name: str = "implications") -> str:
    found = FORMATS[name].parse(TASK, text)
    assert isinstance(found, Failure), found
    return found.what


@pytest.mark.parametrize(
    "bullet", ["- ", "* ", "• ", "1. ", "12) ", "(3) ", "– ", "  -  ", "**", "> ", "## "]
)
def test_bullets_are_stripped(bullet: str) -> None:
    assert lines_of(f"{bullet}Kesselby has a harbour.") == ("Kesselby has a harbour.",)


def test_numbers_that_belong_to_the_line_stay() -> None:
    assert lines_of("1911 was the year.\n24.6 feet is its length.") == (
        "1911 was the year.",
        "24.6 feet is its length.",
    )


def test_blank_repeated_cut_and_introducing_lines_are_dropped() -> None:
    text = (
        "Here are the facts:\n\n- Kesselby has a harbour.\n\n- kesselby has a HARBOUR\n- Ilse built it.\n- It"
    )
    assert lines_of(text) == ("Kesselby has a harbour.", "Ilse built it.")


def test_a_last_line_without_a_mark_stays_where_no_line_has_one() -> None:
    assert len(lines_of("Kesselby has a harbour\nIlse Marant built it")) == 2


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize(
    "text", ["", " \n\n ", "::::::::::", "the town " * 50, "ha" * 200, "1.\n2.\n3.", "\x00\x00"]
)
def test_nothing_and_loops_are_failures(name: str, text: str) -> None:
    assert failure_of(text, name).startswith(name)


def test_one_line_over_and_over_is_a_failure_but_one_loop_at_the_end_is_dropped() -> None:
    assert "repeats" in failure_of("Kesselby has a harbour.\n" * 50)
    assert lines_of("Kesselby has a harbour.\nIlse built it.\n" + "and so on " * 40) == (
        "Kesselby has a harbour.",
        "Ilse built it.",
    )


@pytest.mark.parametrize("name", WRITTEN)
def test_an_echo_of_the_prompt_is_no_note(name: str) -> None:
    fmt = FORMATS[name]
    prompt = fmt.prompt(TASK, chat=False)
    assert isinstance(prompt, str)
    failure_of(prompt, name)
    messages = fmt.prompt(TASK, chat=True)
    assert not isinstance(messages, str)
    failure_of(messages[-1]["content"], name)
    failure_of(TASK.passage, name)


def test_ten_thousand_lines_are_clamped() -> None:
    begun = time.process_time()
    text = "\n".join(f"{i}. Fact number {i} stands here." for i in range(10_000))
    assert len(lines_of(text)) == MOST_LINES
    assert lines_of("A long line of words. " + "".join(f"word{i} " for i in range(900)) + "end.")[0] != ""
    assert all(
        len(str(line)) <= MOST_CHARACTERS for line in lines_of("".join(f"word{i} " for i in range(900)))
    )
    assert time.process_time() - begun < 5


@pytest.mark.parametrize(
    "piece", [" ", "\t\n", "Q: ", "1. ", "{", "a, ", ".", "9", "“", "Answer: ", "ab\n\n"]
)
@pytest.mark.parametrize("name", sorted(FORMATS))
def test_long_texts_take_no_quadratic_time(name: str, piece: str) -> None:
    begun = time.process_time()
    FORMATS[name].parse(TASK, "x " + piece * 100_000 + "x")
    assert time.process_time() - begun < 5


def test_a_rewrite_joins_the_lines_of_a_paragraph_and_loses_a_cut_sentence() -> None:
    text = "Marant, in 1911,\nfounded Kesselby.\n\nIt is a town by the sea. Its harbour is"
    assert lines_of(text, "rewrite") == ("Marant, in 1911, founded Kesselby.", "It is a town by the sea.")


@pytest.mark.parametrize(
    "text",
    [
        "Question: Who founded it?\nAnswer: Ilse Marant",
        "1. Q: Who founded it?\n   A: Ilse Marant\n2. Q: When did",
        "**Question 1:** Who founded it?\n**Answer 1:** Ilse Marant",
        "Who founded it? Answer: Ilse Marant",
        " Who founded it?\nIlse Marant\n",
        "Question: Who founded it?\nAnswer: Ilse Marant\nQuestion: Who founded it?\nAnswer: Otto",
        "Answer: none\nQuestion: Who founded it? A: Ilse Marant\nQuestion: A thing?\nAnswer: ...",
    ],
)
def test_pairs_in_their_usual_spellings(text: str) -> None:
    assert lines_of(text, "question-answer") == (qa_row("Who founded it?", "Ilse Marant", "Kesselby"),)


def test_sequences_head_each_line_and_end_with_the_passage() -> None:
    fmt = FORMATS["implications"]
    edit = fmt.parse(TASK, "Kesselby has a harbour.")
    assert isinstance(edit, SelfEdit)
    assert fmt.sequences(TASK, edit) == ("Kesselby\nKesselby has a harbour.", f"Kesselby\n{TASK.passage}")


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_prompts_show_the_passage_as_it_is(name: str) -> None:
    task = Task("{passage}", "A {title} in {braces} and {{more}}.")
    plain, chat = FORMATS[name].prompt(task, chat=False), FORMATS[name].prompt(task, chat=True)
    assert isinstance(plain, str)
    assert not isinstance(chat, str)
    assert plain.count(task.passage) == chat[-1]["content"].count(task.passage) == 1
    assert "{passage}" in plain
    assert chat[-1]["role"] == "user"
    assert not plain.endswith(" ")
