"""The base as judge, with likelihoods that are given."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from selfedit.rewards.base_judge import BaseJudge
from selfedit.types import Failure, GradeRequest, Score, ScoreRequest, Verdict

REQUEST = GradeRequest("Who keeps the lamp?", "Tobiah Renwick", "Tobiah")


def scorer(yes: float, no: float, seen: list[ScoreRequest]):
    def score(requests: Sequence[ScoreRequest]) -> list[Score]:
        seen.extend(requests)
        return [Score(yes if each.completion.strip() == "yes" else no, (0.0,)) for each in requests]

    return score


@pytest.mark.parametrize(("yes", "no", "right"), [(-1.0, -3.0, True), (-3.0, -1.0, False)])
def test_the_likelier_word_decides(yes: float, no: float, right: bool) -> None:
    (found,) = BaseJudge(scorer(yes, no, []), chat=True).grade([REQUEST])
    assert isinstance(found, Verdict)
    assert found.correct is right
    assert found.score == pytest.approx(1 / (1 + 2.718281828459045 ** (no - yes)))


@pytest.mark.parametrize("chat", [True, False])
def test_a_base_without_a_chat_is_asked_the_same_words(chat: bool) -> None:
    seen: list[ScoreRequest] = []
    BaseJudge(scorer(-1.0, -2.0, seen), chat).grade([REQUEST])
    assert [isinstance(each.prompt, str) for each in seen] == [not chat] * 2
    text = seen[0].prompt if isinstance(seen[0].prompt, str) else str(seen[0].prompt)
    assert "Tobiah Renwick" in text
    assert [each.completion for each in seen] == (["yes", "no"] if chat else [" yes", " no"])


def test_what_is_too_long_is_a_failure_in_its_place() -> None:
    long = GradeRequest("?" * 9000, "x", "y")
    found = BaseJudge(scorer(-1.0, -2.0, []), chat=True).grade([REQUEST, long, REQUEST])
    assert [isinstance(each, Failure) for each in found] == [False, True, False]
