"""Races: by hand, in any order, with failures, and against trying everyone equally often."""

from __future__ import annotations

import math
import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.select import Candidate, Race, Rung, best, means, rungs

Results = dict[tuple[str, int], float | None]


def run(race: Race, results: Results) -> list[list[tuple[str, int]]]:
    """Runs to the end; gives the batches."""
    batches: list[list[tuple[str, int]]] = []
    while not race.done:
        batches.append(race.batch())
        for edit, seed in batches[-1]:
            race.tell(edit, seed, results[edit, seed])
    return batches


def state(race: Race, tasks: dict[str, list[str]]) -> tuple[object, ...]:
    return race.batch(), race.done, race.spent, race.candidates, [race.left(task) for task in tasks]


@st.composite
def meetings(draw: st.DrawFn) -> tuple[dict[str, list[str]], int, int, int, Results]:
    """Tasks, number of seeds, keep, eta, and how every trial would go."""
    sizes = draw(st.lists(st.integers(0, 6), min_size=1, max_size=3))
    tasks = {f"t{t}": [f"t{t}e{e}" for e in range(size)] for t, size in enumerate(sizes)}
    seeds = draw(st.integers(1, 5))
    outcome = st.one_of(st.none(), *[st.integers(-3, 3).map(float)] * 4)
    results = {(e, s): draw(outcome) for edits in tasks.values() for e in edits for s in range(seeds)}
    return tasks, seeds, draw(st.integers(1, 3)), draw(st.integers(2, 3)), results


@pytest.mark.parametrize(
    ("edits", "seeds", "keep", "eta", "expected"),
    [
        (5, 2, 1, 2, [(5, 1), (3, 2)]),
        (5, 3, 1, 2, [(5, 1), (3, 2), (2, 3)]),
        (8, 8, 1, 2, [(8, 1), (4, 2), (2, 4), (1, 8)]),
        (9, 9, 1, 3, [(9, 1), (3, 3), (1, 9)]),
        (8, 4, 3, 2, [(8, 1), (4, 2), (3, 4)]),
        (2, 2, 5, 2, [(2, 1), (2, 2)]),
        (5, 1, 1, 2, [(5, 1)]),
        (0, 2, 1, 2, [(0, 1), (0, 2)]),
    ],
)
def test_rungs(edits: int, seeds: int, keep: int, eta: int, expected: list[tuple[int, int]]) -> None:
    assert rungs(edits, seeds, keep, eta) == tuple(Rung(*each) for each in expected)


def test_a_race_by_hand() -> None:
    tasks = {"t": ["a", "b", "c", "d", "e"], "u": ["v", "w"]}
    first = {"a": 0.1, "b": 0.9, "c": 0.3, "d": 0.8, "e": 0.2, "v": 0.0, "w": 1.0}
    second = {"b": 0.1, "c": 0.5, "d": 0.8, "w": -1.0}
    race = Race(tasks, seeds=[7, 3])
    assert race.batch() == [(edit, 7) for edit in "abcdevw"]
    for edit, reward in first.items():
        race.tell(edit, 7, reward)
    assert race.left("t") == ["b", "c", "d"]
    assert race.batch() == [(edit, 3) for edit in "bcdw"]
    for edit, reward in second.items():
        race.tell(edit, 3, reward)
    assert race.done
    assert (race.left("t"), race.left("u")) == (["d"], ["w"])
    assert race.spent == 11
    assert race.candidates[:2] == [Candidate("t", "a", (0.1,)), Candidate("t", "b", (0.9, 0.1))]


def test_what_failed_is_out_and_never_scored_zero() -> None:
    race = Race({"t": ["a", "b", "c", "d"]}, seeds=[0, 1])
    for edit, reward in {"a": -5.0, "b": None, "c": -4.0, "d": -6.0}.items():
        race.tell(edit, 0, reward)
    assert race.batch() == [("a", 1), ("c", 1)]
    race.tell("c", 1, None)
    assert race.left("t") == ["a"]
    race.tell("a", 1, -9.0)
    assert race.done
    assert race.left("t") == ["a"]
    assert race.candidates == [Candidate("t", "a", (-5.0, -9.0)), Candidate("t", "d", (-6.0,))]


def test_a_rung_is_tried_whole_whoever_fails_in_it() -> None:
    race = Race({"t": ["a"]}, seeds=range(6), eta=3)
    race.tell("a", 0, 1.0)
    assert race.batch() == [("a", 1), ("a", 2)]
    race.tell("a", 1, None)
    assert race.left("t") == []
    assert race.batch() == [("a", 2)]
    race.tell("a", 2, 1.0)
    assert race.done
    assert race.left("t") == []


