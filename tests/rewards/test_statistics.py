"""Means and intervals over passages, held against hand-made cases and the normal approximation."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from statistics import stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.rewards import (
    bootstrap_interval,
    mean_over_passages,
    paired_interval,
    spread_over_passages,
    wilson,
)
from selfedit.rewards.statistics import pooled_interval


def sample(passages: int, seed: int = 0, shift: float = 0.0) -> dict[str, list[float]]:
    rng = random.Random(seed)
    return {f"p{i}": [float(rng.random() < 0.5) + shift for _ in range(1 + i % 6)] for i in range(passages)}


def test_a_passage_with_many_questions_weighs_no_more() -> None:
    assert mean_over_passages({"a": [1.0], "b": [0.0] * 9}) == 0.5


def test_passages_without_values_are_left_out() -> None:
    assert mean_over_passages({"a": [1.0], "b": []}) == 1.0
    assert mean_over_passages({"b": []}) is None
    assert mean_over_passages({}) is None
    assert bootstrap_interval({}, seed=0) is None
    assert paired_interval({}, {}, seed=0) is None


def test_the_spread_is_that_of_the_passages_means() -> None:
    values = sample(20)
    assert spread_over_passages(values) == pytest.approx(stdev(sum(v) / len(v) for v in values.values()))
    assert spread_over_passages({"a": [1.0, 0.0], "b": []}) is None


def test_a_value_that_is_no_number_is_refused() -> None:
    with pytest.raises(UsageError, match="NaN"):
        mean_over_passages({"a": [math.nan]})


def test_the_interval_is_that_of_the_normal_approximation() -> None:
    values = sample(200)
    means = [sum(v) / len(v) for v in values.values()]
    mean = sum(means) / 200
    error = math.sqrt(sum((m - mean) ** 2 for m in means)) / 200
    low, high = bootstrap_interval(values, seed=1) or (0.0, 0.0)
    assert low == pytest.approx(mean - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.2 * error)


def test_the_interval_depends_on_the_seed_alone() -> None:
    values = sample(12)
    backwards = dict(reversed(values.items()))
    assert bootstrap_interval(values, seed=3) == bootstrap_interval(backwards, seed=3)
    assert bootstrap_interval(values, seed=3) != bootstrap_interval(values, seed=4)


def test_a_single_passage_gives_a_point() -> None:
    assert bootstrap_interval({"a": [0.25, 0.75]}, seed=0) == (0.5, 0.5)


def test_a_wider_level_gives_a_wider_interval() -> None:
    values = sample(30)
    (low, high), (lower, higher) = (
        bootstrap_interval(values, seed=0, level=at) or (0, 0) for at in (0.5, 0.99)
    )
    assert lower < low < high < higher


@given(st.dictionaries(st.text(max_size=3), st.lists(st.floats(0, 1), max_size=5), max_size=8))
def test_intervals_hold_within_the_values(values: dict[str, list[float]]) -> None:
    interval = bootstrap_interval(values, seed=0, resamples=50)
    if interval is None:
        assert not any(values.values())
        return
    means = [sum(v) / len(v) for v in values.values() if v]
    assert min(means) - 1e-9 <= interval[0] <= interval[1] <= max(means) + 1e-9


def test_pairing_takes_out_what_the_passages_share() -> None:
    a, b = sample(40), sample(40, shift=-0.25)
    low, high = paired_interval(a, b, seed=0) or (0.0, 0.0)
    assert (low, high) == pytest.approx((0.25, 0.25))
    unpaired = bootstrap_interval(a, seed=0) or (0.0, 0.0)
    assert unpaired[1] - unpaired[0] > 0.1


def test_pairing_needs_the_same_passages() -> None:
    with pytest.raises(UsageError, match="2 passages have values on one side only"):
        paired_interval({"a": [1.0], "b": [1.0]}, {"a": [1.0], "c": [1.0]}, seed=0)


@pytest.mark.parametrize(("resamples", "level"), [(0, 0.95), (10, 0.0), (10, 1.0)])
def test_bad_settings_are_refused(resamples: int, level: float) -> None:
    with pytest.raises(UsageError, match="choose at least 1"):
        bootstrap_interval(sample(3), seed=0, resamples=resamples, level=level)


def ratio(counts: Sequence[float]) -> float | None:
    return counts[0] / counts[1] if counts[1] else None


def test_a_pooled_interval_is_that_of_the_normal_approximation() -> None:
    """Groups of one size: the ratio of the sums is the mean of the shares."""
    rng = random.Random(2)
    counts = {f"g{i}": (sum(rng.random() < 0.5 for _ in range(4)), 4) for i in range(200)}
    shares = [right / of for right, of in counts.values()]
    mean = sum(shares) / 200
    error = math.sqrt(sum((share - mean) ** 2 for share in shares)) / 200
    low, high = pooled_interval(counts, ratio, seed=1) or (0.0, 0.0)
    assert low == pytest.approx(mean - 1.96 * error, abs=0.2 * error)
    assert high == pytest.approx(mean + 1.96 * error, abs=0.2 * error)
    assert pooled_interval(dict(reversed(counts.items())), ratio, seed=1) == (low, high)


def test_a_pooled_interval_leaves_out_draws_without_a_figure() -> None:
    assert pooled_interval({"a": (1, 2), "b": (0, 0)}, ratio, seed=0) == (0.5, 0.5)
    assert pooled_interval({"b": (0, 0)}, ratio, seed=0) is None
    assert pooled_interval({}, ratio, seed=0) is None
    with pytest.raises(UsageError, match="resamples"):
        pooled_interval({}, ratio, seed=0, resamples=0)


@pytest.mark.parametrize(("good", "total"), [(0, 10), (10, 10), (3, 40), (39, 40)])
def test_wilson_solves_its_equation(good: int, total: int) -> None:
    share, z = good / total, 1.959964
    for bound in wilson(good, total):
        assert abs(bound - share) == pytest.approx(z * math.sqrt(bound * (1 - bound) / total), abs=1e-6)
