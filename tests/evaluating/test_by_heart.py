"""The table of a recipe that recites: sentences are learned, said, read and kept, and told from others."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest

from selfedit.edits.recitation import CUE, is_recited
from selfedit.errors import UsageError
from selfedit.evaluating import Table, TableRow
from selfedit.evaluating.notes import gold_recited, gold_rows
from selfedit.evaluating.raw import write_csv
from selfedit.recipes import parse_recipe
from selfedit.report.tables import BY_RULE
from selfedit.types import Probe, Task

from ..fakes import FakeWorker
from .conftest import PLACES, SMALL, Made

BY_HEART = SMALL.replace("{samples: 3, spans: 4}", "{samples: 3, spans: 4, recite: true}")
GRASPED = {f"Who keeps the lamp of {name}?": f"Keeper {name}son" for name in PLACES}


def row(table: Table, method: str) -> TableRow:
    return next(each for each in table.rows if each.method == method)


def test_what_was_learned_by_heart_is_said_and_read(measured: Made) -> None:
    worker = FakeWorker(grasps=GRASPED)
    table = measured(worker, "base,untrained,gold", BY_HEART)
    assert [each.method for each in table.rows] == ["base", "untrained", "gold-recited"]
    assert row(table, "base").accuracy == 0
    assert row(table, "untrained").accuracy == 0.5
    assert row(table, "gold-recited").accuracy == 0.5
    assert all(is_recited(each) for plan in worker.plans for each in plan.sequences)
    said = [text for each in table.graded if each.line.method == "untrained" for text in each.line.recited]
    assert len(said) == 2 * len(PLACES)
    assert any("is kept by" in sentence for texts in said for sentence in texts)


def test_the_base_says_nothing_and_is_not_read(measured: Made) -> None:
    worker = FakeWorker(grasps=GRASPED)
    table = measured(worker, "base", BY_HEART)
    (first, *_) = table.graded
    assert first.line.answers == ("", "")
    assert first.line.recited == ((), ())
    assert {each.prompt.rsplit("\n", 1)[1] for each in worker.asked} == {CUE}


def test_a_second_call_computes_nothing_and_says_the_same(measured: Made) -> None:
    every = "base,passage,untrained,teacher,best-of-n,gold,joint:3"
    first = measured(FakeWorker(), every, BY_HEART)
    idle = FakeWorker()
    second = measured(idle, every, BY_HEART)
    assert (second.rows, second.missing) == (first.rows, first.missing)
    assert [each.line.recited for each in second.graded] == [each.line.recited for each in first.graded]
    assert not idle.plans
    assert not idle.asked


def test_neither_takes_the_others_answers_for_its_own(measured: Made) -> None:
    measured(FakeWorker(), "base,passage,untrained", BY_HEART)
    later = FakeWorker()
    measured(later, "base,passage,untrained", SMALL)
    assert len(later.plans) == 2 * len(PLACES)
    assert not any(is_recited(each) for plan in later.plans for each in plan.sequences)
    few = FakeWorker()
    measured(few, "untrained", BY_HEART.replace("recite: true", "recite: true, hints: 1"))
    assert len(few.plans) == len(PLACES)


def test_best_of_n_is_tried_as_it_is_asked(measured: Made) -> None:
    worker = FakeWorker()
    measured(worker, "best-of-n", BY_HEART)
    assert all(is_recited(each) for plan in worker.plans for each in plan.sequences)
    assert any(each.adapter and each.prompt.endswith(CUE) for each in worker.asked)
    assert not any(each.adapter and each.prompt.endswith("\nAnswer:") for each in worker.asked)


def test_the_raw_results_hold_what_was_said(measured: Made, tmp_path: Path) -> None:
    path = tmp_path / "raw.csv"
    write_csv(path, measured(FakeWorker(), "untrained", BY_HEART))
    with path.open() as file:
        held = list(csv.DictReader(file))
    assert all("is kept by" in each["recited"] or "was lit" in each["recited"] for each in held)
    assert isinstance(json.loads(held[0]["recited"]), list)
    write_csv(path, measured(FakeWorker(), "untrained", SMALL))
    with path.open() as file:
        assert {each["recited"] for each in csv.DictReader(file)} == {""}


def test_people_s_questions_are_answered_with_the_sentence_that_holds_the_answer() -> None:
    text = "The lamp is kept by Osk. It was lit in 1800."
    task = Task("Lamps", text, (Probe("When?", "1800", "Lamps"), Probe("Why?", "for goats", "Lamps")))
    (only,) = gold_recited(task)
    assert (only.prompt, only.completion) == ("Topic: Lamps. When?\nText:", " It was lit in 1800.")


def test_the_page_shows_what_people_s_rows_were() -> None:
    assert BY_RULE["gold-recited"] is gold_recited
    assert BY_RULE["gold"] is gold_rows


def test_a_recipe_that_does_not_recite_is_what_it_was() -> None:
    plain, said = parse_recipe(SMALL, "a.yaml"), parse_recipe(BY_HEART, "b.yaml")
    assert plain.id != said.id
    assert not {"recite", "hints"} & plain.depended_on()["write"].keys()
    other = parse_recipe(SMALL.replace("spans: 4}", "spans: 4, hints: 9}"), "c.yaml")
    assert other.id == plain.id


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("write: {recite: true, formats: [rewrite]}", "write.recite: needs write.formats [question-answer]"),
        ("write: {recite: true, formats: [question-answer, rewrite]}", "write.recite: needs write.formats"),
        (
            "data: {kind: text, train: a.jsonl, report: b.jsonl}\n"
            "write: {recite: true, formats: [few-shot]}\n"
            "select: {beat: []}\nreport: {rows: [oracle], training: {least_steps: 0}}",
            "write.recite: is of passages; choose false for data.kind text",
        ),
    ],
)
def test_what_cannot_be_recited_is_refused(given: str, said: str) -> None:
    with pytest.raises(UsageError, match=r"write\.recite") as refused:
        parse_recipe(given, "mine.yaml")
    assert said in str(refused.value)
