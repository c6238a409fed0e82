"""The demo's document: small, our own, and with questions that only the document answers."""

from __future__ import annotations

import json
import re
from importlib import resources

import pytest

STOP = {"a", "an", "and", "by", "for", "from", "in", "of", "on", "the", "to", "with"}
FILES = resources.files("selfedit") / "demo"


def words(text: str) -> list[str]:
    return re.findall(r"[\w':,]*\w", text.lower())


def read_passages() -> dict[str, str]:
    """Passage by topic: `<document title>: <section heading>`."""
    head, *sections = (FILES / "handbook.md").read_text(encoding="utf-8").split("\n## ")
    title = head.removeprefix("# ").strip()
    parts = [section.partition("\n") for section in sections]
    return {f"{title}: {heading.strip()}": body.strip() for heading, _, body in parts}


def read_questions() -> list[dict[str, str]]:
    lines = (FILES / "questions.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


PASSAGES = read_passages()
QUESTIONS = read_questions()
each_passage = pytest.mark.parametrize("topic", PASSAGES)
each_question = pytest.mark.parametrize("row", QUESTIONS, ids=lambda row: row["question"])


def test_about_ten_passages():
    assert 9 <= len(PASSAGES) <= 11


@each_passage
def test_passage_is_short_and_one_paragraph(topic: str):
    assert 55 <= len(PASSAGES[topic].split()) <= 75
    assert "\n" not in PASSAGES[topic]


@each_passage
def test_five_questions_with_different_answers(topic: str):
    rows = [row for row in QUESTIONS if row["topic"] == topic]
    assert len(rows) == 5
    assert len({row["question"] for row in rows}) == 5


def test_no_two_questions_share_an_answer():
    answers = [row["answer"].lower() for row in QUESTIONS]
    assert sorted({a for a in answers if answers.count(a) > 1}) == []


@each_question
def test_row_is_complete(row: dict[str, str]):
    assert set(row) == {"topic", "question", "answer"}
    assert row["topic"] in PASSAGES
    assert row["question"].endswith("?")


@each_question
def test_answer_stands_in_its_passage(row: dict[str, str]):
    assert re.search(rf"(?<!\w){re.escape(row['answer'])}(?!\w)", PASSAGES[row["topic"]])
    assert 1 <= len(row["answer"].split()) <= 4
    assert row["answer"].lower() not in ("yes", "no")


@each_question
def test_question_does_not_give_its_answer_away(row: dict[str, str]):
    asked = set(words(f"{row['topic']} {row['question']}"))
    assert (set(words(row["answer"])) - STOP) & asked == set()


@each_question
def test_question_is_no_sentence_with_a_gap(row: dict[str, str]):
    passage = " ".join(words(PASSAGES[row["topic"]]))
    asked = words(row["question"])
    runs = [" ".join(asked[i : i + 5]) for i in range(len(asked) - 4)]
    assert [run for run in runs if run in passage] == []


@each_question
def test_other_passages_do_not_answer(row: dict[str, str]):
    others = [text for topic, text in PASSAGES.items() if topic != row["topic"]]
    assert all(row["answer"] not in text for text in others)
