"""A user's own questions, in every layout and with every fault."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.errors import DocumentError
from selfedit.tasks import read_questions
from selfedit.types import Probe

WHO = Probe("Who signs, and why?", "Mira", "Travel", "user")
HOW = Probe("How much?", "1200", "", "user")


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("q.csv", 'question,answer,topic\n"Who signs, and why?",Mira,Travel\n\nHow much?,1200,\n'),
        ("q.csv", "\ufeffAnswer ;Question;Title\nMira;Who signs, and why?;Travel\n1200;How much?;\n"),
        ("q.tsv", "question\tanswer\ttopic\r\nWho signs, and why?\tMira\tTravel\r\nHow much?\t1200\t\r\n"),
        (
            "q.jsonl",
            '{"question": "Who signs, and why?", "answer": "Mira", "title": "Travel"}\n'
            '{"question": "How much?", "answer": 1200, "topic": null}\n',
        ),
        (
            "q.json",
            json.dumps(
                {
                    "questions": [
                        {"question": WHO.question, "answer": "Mira", "topic": "Travel"},
                        {"question": "How much?", "answer": "1200"},
                    ]
                }
            ),
        ),
    ],
)
def test_layouts(tmp_path: Path, name: str, text: str) -> None:
    assert read_questions(write(tmp_path / name, text)) == (WHO, HOW)


def test_a_question_given_twice_is_asked_once(tmp_path: Path) -> None:
    path = write(tmp_path / "q.csv", "question,answer\nHow much?,1200\nHow much?,1200\n")
    assert read_questions(str(path)) == (HOW,)


def test_a_quoted_cell_may_hold_a_line_break_and_lines_are_still_counted(tmp_path: Path) -> None:
    path = write(tmp_path / "q.csv", 'question,answer\n"Who\nsigns?",Mira\n')
    assert read_questions(path)[0].question == "Who\nsigns?"
    with pytest.raises(DocumentError, match="line 4: answer is empty"):
        read_questions(write(path, path.read_text() + "How?,\n"))


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("q.txt", "How much?", "questions come as"),
        ("q.csv", "", "no questions"),
        ("q.csv", "question,answer\n", "no questions"),
        ("q.csv", "q,a\nHow?,1\n", "line 1: the columns are q, a"),
        ("q.csv", "question,answer\nWho, then?,Mira\n", "line 2: 3 columns where line 1 has 2"),
        ("q.csv", "question,answer\nWho?,Mira\nHow?,\n", "line 3: answer is empty"),
        ("q.csv", 'question,answer\nWho?,"Mira\n', "not a table"),
        ("q.jsonl", '{"question": "Who?"}', "line 1: no answer"),
        ("q.jsonl", '{"question": "Who?", "answer": ["x"]}', "line 1: answer is a list"),
        ("q.json", '{"question": "Who?"}', "not a list of rows"),
    ],
)
def test_faults_are_named_with_their_place(tmp_path: Path, name: str, text: str, what: str) -> None:
    with pytest.raises(DocumentError) as caught:
        read_questions(write(tmp_path / name, text))
    assert what in str(caught.value)
    assert ";" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="no such file"):
        read_questions(tmp_path / "q.csv")
