"""Defaults, and settings that are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from selfedit.config import (
    DEFAULT,
    DEMO,
    Judge,
    Learning,
    Recipe,
    Reinforce,
    Training,
    Weighted,
    Write,
    learning,
    recorded,
)
from selfedit.errors import UsageError


def test_what_is_not_given_stays() -> None:
    assert learning(samples=None, final={"epochs": None}) == Learning()
    assert learning(DEMO, samples=None) == DEMO


def test_what_is_given_counts_level_by_level() -> None:
    found = learning(DEMO, samples=3, final={"learning_rate": 1e-3})
    assert found.samples == 3
    assert found.final == DEMO.final.model_copy(update={"learning_rate": 1e-3})
    assert found.candidate == DEMO.candidate


@pytest.mark.parametrize(
    ("given", "line"),
    [
        ({"samples": 0}, "samples is 0: "),
        ({"samples": 65}, "samples is 65: "),
        ({"probes": 1}, "probes is 1: "),
        ({"temperature": float("nan")}, "temperature is nan: "),
        ({"final": {"learning_rate": float("nan")}}, "final.learning_rate is nan: "),
        ({"final": {"learning_rate": float("inf")}}, "final.learning_rate is inf: "),
        ({"final": {"learning_rate": -1.0}}, "final.learning_rate is -1.0: "),
        ({"candidate": {"epochs": 0}}, "candidate.epochs is 0: "),
        ({"sampels": 2}, "sampels is 2: "),
        ({"seed": "one"}, "seed is 'one': "),
    ],
)
def test_out_of_bounds_is_one_line(given: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError) as raised:
        learning(**given)
    assert str(raised.value).startswith(line)
    assert "\n" not in str(raised.value)


def test_gentler_is_a_third_of_the_rate() -> None:
    training = Training(learning_rate=3e-3)
    assert training.gentler().learning_rate == pytest.approx(1e-3)
    assert training.gentler().epochs == training.epochs


MERGED = {"strategies": ("naive",)}
"""What was recorded before there were strategies was merged into one head."""


def test_recorded_settings_of_any_version_are_taken() -> None:
    held = learning(samples=3, final={"rank": 4}).model_dump(mode="json")
    assert recorded(held) == learning(samples=3, final={"rank": 4})
    del held["spans"], held["final"]["warmup"]
    assert recorded({**held, "later": 1, "final": {**held["final"], "newer": 2}}) == recorded(held)
    assert recorded(held).spans == DEFAULT.spans
    assert recorded({"samples": 0, "seed": 7, "final": "none"}) == learning(
        seed=7, retention=MERGED, recite=False
    )
    assert recorded({}) == learning(retention=MERGED, recite=False)
    assert recorded({"retention": {"strategies": ["router"]}, "recite": True}) == DEFAULT


def test_what_was_recorded_before_there_were_least_steps_was_trained_without() -> None:
    held = learning(final={"rank": 4, "least_steps": 0}).model_dump(mode="json")
    for part in ("final", "candidate"):
        assert held[part].pop("least_steps") == 0
    assert recorded(held).final == Training(rank=4, least_steps=0)
    assert recorded({"final": {**held["final"], "least_steps": 70}}).final.least_steps == 70
    assert recorded({"final": None}).final.least_steps == DEFAULT.final.least_steps > 0


# -- recipes ----------------------------------------------------------------------------------------------


def test_a_group_given_in_part_keeps_the_rest_of_its_own_default() -> None:
    found = Recipe.model_validate({"apply": {"rank": 4}, "reinforce": {"training": {"epochs": 3}}})
    assert found.apply == Recipe().apply.model_copy(update={"rank": 4})
    assert found.apply.least_steps == 0 != Training().least_steps
    training = Recipe().reinforce.training
    assert found.reinforce == Reinforce(training=training.model_copy(update={"epochs": 3}))


def test_one_temperature_is_a_list_of_one() -> None:
    assert Write.model_validate({"temperature": 1}).temperature == (1.0,)
    assert Write.model_validate({"temperature": [1, 0.5]}).temperature == (1.0, 0.5)


def test_rewards_named_twice_count_twice() -> None:
    judge = Judge(rewards=(Weighted(name="gain", weight=1), Weighted(name="gain", weight=0.5)))
    assert judge.weights == {"gain": 1.5}


@pytest.mark.parametrize(
    "given",
    [
        {"seed": 1},
        {"base": "other"},
        {"data": {"train": "other.json"}},
        {"data": {"passages": 21}},
        {"write": {"temperature": 0.7}},
        {"apply": {"alpha": 8}},
        {"judge": {"rewards": [{"name": "gain"}]}},
        {"select": {"beat": []}},
        {"reinforce": {"kl": 0.1}},
    ],
)
def test_what_the_policy_depends_on_changes_the_id(given: dict[str, Any]) -> None:
    assert Recipe.model_validate(given).id != Recipe().id


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"rounds": 9},
        {"report": {"rows": ["base"], "seeds": [3]}},
        {"data": {"report": "other.json", "report_passages": None}},
        {"apply": {"alpha": 16.0}, "report": {"training": {"alpha": 32}}},
        {"reinforce": {"kl": -0.0, "training": {"alpha": 32}}},
        {"write": {"temperature": [0.8]}},
    ],
)
def test_more_rounds_another_table_or_another_spelling_keep_the_id(given: dict[str, Any]) -> None:
    assert Recipe.model_validate(given).id == Recipe().id


@pytest.mark.parametrize(
    "given",
    [
        {"select": {"keep": 6}},
        {"write": {"bandit": True}},
        {"write": {"samples": 1}, "reinforce": {"method": "grpo"}},
        {"data": {"report": "squad/train.json"}},
        {"report": {"rows": ["joint:1"]}},
        {"report": {"rows": ["joint:N"]}},
        {"judge": {"seeds": [1, 1]}},
        {"base": " x"},
    ],
)
def test_a_recipe_that_contradicts_itself_is_none(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Recipe.model_validate(given)
