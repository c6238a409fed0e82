"""Answers, and what graders say of them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GradeRequest:
    """Does `prediction`, a free answer to `question`, convey `answer`, the gold one?"""

    question: str
    answer: str
    prediction: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """A grader's word, and the probability in [0, 1] that it gives to correct."""

    correct: bool
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What `ask` returns; `str(answer)` is the text."""

    text: str
    logprob: float
    head: str
    """Id of all that was live."""
    commit: str = ""
    """That learned what the question seems to be about; empty where it is about nothing that was learned."""
    recited: tuple[str, ...] = ()
    """The sentences that were said from memory and read for the answer, the likeliest first."""

    def __str__(self) -> str:
        return self.text
