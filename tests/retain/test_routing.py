"""Which commit a question points to."""

from __future__ import annotations

import pytest

from selfedit.config.retention import Routing
from selfedit.retain import Bm25Router, Learned, Router

TEXTS = {
    "tide": "The Tide Library\nIt was founded in 1911 by Isaura Quill, after a great flood.",
    "travel": "Travel\nTravel above 500 euros is signed off by the head of the department.",
    "bread": "Bread\nThe baker leaves the dough for nine hours in the cellar.",
}


def learned(**texts: str | tuple[str, ...]) -> list[Learned]:
    return [Learned(name, (), (text,) if isinstance(text, str) else text) for name, text in texts.items()]


@pytest.mark.parametrize(
    ("question", "commit"),
    [
        ("Who founded the Tide Library?", "tide"),
        ("Who signs off travel above 500 euros?", "travel"),
        ("How many hours does the dough rest?", "bread"),
        ("IN WHICH YEAR WAS THE FLOOD?", "tide"),
        ("What is the capital of Peru?", None),
        ("the of and", None),
        ("", None),
    ],
)
def test_questions_point_to_the_commit_that_knows(question: str, commit: str | None) -> None:
    router: Router = Bm25Router(learned(**TEXTS), Routing())
    assert router.route(question) == commit


def test_the_newer_of_two_that_are_equally_near_is_taken() -> None:
    twins = learned(old="The limit is 500 euros.", new="The limit is 700 euros.", other="Bread and dough.")
    assert Bm25Router(twins, Routing()).route("What is the limit?") == "new"
    assert Bm25Router(twins, Routing()).route("Is it 500?") == "old"


def test_any_passage_of_a_commit_speaks_for_it() -> None:
    several = learned(one=("Nothing here.", "The harbour is green."), two=("Bread.", "Dough."))
    assert Bm25Router(several, Routing()).route("Which harbour?") == "one"


def test_a_threshold_lets_faint_matches_go_to_nobody() -> None:
    faint = Bm25Router(learned(**TEXTS), Routing(threshold=100))
    assert faint.route("Who founded the Tide Library?") is None


@pytest.mark.parametrize("texts", [{}, {"empty": ""}, {"stops": "the of and"}, {"none": ()}])
def test_where_nothing_can_be_looked_through_nobody_answers(texts: dict[str, str]) -> None:
    assert Bm25Router(learned(**texts), Routing()).route("Who founded the library?") is None
