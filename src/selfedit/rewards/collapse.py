"""Has training broken an adapter? Seen in its answers alone. Knows nothing of adapters or of training.

Two signs: answers that repeat themselves (`:::::`, one phrase over and over), and one answer to everything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from selfedit.rewards.grading import first_line, normalise

_SIGNS = re.compile(r"[\W_]{3,}")
_CYCLE = re.compile(r"(.{1,60}?)\1{4,}", re.DOTALL)
_CYCLE_LENGTH = 12
_SAME_SHARE = 0.8
_QUESTIONS = 4


def collapsed(answers: Sequence[str], golds: Sequence[str]) -> str | None:
    """Why the adapter that gave `answers` counts as collapsed, in words; None where it does not.

    It repeats itself if half its answers do. It gives one answer to everything if at least 4 questions with
    different gold answers get the same answer in at least 80 % of cases.
    """
    if len(answers) != len(golds):
        raise ValueError(f"{len(answers)} answers to {len(golds)} gold answers")
    return _repeats(answers, golds) or _same(answers, golds)


def _repeats(answers: Sequence[str], golds: Sequence[str]) -> str | None:
    pairs = zip(answers, golds, strict=True)
    repeating = [answer for answer, gold in pairs if _key(answer) != _key(gold) and repetitive(answer)]
    if not repeating or 2 * len(repeating) < len(answers):
        return None
    return f"{len(repeating)} of {len(answers)} answers repeat themselves, such as {_shown(repeating[0])}"


def repetitive(text: str) -> bool:
    """Whether `text` is nothing but signs, or at least half of it one phrase five times or more on end."""
    flat = " ".join(text.split())
    if _SIGNS.fullmatch(flat):
        return True
    spaced = flat + " "  # so that the last repetition is as long as the others
    longest = max((len(found[0]) for found in _CYCLE.finditer(spaced)), default=0)
    return longest >= _CYCLE_LENGTH and 2 * longest >= len(spaced)


def _same(answers: Sequence[str], golds: Sequence[str]) -> str | None:
    by_gold = {_key(gold): answer for answer, gold in zip(answers, golds, strict=True)}
    given = Counter(_key(answer) for answer in by_gold.values())
    if len(by_gold) < _QUESTIONS:
        return None
    key, times = given.most_common(1)[0]
    if times < _SAME_SHARE * len(by_gold):
        return None
    answer = next(answer for answer in by_gold.values() if _key(answer) == key)
    return f"{times} of {len(by_gold)} questions with different answers got the same one, {_shown(answer)}"


def _key(text: str) -> str:
    return " ".join(normalise(first_line(text))) or " ".join(text.split())


def _shown(text: str) -> str:
    flat = " ".join(text.split())
    return repr(flat if len(flat) <= 60 else flat[:59] + "…") if flat else "no answer at all"
