"""Whole benchmarks on a tiny model, with the sides in this process: every row has the contract's fields."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from selfedit.bench import Row, Settings, generate, markdown, ours, score, settings_for, theirs, train, trial
from selfedit.bench.ground import Ground
from selfedit.bench.side import Verbs

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")

CONTRACT = {"name", "case", "rival", "ratio", "ours", "theirs", "unit", "machine"}
MEASURED = {
    "gemm_gflops",
    "ours_memory_mb",
    "theirs_memory_mb",
    "ours_threads",
    "theirs_threads",
    "agreement",
}


class Local:
    """A side without a process; arguments and answers go through JSON all the same."""

    def __init__(self, verbs: Verbs) -> None:
        self.verbs = verbs

    def ask(self, verb: str, **arguments: Any) -> Any:
        return json.loads(json.dumps(self.verbs[verb](**json.loads(json.dumps(arguments)))))


@pytest.fixture
def ground(settings: Settings, tmp_path: Path) -> Callable[[str], Ground]:
    def made(name: str) -> Ground:
        given = settings_for(name, quick=True, **{k: getattr(settings, k) for k in KEPT})
        left, right = Local(ours.verbs(given)), Local(theirs.verbs(given))
        return Ground(given, left, right, given, str(tmp_path), right.ask("facts"), 10.0, lambda _: None)

    return made


KEPT = ("base", "synthetic", "device", "dtype", "threads", "pad_to")


def check(row: Row) -> dict[str, Any]:
    found = json.loads(json.dumps(row.as_json()))
    assert found.keys() >= CONTRACT | MEASURED
    assert found["ratio"] == pytest.approx(found["ours"] / found["theirs"], rel=2e-3)
    return found


def test_train_proves_identical_work(ground: Callable[[str], Ground]):
    here = ground("train")
    careful = train.against_careful(here)
    padded = {**here.theirs.ask("published"), "memory": here.theirs.ask("memory")}
    first, second = check(train.careful_row(here, careful)), check(train.published_row(here, careful, padded))
    assert first["agrees"]
    assert first["loss_ours"] < first["loss_initial"]
    assert first["theirs_measured"].startswith("2 plans, 12 steps")
    assert second["agreement"] is None
    assert "256" in second["rival"]


def test_train_notices_work_that_is_not_identical(ground: Callable[[str], Ground]):
    found = train.agreement(ground("train"), [(3.0, 2.0, 2.0), (3.0, 2.0, 2.5)])
    assert not found["agrees"]
    assert found["agreement"] == pytest.approx(0.2)


def test_generate_gives_the_same_tokens(ground: Callable[[str], Ground]):
    rows = [check(row) for row in generate.rows(ground("generate"))]
    assert [row["rival"] for row in rows] == ["careful (PEFT mixed batch)", "one row at a time"]
    assert [row["agreement"] for row in rows] == [1.0, 1.0]


def test_score_gives_the_same_log_probabilities(ground: Callable[[str], Ground]):
    (row,) = (check(row) for row in score.rows(ground("score")))
    assert row["agrees"]


def test_trial_gives_the_same_answers(ground: Callable[[str], Ground]):
    (row,) = (check(row) for row in trial.rows(ground("trial")))
    assert row["unit"] == "trials/h"
    assert row["agreement"] == 1.0
    assert row["equal_verdicts"] == 1.0


def test_equal_tokens_stop_counting_at_the_first_difference():
    assert generate.agreement([[1, 2, 3], [4]], [[1, 9, 3], [4]]) == 0.5
    assert generate.agreement([[1, 2]], [[1, 2, 3, 4]]) == 0.5


def test_table_shows_every_row_and_both_sides():
    row = Row(
        "train",
        "8 plans",
        "careful",
        30.0,
        10.0,
        "tokens/s",
        "a machine",
        {"ours_threads": 1, "theirs_threads": 2},
    )
    text = markdown([row.as_json(), replace(row, rival="published").as_json()])
    assert "| train | 8 plans | careful | 30 tokens/s | 10 | 3.00× |" in text
    assert "1 / 2" in text
    assert "a machine" in text
    assert markdown([]) == "no rows"
