"""The grader by words alone: no model, thousands of answers a second. What other graders are seen against."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import final

from selfedit.rewards.grading import correct, recall
from selfedit.types import Failure, GradeRequest, Verdict


@final
class RuleGrader:
    """Correct as `grading.correct` has it. The score is recall, which is no calibrated probability."""

    @property
    def name(self) -> str:
        return "rules"

    def grade(self, requests: Items[GradeRequest]) -> list[Verdict | Failure]:
        return [
            Verdict(correct(each.prediction, each.answer), recall(each.prediction, each.answer))
            for each in requests
        ]
