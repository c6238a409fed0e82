"""Rows of policies: the writer that ships, and what rounds of reinforcement made of the base."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.evaluating import tabulating
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe
from selfedit.types import TrainingPlan

from ..fakes import FakeWorker
from .conftest import PLACES, SMALL, Made, place

TRAIN = SMALL + "rounds: 2\ndata: {passages: 2}\nseed: 3\n"


@pytest.fixture
def trained(data: Path, tmp_path: Path, measured: Made) -> Memory:
    """A store in which the recipe's two rounds have ended."""
    rows = [place(at, name) for at, name in enumerate(("Inn", "Gate", "Dock"))]
    (data / "squad" / "train.json").write_text(json.dumps(rows))
    measured(FakeWorker(), "base", TRAIN)
    memory = Memory(tmp_path / "memory", FakeWorker)
    memory.reinforce(parse_recipe(TRAIN, "test.yaml"), data=data)
    return memory


@pytest.mark.parametrize("on", ["base", "policy"])
def test_every_round_has_a_row_written_by_its_policy(trained: Memory, measured: Made, on: str) -> None:
    text = TRAIN.replace("judge: {", f"judge: {{on: {on}, ")
    if on != parse_recipe(TRAIN, "x").judge.on:
        trained.reinforce(parse_recipe(text, "test.yaml"), data=trained.path.parent / "data")
    worker = FakeWorker()
    table = measured(worker, "untrained,rounds,joint:5", text)
    assert [each.method for each in table.rows] == [
        *("untrained", "round 1", "round 2"),
        *("passage joint:5", "untrained joint:5", "round 2 joint:5"),
    ]
    asked = [each for each in worker.asked if str(each.prompt).endswith("\nQuestion:")]
    assert {len(each.head.adapters) if each.head else 0 for each in asked} == {0, 1, 2}
    stood_on = {len(plan.head.adapters) if plan.head else 0 for plan in worker.plans}
    assert stood_on == ({0} if on == "base" else {0, 1, 2})
    idle = FakeWorker()
    assert measured(idle, "untrained,rounds,joint:5", text).rows == table.rows
    assert not idle.asked


def test_another_recipe_has_no_rounds_here(trained: Memory, measured: Made) -> None:
    table = measured(FakeWorker(), "base,rounds", TRAIN.replace("seed: 3", "seed: 4"))
    assert [each.method for each in table.rows] == ["base"]
    assert len(table.missing) == 1


def test_the_writer_that_ships_writes_a_row(measured: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    worker = FakeWorker()
    (writer,) = worker.train([TrainingPlan(("A writer.",), rank=2)])
    monkeypatch.setattr(tabulating, "shipped", lambda worker: writer)
    table = measured(worker, "warm")
    assert [each.method for each in table.rows] == ["warm"]
    asked = [each for each in worker.asked if str(each.prompt).endswith("\nQuestion:")]
    assert {each.head.adapters for each in asked if each.head} == {(writer,)}
    assert all(each.head for each in asked)
    assert len(worker.plans) == 1 + len(PLACES)
    assert all(plan.head is None for plan in worker.plans)


def test_the_writer_that_ships_reads_in_a_row_of_its_own(
    measured: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = FakeWorker(chat=True)
    assert measured(worker, "base,in-context-warm").missing
    (writer,) = worker.train([TrainingPlan(("A writer.",), rank=2)])
    monkeypatch.setattr(tabulating, "shipped", lambda worker: writer)
    table = measured(worker, "in-context-warm")
    assert [each.method for each in table.rows] == ["in-context-warm"]
    asked = [each for each in worker.asked if each.head]
    assert asked
    assert all(each.head and each.head.adapters == (writer,) for each in asked)
    assert all(str(each.prompt).startswith("Topic: ") for each in asked), "as it was trained, chat or not"
