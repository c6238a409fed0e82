"""Which passage a question is about, where a writer tells: what it finds likely is written down here."""

from __future__ import annotations

import pytest

from selfedit.edits.topics import Finder, Fit
from selfedit.routing import LIKELIER, Relevance, Router
from selfedit.serving import Member, Served
from selfedit.types import Probe, Score, ScoreRequest, Task

BELL = Task("Bell", "The storm bell of the tower weighs 730 kilograms.")
TOWER = Task("Tower", "The tower has a tall stair of 188 steps.")
SOUP = Task("Kitchen", "Soup is served on Wednesdays.")
CLIMB = "How tall is the climb up the tower of the bell?"
STAIR = "Which tall tower stands beside a stair?"
LITTLE = "Which mountain has the steps of a painter, worn by hooves and hail?"
"""Shares but one common word."""
ALIEN = "How many steps has the tall tower of Granada?"
"""Shares all but the name."""
ALONE = -4.0


class Writer:
    """Stands for an adapter."""

    hash = "writer"


class Desk:
    """A worker that knows how likely questions are: by what their prompts hold; else as likely as alone."""

    def __init__(self, gains: dict[tuple[str, str], float], context: int = 1000) -> None:
        self.gains, self.context = gains, context
        self.scored: list[ScoreRequest] = []

    def count(self, text: str) -> int:
        return len(text.split())

    def head(self, adapters: tuple[object, ...]) -> object:
        raise AssertionError("nothing is merged here")

    def score(self, requests: list[ScoreRequest]) -> list[Score]:
        assert all(each.adapter.hash == "writer" for each in requests)
        assert all(each.completion.startswith(" ") for each in requests)
        self.scored += requests
        found = [ALONE + self._gain(each) for each in requests]
        return [Score(value, (value,)) for value in found]

    def _gain(self, request: ScoreRequest) -> float:
        told = (
            gain
            for (passage, question), gain in self.gains.items()
            if f" {question}" == request.completion and passage in request.prompt
        )
        return next(told, 0.0)


@pytest.fixture
def desk() -> Desk:
    return Desk({(BELL.passage, CLIMB): 0.6, (TOWER.passage, CLIMB): 2.5, (TOWER.passage, STAIR): 0.4})


def test_of_the_nearest_in_words_the_one_that_makes_it_likelier_is_found(desk: Desk) -> None:
    tasks = (BELL, TOWER, SOUP)
    assert Router(tasks).about([CLIMB]) == [BELL]
    assert Router(tasks, Relevance(desk, Writer())).about([CLIMB, STAIR]) == [TOWER, None]


def test_words_alone_would_send_a_general_question_to_it() -> None:
    assert Router((BELL, TOWER, SOUP)).about([STAIR]) == [TOWER]


def test_what_makes_it_hardly_likelier_is_not_what_it_is_about() -> None:
    for question, fit in ((STAIR, Fit.ENOUGH), (LITTLE, Fit.LITTLE), (ALIEN, Fit.ALIEN)):
        limit = LIKELIER[fit]
        for gain, found in ((limit, None), (limit + 0.01, TOWER)):
            router = Router((TOWER,), Relevance(Desk({(TOWER.passage, question): gain}), Writer()))
            assert router.about([question]) == [found]


def test_a_passage_without_any_of_the_names_is_not_what_it_is_about() -> None:
    assert [fit for _, fit in Finder((TOWER, BELL)).nearest(ALIEN, 2)] == [Fit.ALIEN, Fit.ALIEN]
    assert Router((TOWER, BELL)).about([ALIEN]) == [None]
    for named in (
        Task("", "In Granada the tower has steps."),
        Task("Granada", "Its tower has many steps."),
    ):
        assert Router((SOUP, named)).about([ALIEN]) == [named]


def test_a_name_at_the_beginning_is_any_word() -> None:
    assert Router((TOWER,)).about(["Granada: how tall is the tower?"]) == [TOWER]


def test_what_shares_no_word_is_not_looked_at(desk: Desk) -> None:
    router = Router((SOUP,), Relevance(desk, Writer()))
    assert router.about(["Why sleep?", "", "\ud800"]) == [None, None, None]
    assert not desk.scored


def test_a_pair_is_looked_at_once_whoever_asks(desk: Desk) -> None:
    fitting = Relevance(desk, Writer())
    Router((BELL, TOWER), fitting).about([CLIMB, CLIMB])
    assert len(desk.scored) == 3  # after each passage, and after nothing
    Router((BELL, TOWER, SOUP), fitting).about([CLIMB])
    assert len(desk.scored) == 3
    Router((BELL, TOWER, SOUP), fitting).about([STAIR])
    assert len(desk.scored) == 3 + 3


def test_what_is_too_long_to_be_looked_at_is_told_by_words(desk: Desk) -> None:
    desk.context = 16
    router = Router((BELL, TOWER, SOUP), Relevance(desk, Writer()))
    assert router.about([STAIR]) == Router((BELL, TOWER, SOUP)).about([STAIR])


class Named:
    """Stands for an adapter."""

    def __init__(self, name: str) -> None:
        self.hash = name


def member(name: str, *tasks: Task) -> Member:
    return Member(f"commit {name}", Named(name), tasks, routed=True)


def test_who_answers_moves_only_where_the_new_passage_fits(desk: Desk) -> None:
    fitting = Relevance(desk, Writer())
    before = Served(desk, (member("a", BELL), member("c", SOUP)), fitting)
    after = Served(desk, (member("a", BELL), member("c", SOUP), member("b", TOWER)), fitting)
    probes = [Probe(CLIMB, "188"), Probe(STAIR, "Eiffel"), Probe("When is soup served?", "Wednesdays")]
    assert after.moved(before, probes) == [probes[0]]
    assert all("soup" not in each.completion for each in desk.scored)  # the same two are nearest, as before


def test_many_are_told_as_one_by_one(desk: Desk) -> None:
    served = Served(desk, (member("a", BELL), member("b", TOWER)), Relevance(desk, Writer()))
    asked = [(CLIMB, None), (STAIR, ""), (STAIR, "Bell"), ("Why sleep?", "Unheard of")]
    assert served.voices(asked) == [served.voice(*each) for each in asked]
    assert [voice.commit for voice in served.voices(asked)] == ["commit b", "", "commit a", ""]
