"""Near-misses: never what the passage answers, in the very row format, and the same each time."""

from __future__ import annotations

from itertools import pairwise

import pytest

from selfedit.canaries import unknowns
from selfedit.edits.near_misses import HELD_OUT, TRAINED, UNKNOWN, Fictions, near_misses
from selfedit.edits.questions import BLANK, ask_prompt, blank_question, qa_row
from selfedit.edits.words import FUNCTION_WORDS, content
from selfedit.types import Sequence, Task

PASSAGE = (
    "The tidal mill at Tarnby was built in 1811 by Ada Quill for the Kestrel Company. Two wheels of oak "
    "drive the stones. King Rudolf visited the mill in 1834. A flood destroyed the lower wheel, and Quill "
    "sold the mill to the French baker Marcel Duro."
)
PAIRS = (
    ("Who built the mill at Tarnby?", "Ada Quill"),
    ("When did King Rudolf visit the mill?", "1834"),
    ("What was built in 1811?", "the tidal mill"),
    ("Who was the French baker?", "Marcel Duro"),
    ("What did Ada Quill sell to Marcel Duro?", "the mill"),
    ("What destroyed the lower wheel?", "a flood"),
    ("What are the wheels made of?", "oak"),
    ("For whom was the mill built?", "the Kestrel Company"),
)
TASK = Task("The tidal mill", PASSAGE)
ROWS = tuple(qa_row(question, answer, TASK.title) for question, answer in PAIRS)


def questions(rows: tuple[Sequence, ...], task: Task = TASK) -> list[str]:
    head, tail = ask_prompt("?", task.title).rsplit("?", 1)
    return [row.prompt[len(head) : -len(tail)] for row in rows]


def only(question: str, task: Task = TASK, seed: int = 0, fictions: Fictions = TRAINED) -> str:
    """The one near-miss of a single question."""
    rows = near_misses(task, [qa_row(question, "x", task.title)], share=1, seed=seed, fictions=fictions)
    return questions(rows, task)[0]


@pytest.mark.parametrize("fictions", [TRAINED, HELD_OUT], ids=lambda each: each.name)
def test_they_stand_in_the_row_format_and_are_not_known(fictions: Fictions) -> None:
    found = near_misses(TASK, ("The mill\nA plain line.", *ROWS), share=1, fictions=fictions)
    assert len(found) == len(ROWS)
    assert all(row.completion == f" {UNKNOWN}" for row in found)
    assert [row.prompt for row in found] == [ask_prompt(text, TASK.title) for text in questions(found)]
    assert all(question.endswith("?") for question in questions(found))
    assert not {row.prompt for row in found} & {row.prompt for row in ROWS}


@pytest.mark.parametrize("seed", range(20))
def test_each_holds_something_that_the_passage_does_not(seed: int) -> None:
    asked = {word for question, _ in PAIRS for word in content(question)}
    held = set(content(f"{TASK.title} {PASSAGE}"))
    for question in questions(near_misses(TASK, ROWS, share=1, seed=seed)):
        assert set(content(question)) - held - asked - FUNCTION_WORDS, question


@pytest.mark.parametrize(
    ("share", "rows", "most"), [(0, 8, 0), (0.25, 8, 2), (0.25, 3, 0), (0.5, 8, 4), (1, 8, 8)]
)
def test_at_most_the_share(share: float, rows: int, most: int) -> None:
    assert len(near_misses(TASK, ROWS[:rows], share=share)) == most


def test_no_more_than_two_for_each_row() -> None:
    assert len(near_misses(TASK, ROWS, share=50)) <= 2 * len(ROWS)


def test_chance_comes_from_the_seed_and_the_passage() -> None:
    assert near_misses(TASK, ROWS, share=1) == near_misses(TASK, ROWS, share=1)
    drawn = {near_misses(TASK, ROWS, share=0.5, seed=seed) for seed in range(5)}
    assert len(drawn) > 1


def test_rows_of_another_form_or_topic_are_passed_over() -> None:
    others = (
        "Quill built it.",
        Sequence("Write notes.", " x"),
        qa_row("Who built the mill?", "Quill", "Bridges"),
    )
    assert near_misses(TASK, others, share=1) == ()


def test_a_name_is_changed_and_its_generic_words_stay() -> None:
    task = Task("Towns", "The University of Leith is old.")
    found = {only("When did the University of Leith open?", task, seed) for seed in range(30)}
    changed = {question for question in found if question.startswith("When did the University of ")}
    assert changed
    assert all("Leith" not in question for question in changed)


def test_a_full_name_becomes_a_full_name() -> None:
    found = {only("What did Ada Quill sell?", seed=seed) for seed in range(30)}
    names = [question.removeprefix("What did ").removesuffix(" sell?").split() for question in found]
    two = [name for name in names if len(name) == 2]
    assert two
    assert all(first in TRAINED.first and last in TRAINED.last for first, last in two)


def test_a_year_moves_to_one_that_the_passage_has_not() -> None:
    years = {only("What was built in 1811?", seed=seed).split()[-1].rstrip("?") for seed in range(30)}
    moved = {year for year in years if year.isdigit()}
    assert moved
    assert not moved & {"1811", "1834"}
    assert all((int(year) - 1811) % TRAINED.shift == 0 for year in moved)


def test_an_article_stays_right() -> None:
    task = Task("Owls", "An owl sleeps by day. A mouse does not.")
    for seed in range(30):
        for question in (
            only("Where does an owl sleep by day?", task, seed),
            only("Is a mouse awake?", task, seed),
        ):
            words = question.lower().split()
            for article, word in pairwise(words):
                if article in ("a", "an"):
                    assert (word[0] in "aeiou") is (article == "an"), question


def test_a_gap_stays_and_a_long_sentence_is_left_out() -> None:
    long = "Ada Quill built " + "many small " * 12 + "wheels."
    task = Task("Mills", f"{long} Ada Quill lived in Tarnby.")
    rows = [
        qa_row(blank_question(long, len(long) - 7, len(long) - 1), "wheels", "Mills"),
        qa_row(blank_question("Ada Quill lived in Tarnby.", 19, 25), "Tarnby", "Mills"),
    ]
    found = [
        text for seed in range(10) for text in questions(near_misses(task, rows, share=0.5, seed=seed), task)
    ]
    assert any(BLANK in question for question in found)
    assert not any("many small" in question for question in found)


def test_the_lists_share_nothing_with_each_other_or_with_the_unknowns() -> None:
    for field in ("first", "last", "origins", "things", "asking"):
        ours, theirs = getattr(TRAINED, field), getattr(HELD_OUT, field)
        assert len(set(ours)) == len(ours)
        assert not set(ours) & set(theirs)
    names = {
        word.lower() for each in (TRAINED, HELD_OUT) for word in (*each.first, *each.last, *each.origins)
    }
    asked = {word for unknown in unknowns() for word in content(unknown.question)}
    assert not names & asked
    moves = [{times * each.shift for times in (1, 2, 3)} for each in (TRAINED, HELD_OUT)]
    assert not moves[0] & moves[1]
