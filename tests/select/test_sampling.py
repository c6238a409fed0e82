"""Temperatures and the bandit, held against a dense regression and worlds whose best format is known."""

from __future__ import annotations

import random
from collections.abc import Mapping

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.select import Bandit, Candidate, temperature

FORMATS = ["notes", "pairs", "rewrite"]
History = Mapping[str, list[Candidate]]


def history(tasks: int, mix: Mapping[str, int], effects: Mapping[str, float], seed: int) -> History:
    """Candidates of tasks that lie far apart and differ in scale; each has `mix` edits of each format."""
    rng = random.Random(seed)
    found: dict[str, list[Candidate]] = {name: [] for name in mix}
    for task in range(tasks):
        middle, scale = rng.gauss(0, 10), rng.choice([0.1, 1.0, 10.0])
        for name, many in mix.items():
            for i in range(many):
                reward = middle + scale * (effects[name] + rng.gauss(0, 1))
                found[name].append(Candidate(f"s{seed}t{task}", f"s{seed}t{task}{name}{i}", (reward,)))
    return found


def chances(past: History, formats: list[str], draws: int = 100_000) -> dict[str, float]:
    """How often each format is best, by a regression on tasks (all but flat) and formats, one row an edit."""
    rows = [(c.task, name, c.mean) for name, mine in past.items() for c in mine]
    tasks = sorted({task for task, _, _ in rows})
    y = np.array([reward for _, _, reward in rows])
    for task in tasks:
        own = np.array([name == task for name, _, _ in rows])
        y[own] = (y[own] - y[own].mean()) / y[own].std(ddof=1)
    x = np.array(
        [[*(t == task for task in tasks), *(f == name for name in formats)] for t, f, _ in rows], float
    )
    precision = x.T @ x + np.diag([1e-9] * len(tasks) + [1.0] * len(formats))
    cover = np.linalg.inv(precision)
    drawn = np.random.default_rng(0).multivariate_normal(cover @ x.T @ y, cover, draws)[:, len(tasks) :]
    share = np.bincount(drawn.argmax(axis=1), minlength=len(formats)) / draws
    return dict(zip(formats, share.tolist(), strict=True))


def test_temperatures() -> None:
    assert [temperature(0.8, round) for round in (0, 5)] == [0.8, 0.8]
    assert [temperature([1.0, 0.7], round) for round in (0, 1, 2, 9)] == [1.0, 0.7, 0.7, 0.7]


def test_temperatures_that_cannot_be() -> None:
    with pytest.raises(UsageError, match="schedule is empty"):
        temperature([], 0)
    with pytest.raises(UsageError, match="round is -1"):
        temperature(1.0, -1)


def test_samples_go_to_a_format_as_often_as_it_is_likely_the_best() -> None:
    past = history(
        6, {"notes": 1, "pairs": 2, "rewrite": 2}, {"notes": 0.0, "pairs": 0.5, "rewrite": 0.7}, seed=4
    )
    counts = Bandit().counts(past, FORMATS, samples=4000, seed=0, round=0)
    expected = chances(past, FORMATS)
    assert min(expected.values()) > 0.02
    assert {name: n / 4000 for name, n in counts.items()} == pytest.approx(expected, abs=0.025)


def test_without_a_past_all_are_alike() -> None:
    counts = Bandit().counts({}, FORMATS, samples=3000, seed=1, round=0)
    assert list(counts) == FORMATS
    assert list(counts.values()) == pytest.approx([1000] * 3, abs=100)


def test_the_better_format_is_found_and_easy_tasks_do_not_decide() -> None:
    """`pairs` is better in every task, but was mostly tried in the hard ones."""
    hard, easy = -50.0, 50.0
    past = {
        "pairs": [Candidate(f"h{i}", f"h{i}p{j}", (hard + 1 + 0.1 * j,)) for i in range(8) for j in range(4)],
        "notes": [Candidate(f"h{i}", f"h{i}n", (hard,)) for i in range(8)]
        + [Candidate(f"e{i}", f"e{i}n{j}", (easy - 0.1 * j,)) for i in range(8) for j in range(4)],
    }
    assert Bandit().counts(past, ["notes", "pairs"], 100, seed=0, round=1)["pairs"] > 95


def test_an_uneven_mix_does_not_hide_who_is_better() -> None:
    """Many rounds that wrote almost only the better format do not make it look average."""
    effects = {"notes": 0.0, "pairs": 1.0}
    even = history(6, {"notes": 2, "pairs": 2}, effects, seed=1)
    later = history(40, {"pairs": 5}, effects, seed=2)
    past = {"notes": even["notes"], "pairs": [*even["pairs"], *later["pairs"]]}
    bandit = Bandit()
    assert bandit.counts(past, list(even), 300, 0, 1) == bandit.counts(even, list(even), 300, 0, 1)


