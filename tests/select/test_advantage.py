"""Advantages, held against the standard library's deviation."""

from __future__ import annotations

from statistics import fmean, stdev

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.select import Candidate, advantages

rows = st.lists(st.integers(-1000, 1000).map(lambda n: n / 8), min_size=1, max_size=6)


def group(task: str, values: list[float]) -> list[Candidate]:
    return [Candidate(task, f"{task}{i}", (value - 1, value + 1)) for i, value in enumerate(values)]


def test_each_task_is_a_group_of_its_own() -> None:
    found = advantages([*group("t", [1.0, 2.0, 3.0]), *group("u", [50.0, 10.0])])
    half = 0.5**0.5
    assert found == pytest.approx({"t0": -1, "t1": 0, "t2": 1, "u0": half, "u1": -half})


def test_without_spread_it_is_zero() -> None:
    same = [Candidate("t", "a", (0.3,)), Candidate("t", "b", (0.1 + 0.2,)), Candidate("u", "c", (7.0,))]
    assert same[0].mean != same[1].mean  # by rounding, which must not be blown up
    assert advantages(same) == {"a": 0, "b": 0, "c": 0}
    assert advantages([]) == {}


@given(rows, rows)
def test_mean_zero_and_deviation_one(a: list[float], b: list[float]) -> None:
    found = advantages([*group("t", a), *group("u", b)])
    for task, values in (("t", a), ("u", b)):
        mine = [found[f"{task}{i}"] for i in range(len(values))]
        assert fmean(mine) == pytest.approx(0, abs=1e-9)
        if len(set(values)) > 1:
            assert stdev(mine) == pytest.approx(1)
            assert mine == pytest.approx([(x - fmean(values)) / stdev(values) for x in values], abs=1e-9)
        else:
            assert mine == [0] * len(values)
