"""The table on tasks of demonstrations, with a worker that solves whatever was trained fast enough."""

from __future__ import annotations

import csv
import json
from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.errors import UsageError
from selfedit.evaluating import Difference, SolvedRow, SolvedTable, Wanted, evaluate, write_csv
from selfedit.evaluating.pairs import against
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe, reporting_tasks, training_tasks
from selfedit.store import Store
from selfedit.types import Failure

from ..solvers import Solver

SMALL = """
rounds: 2
data: {kind: text, train: "generators:build", report: "generators:report", passages: 3, report_passages: 10}
few_shot:
  tasks: 3
  steps: 8
  settings:
    - {tools: [], learning_rate: 1e-4, epochs: 1}
    - {tools: [reorder], learning_rate: 2e-3, epochs: 1}
write: {formats: [few-shot], samples: 4, temperature: 1.0}
apply: {rank: 2, alpha: 4, batch_size: 2}
judge: {rewards: [{name: solved}, {name: likelihood}]}
select: {method: best, beat: [base]}
report:
  training: {rank: 2, alpha: 4, batch_size: 2, least_steps: 0}
  rows: [in-context, untrained, rounds, fixed, oracle]
"""
"""The second setting solves every task, the first none."""


def solver(text: str = SMALL, kind: type[Solver] = Solver) -> Solver:
    recipe = parse_recipe(text, "x.yaml")
    return kind((*training_tasks(recipe, None), *reporting_tasks(recipe, None)), recipe.few_shot)


def measured(
    place: Path, worker: Solver, rows: str = "", text: str = SMALL, limit: int | None = None
) -> SolvedTable:
    if not Store.exists(place):
        Store.create(place, base="smollm2-135m", weights=worker.base, dtype="float32").close()
    names = tuple(rows.split(",")) if rows else ()
    found = evaluate(Memory(place, lambda: worker), Wanted(parse_recipe(text, "x.yaml"), None, names, limit))
    assert isinstance(found, SolvedTable)
    return found


def row(table: SolvedTable, method: str) -> SolvedRow:
    return next(each for each in table.rows if each.method == method)


def timeless(table: SolvedTable) -> list[SolvedRow]:
    return [replace(each, seconds=0) for each in table.rows]


def test_every_way_stands_beside_the_others(tmp_path: Path) -> None:
    place = tmp_path / "memory"
    measured(place, solver(), "in-context")
    Memory(place, solver).reinforce(parse_recipe(SMALL, "x.yaml"))
    table = measured(place, solver())
    assert [each.method for each in table.rows] == [
        *("in-context", "untrained", "round 1", "round 2", "fixed", "oracle")
    ]
    context, fixed, oracle = (row(table, name) for name in ("in-context", "fixed", "oracle"))
    assert (context.accuracy, context.first, context.malformed) == (0.0, 0.0, 0.0)
    assert context.logprob == pytest.approx(-1.0)
    assert context.tokens == 0
    assert (fixed.accuracy, fixed.first, fixed.n, fixed.tasks) == (1.0, 1.0, 20, 10)
    assert fixed.logprob == pytest.approx(-0.998)
    assert fixed.against_in_context == 1.0
    assert fixed.against_in_context_ci95 == (1.0, 1.0)
    assert fixed.setting is not None
    assert fixed.setting["learning_rate"] == 2e-3
    beside = against(table, "in-context")
    assert list(beside) == ["untrained", "round 1", "round 2", "fixed", "oracle"]
    assert beside["fixed"]["solved"] == Difference(1.0, (1.0, 1.0), 10)
    assert beside["fixed"]["logprob"].value == pytest.approx(0.002)
    assert replace(oracle, method="", against_before=0, seconds=0).accuracy == 1.0
    assert oracle.setting == fixed.setting
    assert table.solvable is not None
    assert len(table.solvable) == 10


