"""Which passages a table is about."""

from __future__ import annotations

from pathlib import Path

from selfedit.evaluating.notes import ByTeacher
from selfedit.evaluating.passages import merged, passages
from selfedit.recipes import data_file, parse_recipe
from selfedit.samples import as_json as kept_edit
from selfedit.samples import from_json
from selfedit.types import Failure, Probe, SelfEdit, Sequence, Task

from .conftest import PLACES, SMALL


def test_the_order_is_drawn_by_the_seed_and_the_first_of_the_file_are_meant(data: Path) -> None:
    def titles(text: str, limit: int | None = None) -> list[str]:
        return [task.title for task in passages(parse_recipe(text, "x"), data, limit).tasks]

    whole = titles(SMALL)
    assert sorted(whole) == sorted(PLACES)
    assert titles(SMALL) == whole
    assert titles(SMALL, 4) == whole[:4]
    assert titles(SMALL + "seed: 1") != whole
    assert sorted(titles(SMALL + "data: {report_passages: 3}")) == sorted(PLACES[:3])
    assert len(passages(parse_recipe(SMALL + "data: {report_passages: 3}", "x"), data).library) == len(PLACES)


def test_a_passage_that_comes_twice_is_one_with_the_questions_of_both() -> None:
    first, second, third = (Probe(f"Q{n}?", "a") for n in range(3))
    tasks = [Task("T", "P.", (first, second, first)), Task("U", "P."), Task("T", "P.", (second, third))]
    assert merged(tasks) == [Task("T", "P.", (first, second, first, third)), Task("U", "P.")]


def test_a_data_set_may_be_named_by_an_absolute_path(data: Path) -> None:
    path = data / "squad" / "val_report.json"
    assert data_file(str(path), None) == path


def test_the_teachers_markdown_is_no_text() -> None:
    task = Task("Lamp", "A lamp is kept by Ann.")
    (written,) = ByTeacher({task.id: "Sure!\n\n1. **Keeper:** The lamp is kept by Ann.\n"}).write([task])
    assert "Lamp\nKeeper: The lamp is kept by Ann." in written.sequences
    assert written.sequences[-1] == "Lamp\nA lamp is kept by Ann."
    assert written.unusable is None


def test_self_edits_are_read_as_they_were_kept() -> None:
    task = Task("Lamp", "A lamp.")
    edit = SelfEdit(task.id, "rewrite", "text", ("A line.", Sequence("Q", " A", 0.5)), {"epochs": 2})
    assert from_json(task, kept_edit(edit)) == edit
    failed = Failure("parse", "no facts")
    assert from_json(task, kept_edit(failed)) == failed
