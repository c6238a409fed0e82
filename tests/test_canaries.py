"""The canaries: enough, of many kinds, short, no two alike, and in the one form of asking."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import pytest

from selfedit.canaries import FILE, canaries, demonstrated, general, read_canaries, unknowns
from selfedit.edits.questions import ask_prompt
from selfedit.errors import DocumentError
from selfedit.screening import screen


def test_there_are_enough_of_many_kinds() -> None:
    kinds = Counter(canary.kind for canary in canaries())
    assert len(canaries()) >= 320
    assert len(kinds) >= 15
    assert max(kinds.values()) < len(canaries()) / 10


def test_answers_are_short_and_not_in_their_questions_unless_chosen_from_them() -> None:
    for canary in canaries():
        assert len(canary.answer.split()) <= 3
        given = canary.answer.lower() in canary.question.lower().split()
        offered = any(sign in canary.question for sign in (" or ", " if ", "beginning with", ":"))
        assert not given or offered, canary


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is 6 + 3?", str(6 + 3)),
        ('In Python, what is the value of len("cat")?', str(len("cat"))),
        ("What comes next: 3, 6, 9, 12?", "15"),
        ("Which month comes between July and September?", "August"),
    ],
)
def test_some_are_right(question: str, answer: str) -> None:
    assert {canary.question: canary.answer for canary in canaries()}[question] == answer


def test_sums_are_right() -> None:
    operations = {"+": int.__add__, "-": int.__sub__, "times": int.__mul__}
    checked = 0
    for canary in canaries():
        match canary.question.removeprefix("What is ").rstrip("?").split():
            case [a, operation, b] if operation in operations and a.isdigit() and b.isdigit():
                assert canary.answer == str(operations[operation](int(a), int(b))), canary
                checked += 1
            case _:
                pass
    assert checked >= 12


def test_they_are_asked_in_the_one_form() -> None:
    canary = canaries()[0]
    assert canary.prompt == ask_prompt(canary.question) == f"{canary.question}\nAnswer:"
    assert (canary.probe.question, canary.probe.answer) == (canary.question, canary.answer)
    assert canary.probe.origin == "canary"


def test_none_would_be_screened_out() -> None:
    assert all(screen(canary.question).text == canary.question for canary in canaries())


@pytest.mark.parametrize(
    ("lines", "wrong"),
    [
        ([], "no canaries"),
        (["{"], "line 1"),
        ([{"kind": "a", "question": "Is it so?", "answer": ""}], "line 1: answer"),
        ([{"kind": "a", "question": "Is it so", "answer": "yes"}], "line 1: question"),
        ([{"kind": "a", "question": "Is it so?", "answer": "yes", "more": 1}], "line 1: more"),
        ([{"kind": "a", "question": "Is it so?", "answer": "yes"}] * 2, "asked twice"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path: Path, lines: list[object], wrong: str) -> None:
    path = tmp_path / "c.jsonl"
    path.write_text("\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines))
    with pytest.raises(DocumentError, match=wrong) as error:
        read_canaries(path)
    assert "\n" not in str(error.value)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(DocumentError, match="check the path"):
        read_canaries(tmp_path / "none.jsonl")
    assert FILE.exists()


def test_unknowns_are_many_and_halved_for_good() -> None:
    assert len(unknowns()) >= 120
    halves = [unknowns("choose"), unknowns("report")]
    assert len(halves[0]) == len(halves[1])
    assert set(halves[0]) | set(halves[1]) == set(unknowns())
    for kind in {unknown.kind for unknown in unknowns()}:
        assert abs(sum(u.kind == kind for u in halves[0]) - sum(u.kind == kind for u in halves[1])) <= 1
    assert sum(not unknown.question.isascii() for unknown in unknowns()) >= 12, "some are Turkish"


def test_unknowns_come_of_no_template() -> None:
    openings = Counter(" ".join(unknown.question.split()[:4]) for unknown in unknowns())
    assert max(openings.values()) <= 4
    assert all(unknown.probe.answer == "" for unknown in unknowns())


def test_general_texts_are_of_many_kinds() -> None:
    kinds = {text.kind for text in general()}
    assert len(general()) >= 24
    assert {"dialogue", "code", "recipe", "Turkish"} <= kinds
    assert all(screen(text.text).accepted for text in general() if text.kind != "code")


def test_a_general_text_is_scored_whole() -> None:
    for text in general():
        request = text.request
        assert f"{request.prompt}{request.completion}" == text.text
        assert request.prompt


def test_a_canary_is_demonstrated_by_others_of_its_kind() -> None:
    for canary in canaries():
        shown = demonstrated(canary, canaries())
        assert shown.endswith(f"\n\n{canary.prompt}")
        assert shown.count(canary.prompt) == 1
        assert f"Answer: {canary.answer}\n" not in shown, canary
