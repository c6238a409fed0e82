"""A language model asked whether an answer conveys the gold answer, by the likelihood of yes and no.

Says how one is asked. Knows nothing of engines or adapters: whoever scores is given as a function.
"""

from __future__ import annotations

from selfedit.rewards.features import cut
from selfedit.types import GradeRequest, Sequence

YES, NO = " yes", " no"
QUESTION_WORDS, ANSWER_WORDS = 64, 48


def judge_prompt(request: GradeRequest) -> str:
    """What is the same for all answers to a question comes first, so that it is computed once."""
    question = _words(request.question, QUESTION_WORDS)
    expected, given = _words(request.answer, ANSWER_WORDS), _words(cut(request.prediction), ANSWER_WORDS)
    return f"Question: {question}\nExpected: {expected}\nGiven: {given}\nCorrect:"


def judge_row(request: GradeRequest, correct: bool) -> Sequence:
    """What a judge is trained on."""
    return Sequence(judge_prompt(request), YES if correct else NO)


def _words(text: str, most: int) -> str:
    return " ".join(text.split(maxsplit=most)[:most])
