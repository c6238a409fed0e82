"""What a trial earns: each measure against a value by hand, and the weighted sum."""

from __future__ import annotations

import math

import pytest

from selfedit.errors import UsageError
from selfedit.rewards import MEASURES, Evidence, check, needs, reward
from selfedit.types import Failure, Probe, Reward, Verdict

KEEPER = Probe("Who keeps the lamp?", "Tobiah Renwick", "Harbour")
YEAR = Probe("When was it lit?", "1832", "Harbour")
SURE, UNSURE = Verdict(True, 0.9), Verdict(False, 0.25)
RECITED = "Tobiah Renwick has kept the lamp of the harbour since it was lit in 1832"


def rows(*answers: str) -> list[Evidence]:
    return [Evidence(p, a, -1.0, -3.0, SURE) for p, a in zip((KEEPER, YEAR), answers, strict=True)]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("likelihood", -1.0),
        ("gain", 2.0),
        ("recall", 0.75),
        ("correct", 0.5),
        ("concise", 0.5),
        ("margin", 0.5),
        ("graded", 0.9),
        ("graded-concise", 0.9),
    ],
)
def test_each_measure(name: str, value: float) -> None:
    evidence = rows("Tobiah", "1832")
    assert MEASURES[name].value(evidence) == pytest.approx(value)


@pytest.mark.parametrize(("name", "value"), [("correct", 1.0), ("concise", 0.0), ("margin", 0.0)])
def test_reciting_earns_nothing_where_length_or_mismatch_counts(name: str, value: float) -> None:
    assert MEASURES[name].value(rows(RECITED, RECITED)) == value
    assert MEASURES["graded-concise"].value(rows(RECITED, RECITED)) == 0.0


def test_sentences_are_averaged_over_the_probes_that_have_one() -> None:
    evidence = [Evidence(KEEPER, sentence=-0.5), Evidence(YEAR), Evidence(YEAR, sentence=-1.5)]
    assert reward(evidence, {"sentence": 1.0}) == Reward(-1.0, {"sentence": -1.0, "probes": 3.0})
    assert reward([Evidence(YEAR)], {"sentence": 1.0}) == Failure("judge", "the probes give no sentence")


def test_a_failure_of_the_grader_is_left_out_and_never_wrong() -> None:
    evidence = [
        Evidence(KEEPER, "Tobiah", verdict=SURE),
        Evidence(YEAR, "1832", verdict=Failure("grade", "down")),
    ]
    assert MEASURES["graded"].value(evidence) == pytest.approx(0.9)
    assert isinstance(reward([evidence[1]], {"graded": 1.0}), Failure)


def test_the_reward_is_the_weighted_sum_and_keeps_its_parts() -> None:
    found = reward(rows("Tobiah Renwick", "1833"), {"likelihood": 0.5, "concise": 2.0})
    assert found == Reward(0.5, {"likelihood": -1.0, "concise": 0.5, "probes": 2.0})


def test_without_probes_there_is_no_reward() -> None:
    assert reward([], {"likelihood": 1.0}) == Failure("judge", "no probe to choose by")


def test_a_single_probe_has_no_margin() -> None:
    found = reward([Evidence(YEAR, "1832")], {"margin": 1.0})
    assert found == Failure("judge", "the probes give no margin")


def test_what_is_needed_is_what_is_asked_for() -> None:
    assert needs({"likelihood": 1.0}) == {"logprob"}
    assert needs({"gain": 1.0, "graded": 0.5}) == {"logprob", "before", "answer", "verdict"}
    unasked = [Evidence(KEEPER)]
    assert all(measure.value(unasked) is None for measure in MEASURES.values())


@pytest.mark.parametrize("weights", [{"loss": 1.0}, {}, {"concise": 0.0}, {"concise": math.nan}])
def test_what_cannot_be_a_reward_is_one_line(weights: dict[str, float]) -> None:
    with pytest.raises(UsageError, match=r"^rewards: .*(choose|give)"):
        check(weights)


@pytest.mark.parametrize("logprob", [math.nan, -math.inf])
def test_what_a_broken_adapter_finds_impossible_is_a_failure(logprob: float) -> None:
    broken = Evidence(KEEPER, "x", logprob, -3.0, SURE)
    found = reward([*rows("x", "y"), broken], {"likelihood": 1.0})
    assert found == Failure("judge", "the probes give no finite figure")
