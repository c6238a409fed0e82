"""What a recipe costs, against counts by hand and against races that are run."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.config import Recipe
from selfedit.forecast import FORWARD, Pace
from selfedit.recipes import Cost, Sizes, estimate, load_recipe
from selfedit.recipes.cost import trials
from selfedit.select import Race

SIZES = Sizes(
    passages=100,
    report_passages=96,
    probes=5,
    passage=200,
    question=20,
    answer=10,
    edit=1000,
    prompt=300,
    written=150,
)


def recipe(**given: Any) -> Recipe:
    return Recipe.model_validate(given)


def test_the_published_round_is_750_trials() -> None:
    (first, second) = estimate(load_recipe("knowledge-qwen2.5-7b"), SIZES).rounds
    assert first == second
    assert (first.edits, first.adapters) == (250, 750 + 1)
    trained = 750 * 10 * SIZES.edit + 50 * 2 * (SIZES.prompt + SIZES.written)
    assert first.trained == trained
    assert first.written == 250 * SIZES.written + 750 * SIZES.probes * SIZES.answer


def test_a_round_by_hand() -> None:
    one = recipe(
        rounds=1,
        data={"passages": 3},
        write={"samples": 2},
        apply={"epochs": 2},
        judge={"seeds": [0, 1], "probes": "both", "own_probes": 7, "rewards": [{"name": "gain"}]},
        select={"method": "best", "beat": ["base", "passage"]},
        reinforce={"training": {"epochs": 4}},
        report={"rows": []},
    )
    found = estimate(one, SIZES)
    probed = (5 + 7) * 20  # read with the gold answers; nothing is answered for `gain`
    assert found.report == Cost()
    assert found.total == Cost(
        edits=3 * 2,
        adapters=3 * (2 * 2 + 2) + 1,
        trained=3 * (4 * 2 * 1000 + 2 * 2 * 200) + 3 * 4 * (300 + 150),
        read=3 * (2 * 300 + 7 * 200 + (4 + 1 + 2) * probed),
        written=3 * (2 * 150 + 7 * 20),
    )


def test_grpo_learns_from_everything_and_kl_reads_it_again() -> None:
    kept = estimate(recipe(rounds=1), SIZES).rounds[0]
    every = estimate(recipe(rounds=1, reinforce={"method": "grpo", "kl": 0.1}), SIZES).rounds[0]
    tokens = 20 * (300 + 150)
    assert every.trained - kept.trained == (5 - 1) * 2 * tokens
    assert every.read - kept.read == 5 * tokens, "once, however many epochs there are"


def test_no_more_passages_than_there_are() -> None:
    few = estimate(recipe(data={"passages": 1000}), SIZES)
    assert few.rounds[0] == estimate(recipe(data={"passages": 100}), SIZES).rounds[0]
    whole = {"report_passages": None}
    assert estimate(recipe(data=whole), SIZES).report == estimate(recipe(), SIZES).report


ASKED = Cost(read=5 * 20, written=5 * 10)
"""One passage's questions, answered."""


@pytest.mark.parametrize(
    ("row", "each"),
    [
        ("base", ASKED),
        ("in-context", ASKED + Cost(read=5 * 200)),
        ("retrieval", ASKED + Cost(read=5 * 200)),
        ("passage", Cost(adapters=2, trained=2 * 5 * 200) + ASKED + ASKED),
        ("gold", Cost(adapters=2, trained=2 * 5 * 1000) + ASKED + ASKED),
        ("teacher", Cost(adapters=2, trained=2 * 5 * 1000) + ASKED + ASKED),
        ("untrained", Cost(1, 2, 2 * 5 * 1000, 300, 150) + ASKED + ASKED),
        ("rounds", Cost(3, 6, 3 * 2 * 5 * 1000, 3 * 300, 3 * 150) + Cost(read=6 * 100, written=6 * 50)),
    ],
)
def test_rows_of_the_table_by_hand(row: str, each: Cost) -> None:
    one = recipe(rounds=3, data={"report_passages": 10}, report={"rows": [row], "seeds": [0, 1]})
    found = estimate(one, SIZES).report
    assert found == Cost(
        10 * each.edits, 10 * each.adapters, 10 * each.trained, 10 * each.read, 10 * each.written
    )


def test_passages_in_one_adapter_are_fewer_adapters_and_as_many_tokens() -> None:
    def table(row: str) -> Cost:
        held = recipe(data={"report_passages": 10}, report={"rows": [row], "seeds": [0, 1]})
        return estimate(held, SIZES).report

    policies = 3  # the base, the writer that ships, the last round's
    assert table("joint:4").adapters == 2 * 3 * (1 + policies)
    assert table("joint:4").trained == table("passage").trained + policies * table("gold").trained
    assert table("best-of-n").edits == 10 * 5


def test_every_format_is_a_row() -> None:
    def table(row: str, formats: list[str]) -> Cost:
        return estimate(recipe(write={"formats": formats}, report={"rows": [row]}), SIZES).report

    several = ["rewrite", "implications", "question-answer"]
    for row in ("untrained", "warm", "rounds"):
        assert table(row, several).adapters == 3 * table(row, several[:1]).adapters


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 12), st.integers(1, 9), st.integers(1, 12), st.randoms(use_true_random=False))
def test_a_race_takes_as_many_trials_as_are_told(samples: int, seeds: int, keep: int, rng: Any) -> None:
    held = recipe(
        write={"samples": samples}, judge={"seeds": [*range(seeds)]}, select={"keep": min(keep, samples)}
    )
    race = Race({"t": [f"e{n}" for n in range(samples)]}, held.judge.seeds, held.select.keep)
    while not race.done:
        for edit, seed in race.batch():
            race.tell(edit, seed, rng.random())
    assert race.spent == trials(held) <= samples * seeds


def test_seconds_are_those_of_the_pace() -> None:
    cost = Cost(trained=1000, read=300, written=60)
    assert cost.seconds(Pace(train=100, write=20)) == pytest.approx((1000 + FORWARD * 300) / 100 + 3)


def test_what_is_recited_is_said_and_read_for_every_answer() -> None:
    rows = ["base", "in-context", "warm"]
    at_once = recipe(rounds=1, data={"passages": 1}, report={"rows": rows})
    said = recipe(rounds=1, data={"passages": 1}, report={"rows": rows}, write={"recite": True})
    sizes = dataclasses.replace(SIZES, said=7)
    assert estimate(said, SIZES) == estimate(at_once, SIZES) == estimate(at_once, sizes)
    found, plain = estimate(said, sizes), estimate(at_once, sizes)
    more = 2 * 96 * 5 * 7  # both rows that have no passage in view
    assert found.report.written - plain.report.written == more
    assert found.report.read - plain.report.read == more
    tried = trials(said) + 1 + 2  # and the floors: the base, and the passage alone on both seeds
    assert found.rounds[0].written - plain.rounds[0].written == tried * 5 * 7
    assert found.rounds[0].trained == plain.rounds[0].trained


def test_the_writer_that_reads_trains_nothing() -> None:
    (row,) = [estimate(recipe(report={"rows": ["in-context-warm"]}), SIZES).report]
    assert (row.adapters, row.trained, row.edits) == (0, 0, 0)
