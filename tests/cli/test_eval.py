"""`selfedit eval`: the table for programs, for people and as raw results; what is refused, in one line."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from selfedit.evaluating import pairs
from selfedit.store import Store

from ..evaluating.conftest import PLACES, SMALL, place
from ..fakes import FakeWorker
from .conftest import Run


@pytest.fixture
def recipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recipe's file, beside its data."""
    monkeypatch.setenv("SELFEDIT_DATA", "data")
    (here / "data" / "squad").mkdir(parents=True)
    rows = [place(at, name) for at, name in enumerate(PLACES)]
    (here / "data" / "squad" / "val_report.json").write_text(json.dumps(rows))
    (here / "small.yaml").write_text(SMALL)
    return "small.yaml"


def test_one_array_with_a_row_for_every_method(run: Run, recipe: str, worker: FakeWorker) -> None:
    ended = run("eval", recipe, "--rows", "base,gold", "--json")
    assert ended.code == 0
    base, gold = ended.json
    assert [base["method"], gold["method"]] == ["base", "gold"]
    assert {"method", "accuracy", "ci95", "n", "seconds"} <= set(base)
    assert (base["accuracy"], base["ci95"]) == (0.0, [0.0, 0.0])
    assert (gold["accuracy"], gold["n"]) == (1.0, 20)
    plans = len(worker.plans)
    assert run("eval", recipe, "--rows", "base,gold", "--json").out == ended.out
    assert len(worker.plans) == plans


def test_people_see_a_table_and_what_is_missing(run: Run, recipe: str) -> None:
    ended = run("eval", recipe, "--rows", "base,gold,rounds", "--limit", "4")
    assert ended.code == 0
    assert "+1.00 [+1.00, +1.00]" in ended.out
    assert "4 (8)" in ended.out
    assert "no row rounds: no round of this recipe has ended in this store" in ended.err


def test_raw_results_are_a_line_for_every_question(run: Run, recipe: str, here: Path) -> None:
    run("eval", recipe, "--rows", "base,gold", "--limit", "3", "--csv", "raw.csv", "--json")
    with (here / "raw.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 2 * 3 * 2
    gold = [row for row in rows if row["method"] == "gold"]
    assert all(row["answer"] == row["gold"] and row["correct"] == row["concise"] == "1" for row in gold)
    assert {row["seed"] for row in gold} == {"0"}
    assert all(float(row["logprob"]) < 0 for row in rows)
    assert [path.name for path in here.glob(".raw*")] == []


def test_where_nothing_could_be_trained_the_code_is_1(run: Run, recipe: str, worker: FakeWorker) -> None:
    worker.unteachable = True
    ended = run("eval", recipe, "--rows", "gold", "--json")
    assert ended.code == 1
    assert ended.json[0]["accuracy"] is None
    assert ended.json[0]["failures"] == len(PLACES)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "no recipe nosuch"),
        (["small.yaml", "--rows", "bas"], "--rows: 'bas': choose among base"),
        (["small.yaml", "--data", "elsewhere"], "elsewhere/squad/val_report.json: no such data set"),
        (["small.yaml", "--rows", "base", "--against", "gold"], "--against gold: no row that is asked for"),
        (["small.yaml", "--rows", "gold,joint:2", "--against", "joint:2"], "--against joint:2: no row"),
        (["small.yaml", "--rows", "gold,joint:2", "--against", "gold joint:3"], "gold joint:3: no row"),
        (["small.yaml", "--csv", "no/such/place.csv", "--rows", "base"], "choose another place with --csv"),
    ],
)
def test_bad_input_is_one_line(run: Run, recipe: str, arguments: list[str], said: str) -> None:
    ended = run("eval", *arguments, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err.splitlines()[-1]


def test_every_row_may_be_set_against_one(run: Run, recipe: str) -> None:
    ended = run("eval", recipe, "--rows", "base,passage,gold", "--against", "passage", "--json")
    base, passage, gold = ended.json
    assert "against" not in passage
    assert gold["against"]["row"] == base["against"]["row"] == "passage"
    found = gold["against"]["accuracy"]
    assert found["value"] == gold["against_before"]
    assert found["ci95"] == gold["against_before_ci95"]
    assert found["n"] == gold["passages"]
    assert base["against"]["accuracy"]["value"] == -passage["against_base"]
    assert set(gold["against"]) == {"row", "accuracy", "concise", "logprob"}
    told = run("eval", recipe, "--rows", "base,passage,gold", "--against", "passage").out
    assert "less passage" in told
    assert told.index("less passage") > told.index("taught by")


def test_a_row_that_did_not_come_about_is_told_with_those_that_did(run: Run, recipe: str) -> None:
    ended = run("eval", recipe, "--rows", "base,rounds", "--against", "round 1")
    assert ended.code == 2
    assert ended.err.splitlines()[-1].endswith(
        "--against round 1: no such row in the table; choose among base"
    )


def test_a_store_on_another_base_is_refused(run: Run, recipe: str, here: Path) -> None:
    run("eval", recipe, "--rows", "base", "--limit", "1")
    (here / "other.yaml").write_text(f"base: gpt2{SMALL}")
    ended = run("eval", "other.yaml", "--rows", "base")
    assert ended.code == 2
    assert "made on smollm2-135m, the recipe is for gpt2; choose another --store" in ended.err
    assert run("eval", recipe, "--dtype", "bfloat16").code == 2


def test_who_holds_the_store_is_named(run: Run, recipe: str) -> None:
    run("eval", recipe, "--rows", "base", "--limit", "1")
    with Store.open("memory", write=True, verb="train"):
        ended = run("eval", recipe, "--rows", "base", "--limit", "1", "--no-wait")
    assert ended.code == 2
    assert "train" in ended.err.splitlines()[-1]


def test_a_row_of_several_passages_is_one_to_be_set_against() -> None:
    for name in ("passage joint:8", "passage", "round 1", "round 2 joint:8"):
        pairs.check(name, ["passage", "joint:8", "rounds"])