def test_the_oracle_is_chosen_here_and_the_fixed_setting_there(tmp_path: Path) -> None:
    """Where only the slow setting can be trained on what reports, the two choose apart."""
    recipe = parse_recipe(SMALL, "x.yaml")
    shown = {task.demonstrations[0].input for task in training_tasks(recipe, None)}

    class Picky(Solver):
        def train_iter(self, plans, progress=lambda done, total: None):
            for at, made in super().train_iter(plans, progress):
                text = str(plans[at].sequences)
                known = any(each in text for each in shown)
                fast = plans[at].learning_rate > 1e-3
                yield at, made if known or not fast else Failure("train", "NaN in step 1")

    table = measured(tmp_path / "memory", solver(kind=Picky), "fixed,oracle")
    fixed, oracle = row(table, "fixed"), row(table, "oracle")
    assert fixed.setting is not None
    assert oracle.setting is not None
    assert (fixed.setting["learning_rate"], oracle.setting["learning_rate"]) == (2e-3, 1e-4)
    assert (fixed.accuracy, fixed.failures) == (None, 10)
    assert oracle.accuracy == 0.0
    assert table.solvable == ()


def test_a_second_call_computes_nothing_and_another_row_itself(tmp_path: Path) -> None:
    first = measured(tmp_path / "memory", solver(), "in-context,untrained,oracle")
    idle = solver()
    assert measured(tmp_path / "memory", idle, "in-context,untrained,oracle") == first
    assert idle.plans == []
    assert idle.asked == []
    later = solver()
    measured(tmp_path / "memory", later, "oracle,fixed")
    assert len(later.plans) == 2 * 3, "both settings on the tasks of the rounds"


def test_what_another_policy_picks_too_is_not_tried_again(tmp_path: Path) -> None:
    place = tmp_path / "memory"
    measured(place, solver(), "untrained")
    Memory(place, solver).reinforce(parse_recipe(SMALL, "x.yaml"))
    later = solver()
    table = measured(place, later, "untrained,rounds")
    assert later.plans == [], "the likeliest configuration is the same"
    assert all(each.grammar for each in later.asked), "they were picked, and no test was asked again"
    one, two = row(table, "untrained"), row(table, "round 2")
    assert (one.accuracy, one.logprob, one.tokens) == (two.accuracy, two.logprob, two.tokens)
    other = solver()
    measured(
        place,
        other,
        "untrained",
        SMALL.replace("alpha: 4, batch_size: 2, least", "alpha: 8, batch_size: 2, least"),
    )
    assert len(other.plans) == 10, "another training is tried"


def test_what_is_broken_off_goes_on_where_it_stopped_and_ends_alike(tmp_path: Path) -> None:
    rows = "in-context,untrained,fixed,oracle"
    whole = measured(tmp_path / "whole", solver(), rows)

    class Broken(Solver):
        def train_iter(self, plans, progress=lambda done, total: None):
            for each in super().train_iter(plans, progress):
                if len(self.plans) > 12:
                    raise KeyboardInterrupt
                yield each

    broken = solver(kind=Broken)
    with pytest.raises(KeyboardInterrupt):
        measured(tmp_path / "broken", broken, rows)
    later = solver()
    ended = measured(tmp_path / "broken", later, rows)
    assert timeless(ended) == timeless(whole)
    assert len(later.plans) < 10 + 2 * 3 + 2 * 10


def test_several_samples_and_seeds_are_averaged(tmp_path: Path) -> None:
    text = SMALL.replace("tasks: 3", "tasks: 3\n  report_samples: 4").replace(
        "report:\n", "report:\n  seeds: [0, 1]\n"
    )
    worker = solver(text)
    table = measured(tmp_path / "memory", worker, "untrained", text, 3)
    untrained = row(table, "untrained")
    assert (untrained.lines, untrained.tasks, untrained.n) == (2 * 4 * 3, 3, 6)
    assert len(worker.plans) == 2 * 4 * 3
    rates = [line.kept["settings"]["learning_rate"] for line in table.lines]
    assert untrained.accuracy == pytest.approx(sum(rate == 2e-3 for rate in rates) / len(rates))


