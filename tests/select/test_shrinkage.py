"""Shrinkage, held against dense linear algebra, the analysis of variance, and worlds whose truth is known."""

from __future__ import annotations

import random
from statistics import fmean, variance

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.select import Candidate, Race, best, means, reliability, shrunk

Truth = dict[str, dict[str, float]]
"""Task → edit → its true value."""


def world(tasks: int, edits: int, spread: float, seed: int) -> tuple[Truth, random.Random]:
    """Tasks that lie far apart, edits that lie `spread` apart; the noise to come has size 1."""
    rng = random.Random(seed)
    middles = [rng.gauss(0, 3) for _ in range(tasks)]
    return {
        f"t{t}": {f"t{t}e{e}": middle + rng.gauss(0, spread) for e in range(edits)}
        for t, middle in enumerate(middles)
    }, rng


def tried(truth: Truth, seeds: int, rng: random.Random) -> list[Candidate]:
    return [
        Candidate(task, edit, tuple(value + rng.gauss(0, 1) for _ in range(seeds)))
        for task, edits in truth.items()
        for edit, value in edits.items()
    ]


def raced(truth: Truth, seeds: int, rng: random.Random) -> list[Candidate]:
    race = Race(truth_ids(truth), range(seeds))
    flat = values(truth)
    while not race.done:
        for edit, seed in race.batch():
            race.tell(edit, seed, flat[edit] + rng.gauss(0, 1))
    return race.candidates


def truth_ids(truth: Truth) -> dict[str, list[str]]:
    return {task: list(edits) for task, edits in truth.items()}


def values(truth: Truth) -> dict[str, float]:
    return {edit: value for edits in truth.values() for edit, value in edits.items()}


def squared_error(found: dict[str, float], truth: Truth) -> float:
    return fmean((found[edit] - value) ** 2 for edit, value in values(truth).items())


def dense(candidates: list[Candidate], points: int) -> dict[str, float]:
    """The same posterior means by full covariance matrices, one row a reward."""
    rows = [(c.task, c.edit, reward) for c in candidates for reward in c.rewards]
    tasks, edits = sorted({c.task for c in candidates}), [c.edit for c in candidates]
    y = np.array([reward for _, _, reward in rows])
    x = np.array([[float(task == name) for name in tasks] for task, _, _ in rows])
    z = np.array([[float(edit == name) for name in edits] for _, edit, _ in rows])
    own = np.array([tasks.index(c.task) for c in candidates])
    logs, predictions = [], []
    for point in (np.arange(points) + 0.5) / points:
        ratio = point / (1 - point)
        v = np.eye(len(y)) + ratio * z @ z.T
        vx, vy = np.linalg.solve(v, x), np.linalg.solve(v, y)
        beta = np.linalg.solve(x.T @ vx, x.T @ vy)
        rest = y - x @ beta
        vr = np.linalg.solve(v, rest)
        determinants = np.linalg.slogdet(v)[1] + np.linalg.slogdet(x.T @ vx)[1]
        logs.append(-0.5 * (determinants + (len(y) - len(tasks)) * np.log(rest @ vr)))
        predictions.append(beta[own] + ratio * z.T @ vr)
    chances = np.exp(np.array(logs) - max(logs))
    found = chances @ np.array(predictions) / chances.sum()
    return dict(zip(edits, found.tolist(), strict=True))


def uneven() -> list[Candidate]:
    truth, rng = world(4, 4, 1.0, seed=5)
    return [Candidate(c.task, c.edit, c.rewards[: 1 + i % 3]) for i, c in enumerate(tried(truth, 3, rng))]


rewards = st.floats(-100, 100).map(lambda x: round(x, 3))


@st.composite
def balanced(draw: st.DrawFn) -> list[Candidate]:
    seeds = draw(st.integers(1, 3))
    sizes = draw(st.lists(st.integers(1, 4), min_size=1, max_size=3))
    row = st.lists(rewards, min_size=seeds, max_size=seeds)
    return [
        Candidate(f"t{t}", f"t{t}e{e}", tuple(draw(row))) for t, size in enumerate(sizes) for e in range(size)
    ]


def test_values_are_those_of_the_dense_model() -> None:
    assert shrunk(uneven()) == pytest.approx(dense(uneven(), points=128), abs=1e-9)


def test_the_grid_is_fine_enough() -> None:
    assert shrunk(uneven()) == pytest.approx(dense(uneven(), points=2000), abs=1e-3)


@settings(max_examples=60)
@given(balanced())
def test_with_equal_seeds_the_order_and_the_middle_of_a_task_stay(candidates: list[Candidate]) -> None:
    found, plain = shrunk(candidates), means(candidates)
    for task in {c.task for c in candidates}:
        mine = [c.edit for c in candidates if c.task == task]
        middle = fmean(plain[edit] for edit in mine)
        assert fmean(found[edit] for edit in mine) == pytest.approx(middle, abs=1e-9)
        for edit in mine:
            assert abs(found[edit] - middle) <= abs(plain[edit] - middle) + 1e-9
        for a in mine:
            assert all(found[a] >= found[b] - 1e-9 for b in mine if plain[a] > plain[b])