def test_tasks_whose_edits_are_all_alike_say_nothing() -> None:
    past = history(6, {"notes": 2, "pairs": 2}, {"notes": 0.0, "pairs": 0.4}, seed=1)
    flat = {name: [Candidate(f"z{i}", f"z{i}{name}", (0.0,)) for i in range(50)] for name in past}
    bandit = Bandit()
    held = bandit.counts(past, list(past), 300, 0, 1)
    assert min(held.values()) > 0
    assert bandit.counts({name: past[name] + flat[name] for name in past}, list(past), 300, 0, 1) == held


def test_rounds_turn_to_the_better_format() -> None:
    effects = {"notes": 0.0, "pairs": 0.2, "rewrite": 1.0}
    past: dict[str, list[Candidate]] = {name: [] for name in FORMATS}
    shares = []
    for round in range(6):
        counts = Bandit(least=10).counts(past, FORMATS, samples=100, seed=3, round=round)
        shares.append(counts["rewrite"])
        assert min(counts.values()) >= 10
        for name, new in history(10, {f: n // 10 for f, n in counts.items()}, effects, seed=round).items():
            past[name] += new
    assert shares[-1] == 80
    assert shares[-1] > shares[0]


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(FORMATS), st.integers(0, 2), st.integers(-8, 8)), max_size=20),
    st.sampled_from([0.25, 1.0, 64.0]),
    st.integers(-100, 100),
)
def test_the_unit_of_a_tasks_rewards_does_not_matter(
    rows: list[tuple[str, int, int]], scale: float, shift: int
) -> None:
    def past(scale: float, shift: float) -> History:
        found: dict[str, list[Candidate]] = {}
        for i, (name, task, reward) in enumerate(rows):
            value = shift + scale * reward if task == 0 else float(reward)
            found.setdefault(name, []).append(Candidate(str(task), str(i), (value,)))
        return found

    counts = Bandit().counts(past(scale, shift), FORMATS, 30, seed=0, round=0)
    assert counts == Bandit().counts(past(1.0, 0.0), FORMATS, 30, seed=0, round=0)
    assert sum(counts.values()) == 30


def test_draws_depend_on_seed_and_round_alone() -> None:
    past = history(4, {"notes": 2, "pairs": 2}, {"notes": 0.0, "pairs": 0.2}, seed=0)
    both = ["notes", "pairs"]
    bandit = Bandit()
    held = bandit.counts(past, both, 100, seed=0, round=0)
    assert bandit.counts(past, both, 100, seed=0, round=0) == held
    assert bandit.counts(past, both[::-1], 100, seed=0, round=0) == held
    others = [bandit.counts(past, both, 100, seed, round) for seed, round in ((1, 0), (0, 1), (2, 2))]
    assert any(other != held for other in others)


def test_the_same_edit_in_two_rounds_counts_twice() -> None:
    once = {"notes": [Candidate("t", "a", (1.0,))], "pairs": [Candidate("t", "b", (0.0,))]}
    often = {name: mine * 20 for name, mine in once.items()}
    assert Bandit().counts(often, list(once), 100, 0, 0)["notes"] == 100
    assert Bandit().counts(once, list(once), 100, 0, 0)["notes"] < 95


def test_formats_that_are_gone_are_not_sampled() -> None:
    past = history(
        8, {"notes": 2, "pairs": 2, "rewrite": 2}, {"notes": 0.0, "pairs": 1.0, "rewrite": 4.0}, seed=0
    )
    counts = Bandit().counts(past, ["notes", "pairs"], 50, seed=0, round=0)
    assert set(counts) == {"notes", "pairs"}
    assert counts["pairs"] > 40


@pytest.mark.parametrize(
    ("bandit", "formats", "samples", "complaint"),
    [
        (Bandit(), [], 5, "formats are"),
        (Bandit(), ["a", "a"], 5, "formats are"),
        (Bandit(least=2), ["a", "b"], 3, "3 samples do not give 2 to each of 2"),
        (Bandit(least=-1), ["a", "b"], 3, "do not give -1"),
        (Bandit(), ["a"], -1, "-1 samples"),
        (Bandit(prior=0.0), ["a"], 1, "prior is 0.0"),
    ],
)
def test_what_cannot_be_sampled_is_refused(
    bandit: Bandit, formats: list[str], samples: int, complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        bandit.counts({}, formats, samples, 0, 0)


def test_least_may_take_all() -> None:
    assert Bandit(least=2).counts({}, ["a", "b"], 4, 0, 0) == {"a": 2, "b": 2}
    assert Bandit().counts({}, ["a"], 0, 0, 0) == {"a": 0}