def test_only_solvable_tasks_where_the_recipe_says_so(tmp_path: Path) -> None:
    text = SMALL.replace("tasks: 3", "tasks: 3\n  solvable: true")

    class Half(Solver):
        def _said(self, request):
            rare = not request.grammar and "Input: 1" in str(request.prompt)
            return " no idea" if rare else super()._said(request)

    table = measured(tmp_path / "memory", solver(text, Half), "in-context,oracle", text)
    assert table.solvable is not None
    assert 0 < len(table.solvable) < 10
    assert {task.id for task in table.tasks} == {*table.solvable}
    assert row(table, "oracle").accuracy == 1.0
    assert row(table, "in-context").tasks == len(table.solvable)


def test_where_nothing_is_solvable_there_is_a_line(tmp_path: Path) -> None:
    text = SMALL.replace("tasks: 3", "tasks: 3\n  solvable: true").replace("2e-3", "2e-4")
    table = measured(tmp_path / "memory", solver(text), "in-context,oracle", text)
    assert table.rows == ()
    assert table.missing == (
        "no task is solved by the best of few_shot.settings; choose few_shot.solvable: false",
    )


def test_what_it_was_made_of_can_be_found_again(tmp_path: Path) -> None:
    table = measured(tmp_path / "memory", solver(), "untrained,oracle")
    with Store.open(tmp_path / "memory") as store:
        held = store.report("few-shot", parse_recipe(SMALL, "x.yaml").id)
        assert held is not None
        assert json.loads(json.dumps(held["solvable"])) == list(table.solvable or ())
        (task, seed, sample, key), *_ = held["lines"]["untrained"]
        kept = store.result("row", key)
        edit = store.result("sample", kept["sample"])["edits"][sample]
        tasks = store.demonstrations(held["tasks"])
        grid = held["grids"]["report"]
    assert seed == 0
    assert edit["settings"] == kept["settings"]
    assert len(kept["tests"]) == len(tasks[task].tests)
    assert set(kept["tests"][0]) >= {"attempts", "candidates", "written", "solved", "first", "logprob"}
    assert [each["accuracy"] for each in grid] == [0.0, 1.0]
    assert len(tasks) == 10
    assert store.path


def test_no_rounds_yet_is_a_line_and_rows_of_passages_are_refused(tmp_path: Path) -> None:
    table = measured(tmp_path / "memory", solver(), "in-context,rounds")
    assert [each.method for each in table.rows] == ["in-context"]
    assert "selfedit train" in table.missing[0]
    with pytest.raises(UsageError, match=r"'base': of data.kind text there are in-context, untrained"):
        Wanted(parse_recipe(SMALL, "x.yaml"), None, ("base",)).check()
    with pytest.raises(UsageError, match=r"'oracle': of data.kind passages there are base"):
        Wanted(parse_recipe("rounds: 1", "x.yaml"), None, ("oracle",)).check()


def test_a_configuration_that_cannot_be_read_leaves_the_model_as_it_is(tmp_path: Path) -> None:
    class Mumbling(Solver):
        def _said(self, request):
            return "{" if request.grammar else super()._said(request)

    worker = solver(kind=Mumbling)
    untrained = row(measured(tmp_path / "memory", worker, "untrained"), "untrained")
    assert (untrained.unusable, untrained.accuracy, untrained.failures) == (10, 0.0, 0)
    assert worker.plans == []


def test_the_raw_results_as_csv(tmp_path: Path) -> None:
    table = measured(tmp_path / "memory", solver(), "in-context,oracle")
    write_csv(tmp_path / "raw.csv", table)
    rows = list(csv.DictReader((tmp_path / "raw.csv").read_text().splitlines()))
    assert len(rows) == 2 * 20
    oracle = [each for each in rows if each["method"] == "oracle"]
    assert {each["solved"] for each in oracle} == {"1"}
    assert json.loads(oracle[0]["configuration"])["reorder"] is True