@settings(max_examples=30)
@given(balanced(), st.floats(-50, 50), st.floats(0.01, 50))
def test_the_unit_of_the_reward_does_not_matter(
    candidates: list[Candidate], shift: float, scale: float
) -> None:
    moved = [Candidate(c.task, c.edit, tuple(shift + scale * x for x in c.rewards)) for c in candidates]
    expected = {edit: shift + scale * value for edit, value in shrunk(candidates).items()}
    assert shrunk(moved) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_who_was_tried_less_is_drawn_further() -> None:
    rows = {"a": (2.0,), "b": (2.1, 1.9, 2.2, 1.8), "c": (-2.0, -1.5, -2.5, -2.0)}
    found = shrunk([Candidate("t", edit, row) for edit, row in rows.items()])
    assert found["a"] < found["b"] < 2.0


def test_one_seed_each_is_drawn_half_way() -> None:
    candidates = [Candidate("t", "a", (1.0,)), Candidate("t", "b", (3.0,)), Candidate("u", "c", (7.0,))]
    assert shrunk(candidates) == pytest.approx({"a": 1.5, "b": 2.5, "c": 7.0})
    assert reliability(candidates) is None


def test_no_spread_leaves_the_means() -> None:
    candidates = [
        Candidate("t", "a", (0.1, 0.1, 0.1)),
        Candidate("t", "b", (0.1, 0.1)),
        Candidate("u", "c", (0.7,)),
    ]
    assert shrunk(candidates) == means(candidates)
    assert reliability(candidates) is None
    assert shrunk([]) == {}
    assert reliability([]) is None


def test_edits_alone_in_their_tasks_keep_their_means() -> None:
    candidates = [Candidate("t", "a", (1.0, 2.0)), Candidate("u", "b", (5.0, 9.0))]
    assert shrunk(candidates) == pytest.approx({"a": 1.5, "b": 7.0})
    assert reliability(candidates) is None


def test_rewards_that_no_seed_changes_are_hardly_drawn() -> None:
    candidates = [Candidate("t", name, (x, x, x)) for name, x in {"a": 0.0, "b": 1.0, "c": 5.0}.items()]
    assert shrunk(candidates) == pytest.approx(means(candidates), abs=0.02)
    assert reliability(candidates) == pytest.approx(1.0, abs=0.02)


@pytest.mark.parametrize("spread", [0.3, 1.0, 2.0])
def test_the_error_is_smaller_than_the_means_and_near_the_least(spread: float) -> None:
    """The least: that of one who knows how reliable the rewards are."""
    truth, rng = world(60, 5, spread, seed=1)
    candidates = tried(truth, 2, rng)
    plain = means(candidates)
    middles = {task: fmean(plain[edit] for edit in edits) for task, edits in truth.items()}
    share = spread**2 / (spread**2 + 0.5)
    known = {c.edit: middles[c.task] + share * (c.mean - middles[c.task]) for c in candidates}
    assert squared_error(shrunk(candidates), truth) < 0.95 * squared_error(plain, truth)
    assert squared_error(shrunk(candidates), truth) < 1.05 * squared_error(known, truth)


def test_the_chosen_is_worth_what_its_value_says() -> None:
    """Two seeds choose the best of five: its mean looks far better than it is, its shrunk value does not."""
    truth, rng = world(200, 5, 0.5, seed=2)
    candidates, real = tried(truth, 2, rng), values(truth)
    plain, drawn = means(candidates), shrunk(candidates)
    chosen = [edits[0] for edits in best(candidates).values()]
    assert fmean(plain[edit] - real[edit] for edit in chosen) > 0.4
    assert fmean(drawn[edit] - real[edit] for edit in chosen) == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_reliability_is_that_of_the_analysis_of_variance(spread: float) -> None:
    truth, rng = world(60, 5, spread, seed=3)
    candidates = tried(truth, 3, rng)
    within = fmean(variance(c.rewards) for c in candidates)
    between = 3 * fmean(variance([c.mean for c in candidates if c.task == task]) for task in truth)
    assert reliability(candidates) == pytest.approx((between - within) / (between + 2 * within), abs=0.01)


@pytest.mark.parametrize("spread", [0.5, 1.0, 2.0])
def test_a_race_does_not_mislead_it(spread: float) -> None:
    truth, rng = world(100, 6, spread, seed=4)
    assert reliability(raced(truth, 4, rng)) == pytest.approx(spread**2 / (spread**2 + 1), abs=0.06)
