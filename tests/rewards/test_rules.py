"""The grader by words: what `grading` says, as verdicts in order."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from selfedit.rewards.grader import Grader
from selfedit.rewards.grading import correct, recall
from selfedit.rewards.rules import RuleGrader
from selfedit.types import GradeRequest, Verdict

REQUESTS = st.lists(st.builds(GradeRequest, st.text(), st.text(min_size=1), st.text()), max_size=8)


@given(REQUESTS)
def test_one_verdict_a_request_in_order(requests: list[GradeRequest]) -> None:
    grader: Grader = RuleGrader()
    assert grader.grade(requests) == [
        Verdict(correct(each.prediction, each.answer), recall(each.prediction, each.answer))
        for each in requests
    ]


def test_its_word_follows_the_words() -> None:
    question = "What is the ferry called?"
    right = GradeRequest(question, "Patient Margit", "It is the Patient Margit.")
    wrong = GradeRequest(question, "Patient Margit", "The Fly-by-Night")
    assert RuleGrader().grade([right, wrong]) == [Verdict(True, 1.0), Verdict(False, 0.0)]
    assert RuleGrader().name == "rules"
