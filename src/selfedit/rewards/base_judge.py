"""The policy's own base as judge: it is asked in words, and the likelihoods of yes and no decide.

Small bases judge poorly: `selfedit bench grading --methods base` says how poorly. Knows nothing of engines;
whoever scores is given as a function.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from typing import final

from selfedit.rewards.judge_words import messages, too_long
from selfedit.rewards.trees import probability
from selfedit.types import Failure, GradeRequest, Message, Score, ScoreRequest, Verdict

ANSWERS = ("yes", "no")


@final
class BaseJudge:
    """One chat a row where the base has a chat template, else the same words as they are."""

    def __init__(self, score: Callable[[Items[ScoreRequest]], list[Score]], chat: bool) -> None:
        self._score, self._chat = score, chat

    @property
    def name(self) -> str:
        return "base"

    def grade(self, requests: Items[GradeRequest]) -> list[Verdict | Failure]:
        """The score is the probability of yes among yes and no."""
        found: list[Verdict | Failure | None] = [too_long(request) for request in requests]
        open_ = [at for at, failure in enumerate(found) if failure is None]
        asked = [ScoreRequest(*self._prompt(requests[at], said)) for at in open_ for said in ANSWERS]
        scores = iter(self._score(asked))
        for at in open_:
            yes = probability(next(scores).logprob - next(scores).logprob)
            found[at] = Verdict(yes >= 0.5, yes)
        return [each for each in found if each is not None]

    def _prompt(self, request: GradeRequest, said: str) -> tuple[str | list[Message], str]:
        chat = messages(request)
        if self._chat:
            return chat, said
        return "\n\n".join(str(message["content"]) for message in chat), f" {said}"
