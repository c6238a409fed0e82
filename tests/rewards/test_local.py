"""Words where they are clear, the judge where they are not, with trees by hand and a judge to order."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import pytest

from selfedit.rewards.features import NAMES
from selfedit.rewards.judging import ANSWER_WORDS, NO, YES, judge_prompt, judge_row
from selfedit.rewards.local import Fitted, LocalGrader, fitted
from selfedit.rewards.trees import Tree, Trees
from selfedit.types import GradeRequest, Verdict

QUESTION = "Who keeps the lamp?"
RECALL = NAMES.index("recall")
LOW, MIDDLE, HIGH = -4.0, 0.0, 4.0
BY_RECALL = Tree(
    feature=(RECALL, -1, RECALL, -1, -1),
    threshold=(0.1, 0, 0.9, 0, 0),
    left=(1, 0, 3, 0, 0),
    right=(2, 0, 4, 0, 0),
    value=(0, LOW, 0, MIDDLE, HIGH),
)
HELD = Fitted(Trees(NAMES, 0.0, (BY_RECALL,)), (0.1, 0.9), (-0.5, 1.0, 2.0), frozenset({"Moon"}), frozenset())
CLEAR = GradeRequest(QUESTION, "Tobiah Renwick", "Tobiah Renwick")
WRONG = GradeRequest(QUESTION, "Tobiah Renwick", "Anna")
OPEN = GradeRequest(QUESTION, "Tobiah Renwick", "old Tobiah")


class Judge:
    """Says always the same, and remembers what it was shown."""

    def __init__(self, yes: float) -> None:
        self.yes = yes
        self.shown: list[str] = []

    def __call__(self, prompts: Sequence[str]) -> list[float]:
        self.shown += prompts
        return [self.yes] * len(prompts)


def verdicts(grader: LocalGrader, *requests: GradeRequest) -> list[Verdict]:
    found = grader.grade(requests)
    assert all(isinstance(each, Verdict) for each in found)
    return [each for each in found if isinstance(each, Verdict)]


def test_the_judge_is_asked_only_where_words_leave_it_open() -> None:
    judge = Judge(0.99)
    found = verdicts(LocalGrader(HELD, judge), CLEAR, OPEN, WRONG, OPEN)
    assert judge.shown == [judge_prompt(OPEN)] * 2
    assert [each.correct for each in found] == [True, True, False, True]


@pytest.mark.parametrize(("yes", "right"), [(0.99, True), (0.01, False), (0.5, False)])
def test_its_word_and_the_words_are_mixed(yes: float, right: bool) -> None:
    (found,) = verdicts(LocalGrader(HELD, Judge(yes)), OPEN)
    assert found.correct is right
    assert found.score == pytest.approx(1 / (1 + 2.718281828459045 ** -(-0.5 + 2 * _odds(yes))))


def _odds(p: float) -> float:
    import math

    return math.log(p / (1 - p))


def test_without_a_judge_words_decide_all() -> None:
    grader = LocalGrader(HELD)
    assert grader.name == "words"
    assert [each.score for each in verdicts(grader, OPEN)] == [0.5]
    assert LocalGrader(HELD, Judge(1.0)).name == "local"
    assert LocalGrader(replace(HELD, revision=2)).name == "words-2", "kept verdicts are of the first alone"


@pytest.mark.parametrize(
    ("gold", "said", "right"),
    [("Tobiah", "", False), ("Tobiah", " .. ", False), ("???", "???", True), ("???", "Tobiah", False)],
)
def test_where_there_are_no_words_a_rule_decides(gold: str, said: str, right: bool) -> None:
    judge = Judge(0.99)
    (found,) = verdicts(LocalGrader(HELD, judge), GradeRequest(QUESTION, gold, said))
    assert found.correct is right
    assert not judge.shown


def test_nothing_to_grade_asks_nobody() -> None:
    judge = Judge(0.99)
    assert LocalGrader(HELD, judge).grade([]) == []
    assert not judge.shown


def test_what_was_fitted_is_read_as_it_was_written() -> None:
    assert fitted(json.dumps(HELD.as_json())) == HELD


def test_the_judge_sees_the_answer_without_what_it_ran_on_into() -> None:
    said = "Tobiah\n\nQuestion: Who else?"
    prompt = judge_prompt(GradeRequest(QUESTION, "Tobiah Renwick", said))
    assert prompt == f"Question: {QUESTION}\nExpected: Tobiah Renwick\nGiven: Tobiah\nCorrect:"
    long = judge_prompt(GradeRequest(QUESTION, "Tobiah", "lamp " * 10_000))
    assert long.count("lamp") == ANSWER_WORDS + 1


def test_a_judge_is_trained_on_yes_and_no() -> None:
    assert judge_row(OPEN, True).completion == YES
    assert judge_row(OPEN, False).completion == NO