def test_where_all_fail_nobody_is_left() -> None:
    race = Race({"t": ["a", "b"], "empty": []}, seeds=[0])
    race.tell("a", 0, None)
    race.tell("b", 0, None)
    assert race.done
    assert (race.left("t"), race.left("empty"), race.candidates, race.spent) == ([], [], [], 2)


def test_ties_go_to_the_first() -> None:
    tasks = {"t": list("abcdefgh")}
    race = Race(tasks, seeds=range(8), keep=2)
    run(race, {(edit, seed): 0.5 for edit in tasks["t"] for seed in range(8)})
    assert race.left("t") == ["a", "b"]


@given(meetings())
def test_rules_that_hold_for_every_race(
    meeting: tuple[dict[str, list[str]], int, int, int, Results],
) -> None:
    tasks, seeds, keep, eta, results = meeting
    race = Race(tasks, range(seeds), keep, eta)
    asked = [each for batch in run(race, results) for each in batch]
    assert len(asked) == len(set(asked)) == race.spent
    assert len(asked) <= sum(
        rung.edits * (rung.seeds - before)
        for edits in tasks.values()
        for ladder in [rungs(len(edits), seeds, keep, eta)]
        for rung, before in zip(ladder, [0, *(r.seeds for r in ladder)], strict=False)
    )
    for task, edits in tasks.items():
        left = race.left(task)
        assert len(left) <= keep
        assert all(results[edit, seed] is not None for edit in left for seed in range(seeds))
        if edits and all(results[edit, seed] is not None for edit in edits for seed in range(seeds)):
            assert len(left) == min(keep, len(edits))


@given(meetings(), st.randoms(use_true_random=False), st.floats(0, 1))
def test_the_order_of_telling_does_not_matter(
    meeting: tuple[dict[str, list[str]], int, int, int, Results], rng: random.Random, part: float
) -> None:
    tasks, seeds, keep, eta, results = meeting
    unbroken = Race(tasks, range(seeds), keep, eta)
    told = [each for batch in run(unbroken, results) for each in batch]
    rng.shuffle(told)
    resumed = Race(tasks, range(seeds), keep, eta)
    for edit, seed in told[: int(part * len(told))] * 2:
        resumed.tell(edit, seed, results[edit, seed])
    run(resumed, results)
    assert state(resumed, tasks) == state(unbroken, tasks)


def test_it_finds_the_best_more_often_than_trying_everyone_equally_often() -> None:
    rng = random.Random(0)
    tasks = {f"t{t}": [f"t{t}e{e}" for e in range(16)] for t in range(200)}
    truth = {edit: rng.gauss(0, 1) for edits in tasks.values() for edit in edits}
    results = {(edit, seed): value + rng.gauss(0, 1) for edit, value in truth.items() for seed in range(8)}
    race = Race(tasks, range(8))
    run(race, dict(results))
    equal = best(
        [
            Candidate(task, edit, tuple(results[edit, seed] for seed in range(3)))
            for task, edits in tasks.items()
            for edit in edits
        ],
        value=means,
    )
    top = {task: max(edits, key=lambda edit: truth[edit]) for task, edits in tasks.items()}
    found = fmean(race.left(task) == [top[task]] for task in tasks)
    found_by_equal = fmean(equal[task] == [top[task]] for task in tasks)
    assert race.spent == 200 * 40 < 200 * 48
    assert found > found_by_equal + 0.05


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (({"t": ["a", "a"]}, [0]), "an edit comes twice"),
        (({"t": ["a"], "u": ["a"]}, [0]), "an edit comes twice"),
        (({"t": ["a"]}, []), "seeds are"),
        (({"t": ["a"]}, [1, 1]), "seeds are"),
        (({"t": ["a"]}, [0], 0), "keep is 0"),
        (({"t": ["a"]}, [0], 1, 1), "eta is 1"),
    ],
)
def test_what_cannot_be_run_is_refused(
    arguments: tuple[dict[str, list[str]], list[int]], complaint: str
) -> None:
    with pytest.raises(UsageError, match=complaint):
        Race(*arguments)


def test_what_cannot_be_true_is_refused() -> None:
    race = Race({"t": ["a"]}, seeds=[0])
    with pytest.raises(UsageError, match="nobody runs as edit b"):
        race.tell("b", 0, 1.0)
    with pytest.raises(UsageError, match="with seed 5"):
        race.tell("a", 5, 1.0)
    with pytest.raises(UsageError, match="tell None"):
        race.tell("a", 0, math.nan)
    with pytest.raises(UsageError, match="no task u"):
        race.left("u")
    race.tell("a", 0, 1.0)
    race.tell("a", 0, 1.0)
    for other in (2.0, None):
        with pytest.raises(UsageError, match="tell one of them"):
            race.tell("a", 0, other)
    assert race.left("t") == ["a"]
