"""Sequences of other passages each, and canaries, by the seed alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.canaries import canaries
from selfedit.config.streaming import StreamRecipe
from selfedit.errors import UsageError
from selfedit.streaming.drawing import drawn, some_canaries


def recipe(**given: object) -> StreamRecipe:
    return StreamRecipe.model_validate({"sequences": 3, "documents": 3, **given})


def test_every_passage_is_in_one_sequence_at_most(data: Path) -> None:
    found = drawn(recipe(), data)
    ids = [task.id for series in found for task in series.tasks]
    assert [len(series.tasks) for series in found] == [3, 3, 3]
    assert len(set(ids)) == 9


def test_the_seed_draws_them_and_fewer_are_the_first(data: Path) -> None:
    found = drawn(recipe(), data)
    assert drawn(recipe(), data, 2) == found[:2]
    assert drawn(recipe(seed=1), data) != found


def test_too_few_passages_are_said_in_one_line(data: Path) -> None:
    with pytest.raises(UsageError, match=r"10 passages with questions, and 4 sequences of 3 take 12; choose"):
        drawn(recipe(sequences=4), data)
    with pytest.raises(UsageError, match="the recipe has 3; choose at most so many"):
        drawn(recipe(), data, 4)


def test_canaries_are_asked_after_others_of_their_kind_that_are_not_asked() -> None:
    found = some_canaries(recipe(canaries=20))
    kinds = {each.prompt: each.kind for each in canaries()}
    assert len(found.probes) == len(found.prompts) == 20
    assert len(found.general) == len(canaries()) - 20
    asked = {probe.question for probe in found.probes}
    for probe, prompt in zip(found.probes, found.prompts, strict=True):
        *shown, own = prompt.split("\n\n")
        questions = [each.rpartition(" ")[0] for each in shown]
        assert len(shown) == 3
        assert probe.question in own
        assert not any(question in each for question in asked for each in questions)
    assert {row.prompt for row in found.general} < set(kinds)


def test_no_canaries_may_be_asked_for() -> None:
    found = some_canaries(recipe(canaries=0))
    assert found.probes == found.prompts == ()
    assert len(found.general) == len(canaries())
