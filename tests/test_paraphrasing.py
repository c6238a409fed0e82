"""Inputs in other words: written once, kept, trained on only where a self-edit picks them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.errors import UsageError
from selfedit.evaluating.measuring import Wanted, evaluate
from selfedit.memory import Memory
from selfedit.paraphrasing import STAGE, with_paraphrases
from selfedit.recipes import parse_recipe, training_tasks
from selfedit.reinforcing import campaign, reinforce
from selfedit.store import Store
from selfedit.types import GenerationRequest

from .fakes import WEIGHTS
from .solvers import Solver

SENTENCES = {
    "we had a lovely day by the sea": "good",
    "the train was late and the seat was broken": "bad",
    "everybody sang and the soup was hot": "good",
    "nobody came to meet us at the station": "bad",
}
RECIPE = """
data: {kind: text, train: mine.jsonl, report: others.jsonl, passages: 2}
rounds: 1
few_shot: {steps: 40, paraphrase: true, settings: [{tools: [paraphrase], learning_rate: 2e-3}]}
write: {formats: [few-shot], samples: 4, temperature: 1.0}
apply: {rank: 2, alpha: 4, batch_size: 2}
judge: {seeds: [0], rewards: [{name: solved}]}
select: {method: best, beat: [base]}
report: {rows: [in-context, rounds, fixed], training: {least_steps: 0}}
"""
IN_OTHER_WORDS = "in other words:"


class Wordy(Solver):
    """Says everything in other words, but of one sentence it finds none."""

    def _said(self, request: GenerationRequest) -> str:
        if not str(request.prompt).endswith(IN_OTHER_WORDS):
            return super()._said(request)
        text = str(request.prompt).rsplit("First version: ", 1)[1].split("\n")[0]
        return "" if "soup" in text else f" So it went, and this is how: {text.split()[-1]}\n\nMore"

    @property
    def reworded(self) -> int:
        return sum(str(each.prompt).endswith(IN_OTHER_WORDS) for each in self.asked)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    for file, rule in (("mine", str), ("others", str.upper)):
        examples = [{"input": text, "output": rule(mood)} for text, mood in SENTENCES.items()]
        tasks = [
            {
                "demonstrations": examples[at:] + examples[:at],
                "tests": [{"input": "a fine day", "output": "good"}],
            }
            for at in range(2)
        ]
        (tmp_path / f"{file}.jsonl").write_text("\n".join(map(json.dumps, tasks)), encoding="utf-8")
    return tmp_path


def solver(data: Path) -> Wordy:
    recipe = parse_recipe(RECIPE, "x.yaml")
    other = parse_recipe(RECIPE.replace("mine", "others").replace("report: others", "report: mine"), "x.yaml")
    return Wordy((*training_tasks(recipe, data), *training_tasks(other, data)), recipe.few_shot)


def test_they_are_written_once_and_kept(data: Path) -> None:
    tasks = training_tasks(parse_recipe(RECIPE, "x.yaml"), data)
    told: list[tuple[str, int, int]] = []
    with Store.create(data / "store", base="fake", weights=WEIGHTS, dtype="float32") as store:
        worker = solver(data)
        found = with_paraphrases(store, worker, tasks, lambda *stage: told.append(stage))
        assert worker.reworded == 8
        assert with_paraphrases(store, worker, tasks, lambda *stage: None) == found
        assert worker.reworded == 8
    assert [each.id for each in found] == [each.id for each in tasks]
    assert dict(found[0].paraphrases) == {
        text: f"So it went, and this is how: {text.split()[-1]}" for text in SENTENCES if "soup" not in text
    }
    assert told[0] == (STAGE, 0, 0)


def test_rounds_train_on_them_where_a_self_edit_picks_them(data: Path) -> None:
    recipe, worker = parse_recipe(RECIPE, "x.yaml"), solver(data)
    with Store.create(data / "store", base="fake", weights=WEIGHTS, dtype="float32") as store:
        held = campaign(store, worker, recipe, data)
        reinforce(held)
        tried = [store.edit(each["edit"]) for each in held.ended[0].record["tried"]]
    assert {edit.settings["paraphrase"] for edit in tried} == {True, False}
    trials = [plan for plan in worker.plans if plan.rank == 2]
    said = ["this is how" in str(plan.sequences) for plan in trials]
    assert any(said)
    assert not all(said)


def test_the_table_trains_on_them_too(data: Path) -> None:
    recipe, worker = parse_recipe(RECIPE, "x.yaml"), solver(data)
    place = data / "memory"
    Store.create(place, base="smollm2-135m", weights=worker.base, dtype="float32").close()
    evaluate(Memory(place, lambda: worker), Wanted(recipe, data, ("in-context", "fixed")))
    trained = [str(plan.sequences) for plan in worker.plans]
    assert trained
    assert all("this is how" in text for text in trained)
    assert worker.reworded == 16
    assert not any("this is how" in str(each.prompt) for each in worker.asked if each.adapter is None)


def test_without_the_key_nothing_is_asked_for_and_runs_of_before_go_on(data: Path) -> None:
    plain = parse_recipe(RECIPE.replace("paraphrase: true, ", "").replace("[paraphrase]", "[]"), "x.yaml")
    assert "paraphrase" not in plain.depended_on()["few_shot"]
    assert plain.id != parse_recipe(RECIPE, "x.yaml").id
    worker = solver(data)
    with Store.create(data / "store", base="fake", weights=WEIGHTS, dtype="float32") as store:
        reinforce(campaign(store, worker, plain, data))
    assert worker.reworded == 0


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (("paraphrase: true, ", ""), "line 4.*paraphrase"),
        (
            ("kind: text, train: mine.jsonl, report: others.jsonl", "kind: arc"),
            "few_shot.paraphrase.*is of texts",
        ),
    ],
)
def test_where_there_are_none_they_cannot_be_picked(change: tuple[str, str], line: str) -> None:
    with pytest.raises(UsageError, match=line):
        parse_recipe(RECIPE.replace(*change), "x.yaml")
