"""Defaults, and settings that are refused in one line."""

from __future__ import annotations

from typing import Any

import pytest

from selfedit.config import DEFAULT, DEMO, Learning, Training, learning, recorded
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


def test_recorded_settings_of_any_version_are_taken() -> None:
    held = learning(samples=3, final={"rank": 4}).model_dump(mode="json")
    assert recorded(held) == learning(samples=3, final={"rank": 4})
    del held["spans"], held["final"]["warmup"]
    assert recorded({**held, "later": 1, "final": {**held["final"], "newer": 2}}) == recorded(held)
    assert recorded(held).spans == DEFAULT.spans
    assert recorded({"samples": 0, "seed": 7, "final": "none"}) == learning(seed=7)
    assert recorded({}) == DEFAULT


def test_what_was_recorded_before_there_were_least_steps_was_trained_without() -> None:
    held = learning(final={"rank": 4, "least_steps": 0}).model_dump(mode="json")
    for part in ("final", "candidate"):
        assert held[part].pop("least_steps") == 0
    assert recorded(held) == learning(final={"rank": 4, "least_steps": 0})
    assert recorded({"final": {**held["final"], "least_steps": 70}}).final.least_steps == 70
    assert recorded({"final": None}).final.least_steps == DEFAULT.final.least_steps > 0
