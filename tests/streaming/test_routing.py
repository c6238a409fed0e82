"""Which document a question is about."""

from __future__ import annotations

import pytest

from selfedit.config import Retention
from selfedit.streaming.routing import ROUTERS, rightly
from selfedit.types import Probe, Task

ROUTED = Retention(strategies=("router",))


def task(title: str, passage: str, *questions: str) -> Task:
    return Task(title, passage, tuple(Probe(question, "x", title) for question in questions))


TASKS = (
    task("Harbour", "The lamp is lit by Tobiah Renwick at dusk.", "Who lights the lamp?"),
    task("Library", "Nine clerks keep the maps of the valley.", "How many clerks are there?"),
    task("Harbour", "The crane was bought from Osk for grain.", "Where was the crane bought?"),
)


@pytest.mark.parametrize("rule", ROUTERS)
def test_each_rule_finds_what_shares_rare_words(rule: str) -> None:
    route = ROUTERS[rule](TASKS, ROUTED)
    assert [route(probe) for each in TASKS for probe in each.probes] == [0, 1, 2]
    assert rightly(TASKS, rule, ROUTED) == {each.id: [1.0] for each in TASKS}


@pytest.mark.parametrize("rule", ROUTERS)
def test_what_shares_no_word_is_left_to_the_base(rule: str) -> None:
    assert ROUTERS[rule](TASKS, ROUTED)(Probe("Why sleep?", "x")) is None


def test_a_title_decides_before_words_do() -> None:
    question = Probe("Who keeps the maps of the valley?", "x", "Harbour")
    found = {rule: ROUTERS[rule](TASKS, ROUTED)(question) for rule in ROUTERS}
    assert found["bm25"] == found["topics"] == 1
    assert found["titles"] in (0, 2)


def test_of_a_title_that_was_not_learned_there_is_no_document() -> None:
    assert ROUTERS["titles"](TASKS, ROUTED)(Probe("Who lights the lamp?", "x", "Bridge")) is None


def test_misses_are_counted_by_document() -> None:
    odd = task("Bridge", "It is long.", "Who lights the lamp?", "Is it long?")
    assert rightly((*TASKS, odd), "topics", ROUTED)[odd.id] == [0.0, 1.0]
