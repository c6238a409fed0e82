"""Rounds on tasks of demonstrations, with a worker that solves whatever was trained fast enough."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from selfedit.errors import RoundError, UsageError
from selfedit.recipes import parse_recipe, training_tasks
from selfedit.reinforcing import Campaign, campaign, foretell, reinforce
from selfedit.store import Store
from selfedit.types import Sequence

from ..fakes import WEIGHTS, FakeWorker
from ..solvers import Solver

SMALL = """
rounds: 2
data: {kind: text, train: "generators:build", report: "generators:report", passages: 3}
few_shot: {tasks: 4, steps: 8}
write: {formats: [few-shot], samples: 4, temperature: 1.0}
apply: {rank: 2, alpha: 4, batch_size: 2}
judge: {seeds: [0, 1], rewards: [{name: solved}, {name: likelihood, weight: 0.1}]}
select: {method: best, beat: [base]}
report: {rows: [in-context, oracle], training: {least_steps: 0}}
"""
"""A self-edit that picks a rate of 0.002 solves its task; one that picks 0.0001 does not."""


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "store", base="fake", weights=WEIGHTS, dtype="float32") as made:
        yield made


def solver(text: str = SMALL, kind: type[Solver] = Solver) -> Solver:
    recipe = parse_recipe(text, "x.yaml")
    return kind(training_tasks(recipe, None), recipe.few_shot)


def work(store: Store, text: str = SMALL, worker: FakeWorker | None = None) -> Campaign:
    return campaign(store, worker or solver(text), parse_recipe(text, "x.yaml"), None)


def outcome(held: Campaign) -> list[object]:
    """All that a run leaves behind but its clock."""
    return [
        (row.number, row.adapter, row.head, {k: v for k, v in row.record.items() if k != "seconds"})
        for row in held.ended
    ]


def test_what_solves_is_kept_and_learned_as_json(store: Store) -> None:
    worker = solver()
    held = work(store, worker=worker)
    first, _ = reinforce(held)
    assert (first.round, first.passages, first.edits, first.trials) == (1, 3, 12, 24)
    assert first.floor == pytest.approx(-0.1)
    kept = [each for each in held.ended[0].record["tried"] if each["weight"]]
    assert first.kept == len(kept) > 0
    settings = [edit.settings for each in kept if (edit := store.edit(each["edit"]))]
    assert {each["learning_rate"] for each in settings} == {0.002}
    hyper = held.recipe.reinforce.training
    policies = [plan for plan in worker.plans if plan.learning_rate == hyper.learning_rate]
    assert len(policies) == 2
    rows = [row for row in policies[0].sequences if isinstance(row, Sequence)]
    assert len(rows) == len(policies[0].sequences) == first.rows
    assert {json.loads(row.completion)["learning_rate"] for row in rows} == {0.002}
    assert all("inputs and outputs" in row.prompt or "Settings for" in row.prompt for row in rows)
    stood_on = [len(plan.head.adapters) if plan.head else 0 for plan in policies]
    assert stood_on == [0, 1]


def test_rate_and_epochs_are_the_edits_rank_the_recipes(store: Store) -> None:
    worker = solver()
    reinforce(work(store, worker=worker))
    tried = [plan for plan in worker.plans if plan.learning_rate in (0.002, 0.0001)]
    assert {plan.rank for plan in tried} == {2}
    assert {plan.epochs for plan in tried} == {1, 2}
    assert all(plan.steps <= 8 for plan in tried)


def test_the_journal_keeps_tasks_and_outcomes_and_no_rows_of_trials(store: Store) -> None:
    worker = solver()
    held = work(store, worker=worker)
    reinforce(held)
    drawn = {each["task"] for row in held.ended for each in row.record["tried"]}
    assert store.demonstrations(drawn) == {t.id: t for t in held.kind.tasks if t.id in drawn}
    assert store.verify().ok
    trained = [row for plan in worker.plans if plan.rank == 2 for row in plan.sequences]
    body = (store.path / "journal.db").read_bytes()
    assert not any(
        json.dumps([r.prompt, r.completion]).encode() in body for r in trained if not isinstance(r, str)
    )


def test_a_run_that_has_ended_computes_nothing_and_goes_on_with_more_rounds(store: Store) -> None:
    two = reinforce(work(store))
    idle = solver()
    assert reinforce(work(store, worker=idle)) == two
    assert idle.plans == []
    assert idle.asked == []
    three = reinforce(work(store, SMALL.replace("rounds: 2", "rounds: 3")))
    assert three[:2] == two
    assert three[2].round == 3


def test_a_race_and_grpo_go_the_same_way(store: Store) -> None:
    raced = reinforce(work(store, SMALL.replace("method: best", "method: halving")))
    assert raced[0].trials < 24
    held = work(store, SMALL + "reinforce: {method: grpo}\n")
    reinforce(held)
    weights = [each["weight"] for each in held.ended[0].record["tried"]]
    assert any(weights)
    assert sum(weights) == pytest.approx(0.0, abs=1e-9)


def test_where_nothing_can_be_trained_the_round_says_so(store: Store) -> None:
    worker = solver()
    worker.unteachable = True
    with pytest.raises(RoundError, match="every self-edit failed"):
        reinforce(work(store, worker=worker))


def test_what_is_no_configuration_is_a_failure_and_no_reward(store: Store) -> None:
    class Mumbling(Solver):
        def _said(self, request: Any) -> str:
            odd = request.grammar and request.seed % 2
            return "{" if odd else super()._said(request)

    held = work(store, worker=solver(kind=Mumbling))
    first, _ = reinforce(held)
    assert first.failures > 0
    assert first.edits == 12 - first.failures
    assert "no JSON object" in next(iter(held.ended[0].record["reasons"]))


class Broken(Solver):
    """Stops dead after so many calls."""

    left: int = 0

    def _call(self) -> None:
        self.left -= 1
        if self.left < 0:
            raise KeyboardInterrupt

    def train_iter(self, plans, progress=lambda done, total: None):
        for each in super().train_iter(plans, progress):
            self._call()
            yield each

    def generate(self, requests, progress=lambda done, total: None):
        self._call()
        return super().generate(requests, progress)


def test_a_run_broken_off_anywhere_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    with Store.create(tmp_path / "whole", base="fake", weights=WEIGHTS, dtype="float32") as whole:
        unbroken = work(whole)
        reinforce(unbroken)
        wanted = outcome(unbroken)
    with Store.create(tmp_path / "broken", base="fake", weights=WEIGHTS, dtype="float32") as store:
        for breaks in range(200):
            worker = solver(kind=Broken)
            assert isinstance(worker, Broken)
            worker.left = 3 + breaks % 23
            held = work(store, worker=worker)
            try:
                reinforce(held)
            except KeyboardInterrupt:
                continue
            break
        assert breaks > 3
        assert outcome(held) == wanted
        assert store.verify().ok


def test_what_it_will_cost_is_counted_as_it_is_done(store: Store) -> None:
    recipe = parse_recipe(SMALL, "x.yaml")
    found = foretell(solver(), recipe, None)
    worker = solver()
    first, *_ = reinforce(work(store, worker=worker))
    assert (found.passages, found.report_passages) == (4, 21)
    counted = found.estimate.rounds[0]
    assert counted.edits == first.edits
    assert counted.adapters == first.trials + 1
    assert found.estimate.report.adapters == 21, "the oracle's one setting; nothing is trained in context"
    assert all(cost["seconds"] > 0 for cost in found.costs.values())


def test_a_reward_of_passages_is_refused(store: Store) -> None:
    recipe = parse_recipe(SMALL, "x.yaml")
    passages = recipe.judge.model_copy(
        update={"rewards": (recipe.judge.rewards[0].model_copy(update={"name": "gain"}),)}
    )
    with pytest.raises(UsageError, match="no reward 'gain' of tests"):
        campaign(store, solver(), recipe.model_copy(update={"judge": passages}), None)
