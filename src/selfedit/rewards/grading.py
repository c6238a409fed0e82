"""Does an answer convey the gold answer? By words, until a better grader comes. Knows nothing of models.

A free answer often goes on after it has answered, so its first line of at most 24 words counts, and recall of
the gold answer's words decides. At 0.6 that agrees with 86 % of the published GPT-4.1 verdicts (SEAL, arXiv
2506.10943). Recall rewards verbosity, so `concise` also bounds the answer's length, and `mismatch` shows what
reciting the passage would earn.
Words are counted without articles and punctuation.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Sequence

from selfedit.types import Probe, Reward

_ARTICLES = frozenset(("a", "an", "the"))
_POSSESSIVE = re.compile(r"(?<=\w)['’]s\b")
_INITIALS = re.compile(r"\b(?:[^\W\d_]\.){2,}|(?<=\w)['’](?=\w)")
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_WORD = re.compile(r"\d+(?:\.\d+)+|[^\W_]+")
_DOT = "\u0307"
"""What folding leaves of the Turkish İ; İ, I, ı and i count as one letter."""
_RECALL = 0.6
_LINE_WORDS = 24


def normalise(text: str) -> list[str]:
    """The words of `text` in lower case, without articles, punctuation and possessive s; 1,200 is 1200."""
    return [word for word in _words(text) if word not in _ARTICLES]


def first_line(text: str, words: int = _LINE_WORDS) -> str:
    """The first line with anything on it, cut after `words` words."""
    line = next((line for line in text.splitlines() if line.strip()), "")
    return " ".join(line.split()[:words])


def recall(answer: str, gold: str) -> float:
    """The share of the gold answer's words that the answer's first line has; 0 for an empty gold answer.

    A gold answer of nothing but articles is compared with them, one of nothing but signs by its signs.
    """
    for words in (normalise, _words, _signs):
        if wanted := Counter(words(gold)):
            return (wanted & Counter(words(first_line(answer)))).total() / wanted.total()
    return 0.0


def correct(answer: str, gold: str) -> bool:
    """Whether the first line conveys the gold answer."""
    return recall(answer, gold) >= _RECALL


def concise(answer: str, gold: str) -> bool:
    """Whether the answer is correct in at most max(6, gold + 3) words, its whole first line counted."""
    return correct(answer, gold) and short(answer, gold)


def short(answer: str, gold: str) -> bool:
    """Whether the answer's first line has at most max(6, gold + 3) words."""
    length = len(normalise(first_line(answer, len(answer))))
    return length <= max(6, len(normalise(gold)) + 3)


def mismatch(answers: Sequence[str], golds: Sequence[str]) -> tuple[float | None, ...]:
    """For each probe of one passage: how often an answer to *another* of its questions passes for this gold.

    What reciting the passage earns. The mean over all other questions, that is over every rotation of the
    answers; questions with this same gold are left out, and where none is left the value is None.
    """
    if len(answers) != len(golds):
        raise ValueError(f"{len(answers)} answers to {len(golds)} gold answers")
    keys = [tuple(normalise(gold)) or (gold.strip(),) for gold in golds]
    return tuple(
        _mean([correct(answer, gold) for answer, key in zip(answers, keys, strict=True) if key != own])
        for gold, own in zip(golds, keys, strict=True)
    )


def grade(answer: str, probe: Probe) -> Reward:
    """The answer's measures as parts; the value is the headline, concise."""
    parts = {
        "correct": float(correct(answer, probe.answer)),
        "concise": float(concise(answer, probe.answer)),
        "recall": recall(answer, probe.answer),
    }
    return Reward(parts["concise"], parts)


def _words(text: str) -> list[str]:
    plain = unicodedata.normalize("NFKC", text).casefold().replace(_DOT, "").replace("ı", "i")
    plain = _THOUSANDS.sub("", _POSSESSIVE.sub("", plain))
    return _WORD.findall(_INITIALS.sub(lambda found: re.sub(r"\W", "", found[0]), plain))


def _signs(text: str) -> list[str]:
    return text.split()


def _mean(values: Sequence[bool]) -> float | None:
    return sum(values) / len(values) if values else None
