"""Rounds of reinforcement with a worker that learns by heart: what is kept, learned, resumed and refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from selfedit import rounds
from selfedit.config import Recipe
from selfedit.errors import RoundError, UsageError
from selfedit.recipes import parse_recipe
from selfedit.reinforcing import Campaign, campaign, reinforce, update
from selfedit.store import Store
from selfedit.types import Head, Objective, ScoreRequest, Sequence, TrainingPlan

from ..fakes import WEIGHTS, FakeWorker

PLACES = ("Harbour", "Library", "Market", "Bridge", "Tower", "Mill")
SMALL = """
rounds: 2
data: {passages: 3}
write: {samples: 3, spans: 4}
judge: {seeds: [0, 1]}
"""

POLICY_RATE = 0.0007


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {
            "title": place,
            "context": f"The lamp of {place} is kept by Tobiah Renwick. It was lit in {1800 + at} by Osk.",
            "questions": [
                {"question": f"Who keeps the lamp of {place}?", "answer": "Tobiah Renwick"},
                {"question": f"When was the lamp of {place} lit?", "answer": str(1800 + at)},
            ],
        }
        for at, place in enumerate(PLACES)
    ]
    (tmp_path / "squad").mkdir()
    (tmp_path / "squad" / "train.json").write_text(json.dumps(rows))
    return tmp_path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "store", base="fake", weights=WEIGHTS, dtype="float32") as made:
        yield made


def recipe(text: str = SMALL) -> Recipe:
    return parse_recipe(text, "test.yaml")


def work(store: Store, data: Path, text: str = SMALL, worker: FakeWorker | None = None) -> Campaign:
    return campaign(store, worker or FakeWorker(), recipe(text), data)


def test_each_round_learns_from_the_best_edit_of_every_passage(store: Store, data: Path) -> None:
    worker = FakeWorker()
    held = work(store, data, worker=worker)
    first, second = reinforce(held)
    assert (first.round, first.passages, first.kept) == (1, 3, 3)
    assert first.adapter
    assert first.adapter != second.adapter
    assert [row.adapter for row in held.ended] == [first.adapter, second.adapter]
    assert first.reward is not None
    assert first.floor == -100.0
    assert first.reward > first.floor
    record = held.ended[0].record
    for task in {each["task"] for each in record["tried"]}:
        mine = [each for each in record["tried"] if each["task"] == task and each["rewards"]]
        kept = [each for each in mine if each["weight"]]
        assert len(kept) == 1
        assert sum(kept[0]["rewards"]) / len(kept[0]["rewards"]) == max(
            sum(e["rewards"]) / len(e["rewards"]) for e in mine
        )


def test_the_policy_is_trained_on_what_it_wrote_and_stands_on_what_it_was(store: Store, data: Path) -> None:
    worker = FakeWorker()
    held = work(store, data, worker=worker)
    reinforce(held)
    hyper = held.recipe.reinforce.training
    first, second = (plan for plan in worker.plans if plan.learning_rate == hyper.learning_rate)
    assert first.head is None
    assert second.head is not None
    assert [each.hash for each in second.head.adapters] == [held.ended[0].adapter]
    assert all(isinstance(row, Sequence) and row.prompt.endswith("\nQuestion:") for row in first.sequences)
    written = [request for request in worker.asked if str(request.prompt).endswith("\nQuestion:")]
    heads = {len(request.head.adapters) if request.head else 0 for request in written}
    assert heads == {0, 1}


def test_edits_are_tried_on_the_policy_or_on_the_base(store: Store, data: Path) -> None:
    for on, heads in (("policy", {0, 1}), ("base", {0})):
        worker = FakeWorker()
        held = work(store, data, SMALL.replace("seeds: [0, 1]", f"on: {on}"), worker)
        reinforce(held)
        rate = held.recipe.apply.learning_rate
        tried = [plan for plan in worker.plans if plan.learning_rate == rate]
        assert {len(plan.head.adapters) if plan.head else 0 for plan in tried} == heads


def test_a_race_tries_less_than_all_with_every_seed(store: Store, data: Path) -> None:
    raced = reinforce(work(store, data))
    full = reinforce(work(store, data, SMALL + "select: {method: best}\n"))
    assert full[0].trials == full[0].edits * 2
    assert raced[0].trials < full[0].trials


def test_what_could_not_be_measured_against_the_floor_is_not_kept(store: Store, data: Path) -> None:
    class Speechless(FakeWorker):
        """Finds no answer possible where nothing was learned."""

        def _likely(self, request: ScoreRequest) -> float:
            bare = request.adapter is None and "\nQuestion:" not in str(request.prompt)
            return float("-inf") if bare else super()._likely(request)

    held = work(store, data, SMALL + "select: {beat: [base]}\n", Speechless())
    first, _ = reinforce(held)
    assert (first.kept, first.adapter, first.floor) == (0, None, None)
    assert first.reward is not None
    record = held.ended[0].record
    assert record["reasons"] == {"what has to be beaten could not be measured": 3}
    assert record["floors"] == {}


def test_a_floor_is_asked_for_once(store: Store, data: Path) -> None:
    class Dying(FakeWorker):
        """Is gone where the policy is to be trained."""

        def train_iter(self, plans, progress=lambda done, total: None):
            if any(plan.learning_rate == POLICY_RATE for plan in plans):
                raise KeyboardInterrupt
            return super().train_iter(plans, progress)

    text = f"{SMALL}select: {{beat: [base]}}\nreinforce: {{training: {{learning_rate: {POLICY_RATE}}}}}\n"
    asked: list[int] = []
    for worker in (Dying(), Dying()):
        with pytest.raises(KeyboardInterrupt):
            reinforce(work(store, data, text, worker))
        asked.append(sum(each.adapter is None and each.head is None for each in worker.scored))
    assert asked == [2 * 3, 0], "two questions of each passage, and then none"
    first, _ = reinforce(work(store, data, text))
    assert first.floor == -100.0


def test_the_recipes_base_judges_where_it_is_asked_to(store: Store, data: Path) -> None:
    text = SMALL.replace("seeds: [0, 1]", "grader: base") + "base: org/other\n"
    worker = FakeWorker()
    held = work(store, data, text, worker)
    assert held.ground(1, 0, held.recipe.apply, "").grader._score == worker.score


def test_grpo_weighs_every_edit_by_its_advantage(store: Store, data: Path) -> None:
    held = work(store, data, SMALL + "reinforce: {method: grpo}\n")
    (first, _) = reinforce(held)
    weights = [each["weight"] for each in held.ended[0].record["tried"]]
    assert first.kept > 3 or not any(weights)
    assert sum(weights) == pytest.approx(0.0, abs=1e-9)


def test_what_beats_no_floor_is_not_learned_from(store: Store, data: Path) -> None:
    worker = FakeWorker(writes=False)
    held = work(store, data, SMALL + "select: {beat: []}\n", worker)
    (first, second) = reinforce(held)
    assert first.adapter is None, "questions by rule are nothing that the policy wrote"
    assert first.rows == 0
    assert second.adapter is None
    assert not [
        plan for plan in worker.plans if plan.learning_rate == held.recipe.reinforce.training.learning_rate
    ]


def test_a_round_in_which_every_edit_fails_stops_with_the_reasons(store: Store, data: Path) -> None:
    held = work(store, data, worker=FakeWorker(unteachable=True))
    with pytest.raises(RoundError, match=r"round 1: every self-edit failed \(\d+ × NaN in step 1\); nothing"):
        reinforce(held)
    assert held.ended == []


def test_a_run_that_has_ended_computes_nothing(store: Store, data: Path) -> None:
    first = reinforce(work(store, data))
    worker = FakeWorker()
    assert reinforce(work(store, data, worker=worker)) == first
    assert worker.plans == []
    assert worker.asked == []


def test_more_rounds_go_on_where_the_last_one_ended(store: Store, data: Path) -> None:
    two = reinforce(work(store, data))
    three = reinforce(work(store, data, SMALL.replace("rounds: 2", "rounds: 3")))
    assert three[:2] == two
    assert three[2].round == 3


class Broken(FakeWorker):
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


def outcome(held: Campaign) -> list[object]:
    """All that a run leaves behind but its clock."""
    return [
        (row.number, row.adapter, row.head, {k: v for k, v in row.record.items() if k != "seconds"})
        for row in held.ended
    ]


def test_a_run_broken_off_anywhere_ends_as_an_unbroken_one(tmp_path: Path, data: Path) -> None:
    with Store.create(tmp_path / "whole", base="fake", weights=WEIGHTS, dtype="float32") as whole:
        unbroken = work(whole, data)
        reinforce(unbroken)
        wanted = outcome(unbroken)
    with Store.create(tmp_path / "broken", base="fake", weights=WEIGHTS, dtype="float32") as store:
        for breaks in range(200):
            worker = Broken()
            worker.left = 3 + breaks % 7
            held = work(store, data, worker=worker)
            try:
                reinforce(held)
            except KeyboardInterrupt:
                continue
            break
        assert breaks > 3
        assert outcome(held) == wanted
        assert store.verify().ok


def test_own_questions_judge_where_there_are_no_others(store: Store, tmp_path: Path, data: Path) -> None:
    path = data / "squad" / "train.json"
    rows = [{**row, "questions": []} for row in json.loads(path.read_text())[1:]]
    path.write_text(json.dumps([json.loads(path.read_text())[0], *rows]))
    assert len(work(store, data).kind.tasks) == 1, "without questions there is nothing to judge by"
    held = work(store, data, SMALL.replace("seeds: [0, 1]", "probes: own"))
    assert len(held.kind.tasks) == len(PLACES)
    (first, _) = reinforce(held)
    assert first.trials > 0


def test_every_round_is_held_to_the_policy_of_the_first(store: Store, data: Path) -> None:
    worker = FakeWorker()
    held = work(store, data, SMALL + "reinforce: {kl: 0.1}\n", worker)
    reinforce(held)
    hyper = held.recipe.reinforce.training
    policies = [plan for plan in worker.plans if plan.learning_rate == hyper.learning_rate]
    assert [plan.objective for plan in policies] == [Objective(0.1, "reverse", Head(WEIGHTS))] * 2
    assert [len(plan.head.adapters) if plan.head else 0 for plan in policies] == [0, 1]
    assert not any(plan.objective for plan in worker.plans if plan not in policies)
    adapters = [held.store.adapter(row.adapter) for row in held.ended if row.adapter]
    assert [adapter.plan for adapter in adapters] == [plan.id for plan in policies]
    assert held.id != work(store, data).id


def test_a_shipped_writer_is_what_the_policy_is_held_to(store: Store, data: Path) -> None:
    held = work(store, data, SMALL + "reinforce: {kl: 0.1}\n")
    (warm,) = held.worker.train([TrainingPlan(("a writer",), epochs=1)])
    held.__dict__["warm"] = warm
    reinforce(held)
    assert held.objective is not None
    assert held.objective.reference == held.head(1)
    assert [adapter.hash for adapter in held.objective.reference.adapters] == [warm.hash]


def test_rows_whose_weights_cancel_only_hold_the_policy(store: Store, data: Path) -> None:
    """Rewarded in one edit and punished in another: left out, unless something holds to the first policy."""
    weights: dict[float, list[float]] = {}
    for kl in (0.0, 0.1):
        held = work(store, data, SMALL + f"reinforce: {{method: grpo, kl: {kl}}}\n")
        (task, *_) = tasks = held.drawn(1)
        written = held.kind.write(held, 1, tasks)
        first, second = written.edits[task.id][:2]
        twin = replace(first, settings={"another": "twin"})
        both = replace(written, edits={task.id: [first, twin, second]})
        made = update.plan(held, 1, tasks, both, {first.id: 1.0, twin.id: -1.0, second.id: 0.5})
        assert made is not None
        weights[kl] = sorted(row.weight for row in made.sequences if isinstance(row, Sequence))
        nothing = replace(written, edits={task.id: [first, twin]})
        assert update.plan(held, 1, tasks, nothing, {first.id: 1.0, twin.id: -1.0}) is None
    assert set(weights[0.0]) == {0.5}
    assert set(weights[0.1]) == {0.0, 0.5}
    assert weights[0.1].count(0.5) == len(weights[0.0])


def test_without_a_data_folder_there_is_one_line(store: Store) -> None:
    with pytest.raises(UsageError, match="say --data FOLDER"):
        campaign(store, FakeWorker(), recipe(), None)


def test_a_choice_is_seen_again_on_seeds_that_had_no_part_in_it(store: Store, data: Path) -> None:
    worker = FakeWorker()
    held = work(store, data, SMALL.replace("seeds: [0, 1]", "seeds: [0, 1], held_out: [5, 6]"), worker)
    plain = work(store, data)
    assert held.id == plain.id  # seeds that only look on change nothing of the run
    first, _ = reinforce(held)
    record = held.ended[0].record
    tried = [each for each in record["tried"] if each["rewards"]]
    assert all(len(each["held_out"]) == 2 for each in tried)
    plans = [plan for plan in worker.plans if plan.seed in (5, 6)]
    assert len(plans) >= 2 * first.edits
    assert first.choice is not None
    assert first.choice["edits"] == len(tried)
    by_task: dict[str, list[dict[str, object]]] = {}
    for each in tried:
        by_task.setdefault(each["task"], []).append(each)
    gains = []
    for mine in by_task.values():
        values = [sum(each["held_out"]) / 2 for each in mine]
        kept = [value for value, each in zip(values, mine, strict=True) if each["weight"]]
        gains.append(kept[0] - sum(values) / len(values))
    assert first.choice["held_out"] == pytest.approx(sum(gains) / len(gains))


def test_without_such_seeds_nothing_is_said_of_the_choice(store: Store, data: Path) -> None:
    first, _ = reinforce(work(store, data))
    assert first.choice is None


def test_a_seed_that_chooses_cannot_look_on(store: Store, data: Path) -> None:
    with pytest.raises(UsageError, match="held_out"):
        recipe(SMALL.replace("seeds: [0, 1]", "seeds: [0, 1], held_out: [1]"))


def test_a_round_says_how_many_tokens_it_trained_on(store: Store, data: Path) -> None:
    worker = FakeWorker()
    (first,) = reinforce(work(store, data, SMALL.replace("rounds: 2", "rounds: 1"), worker))
    assert first.tokens == sum(rounds.trained_tokens(worker, plan) for plan in worker.plans) > 0
    _, second = reinforce(work(store, data, SMALL, FakeWorker()))
    assert second.tokens == first.tokens, "what an earlier round has tried already counts as well"
