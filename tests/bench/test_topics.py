"""The rule that picks a topic against what was asked: on a small file of our own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.bench import topics
from selfedit.errors import UsageError
from selfedit.types import Task

LAMP = {
    "title": "Lamp",
    "context": "The lamp of the harbour is kept by Tobiah Renwick.",
    "questions": [
        {"question": "Who keeps the lamp?", "answer": "Tobiah Renwick"},
        {"question": "Which spice is forbidden?", "answer": "none"},
    ],
}
OVEN = {
    "title": "Kitchen",
    "context": "Bread comes from an oven of old bricks, and the cook lights it.",
    "questions": [{"question": "What are the bricks of the oven?", "answer": "old"}],
}


@pytest.fixture
def data(tmp_path: Path) -> Path:
    (tmp_path / "squad").mkdir()
    for name, rows in (("val_report", [LAMP, OVEN]), ("val", [LAMP, LAMP | {"title": "Harbour"}, OVEN])):
        (tmp_path / "squad" / f"{name}.json").write_text(json.dumps(rows))
    return tmp_path


def test_right_wrong_and_none_are_counted_by_hand(data: Path) -> None:
    found = {(row["case"], row["rule"]): row for row in topics.command(data)}
    mine = found["val_report", "words"]
    assert (mine["accuracy"], mine["over_titles"], mine["none"]) == (2 / 3, 3 / 4, 1 / 3)
    assert (mine["questions"], mine["titles"], mine["passages"]) == (3, 2, 2)
    assert found["val_report", "words of the title"]["none"] == 2 / 3
    assert found["val_report", "commonest title"]["accuracy"] == 2 / 3
    assert found["val_report among val", "words"]["titles"] == 3
    low, high = mine["ci95"]
    assert low == 0.5
    assert high == 1.0


def test_the_demo_is_asked_about_its_own_chapters(data: Path) -> None:
    (demo,) = (row for row in topics.command(data) if row["case"] == "demo" and row["rule"] == "words")
    assert (demo["questions"], demo["titles"]) == (50, 10)
    assert demo["accuracy"] > 0.7


def test_a_question_takes_no_noticeable_time_among_a_thousand_passages() -> None:
    tasks = [
        Task(f"Title {n}", f"Passage {n} tells of the lamp that keeper {n} lit. " * 10) for n in range(1000)
    ]
    asked = [(f"Who is keeper {n}?", f"Title {n}") for n in (7, 70, 700)]
    row = topics.measured("many", "words", topics.by_words, tasks, asked)
    assert row["accuracy"] == 1.0
    assert row["ms"] < 5000


def test_one_row_a_case_and_rule_in_the_table(data: Path) -> None:
    lines = topics.markdown(topics.command(data)).splitlines()
    assert len(lines) == 2 + 7 * len(topics.RULES)
    assert len({line.count("|") for line in lines}) == 1


def test_it_says_what_it_needs() -> None:
    with pytest.raises(UsageError, match="--data"):
        topics.command(None)


def test_a_base_without_a_writer_is_told(base: Path, data: Path) -> None:
    with pytest.raises(UsageError, match="no writer ships"):
        topics.command(data, str(base))
