"""Words as a grader compares them: numbers as digits, endings cut off. English, by rule."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from selfedit.rewards.grading import normalise


def _listed(text: str) -> tuple[str, ...]:
    return tuple(text.split())


COMMON = frozenset(
    _listed(
        """
        of in on at to for from by with and or as is are was were be been it its that this these those which
        who whom what when where why how many much did do does has have had he she they his her their one also
        into than then there about over under between during after before up out if but not no s some any all
        most more other
        """
    )
)
NEGATIONS = frozenset(
    _listed(
        """
        not no never none neither nor without cannot nothing nobody unable isnt arent wasnt werent dont doesnt
        didnt cant couldnt wouldnt wont hasnt havent hadnt
        """
    )
)
_HEDGES = _listed("unknown unclear unsure however although sorry specified mentioned provided information")
_ONES = _listed(
    """
    zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen
    seventeen eighteen nineteen
    """
)
_TENS = _listed("twenty thirty forty fifty sixty seventy eighty ninety")
_RANKS = _listed(
    """
    zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth
    fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth
    """
)
_ENDINGS = _listed(
    """
    ization isation ations ation ments ment ness ities ity ingly edly ing ies ied ions ion ers er est ly ed es
    al ic s y e
    """
)
_LEAST = 4
"""Letters that stay when an ending is cut off."""
_NUMBERS = {
    **{word: number for number, word in enumerate(_ONES)},
    **{word: 10 * number for number, word in enumerate(_TENS, start=2)},
}
_ORDINALS = {word: str(number) for number, word in enumerate(_RANKS)}
_ORDINAL = re.compile(r"(\d+)(?:st|nd|rd|th)")
_LARGE = {"hundred": "00", "thousand": "000", "million": "000000", "billion": "000000000"}
_SAME = {"percentage": "percent"}
_DIGIT = re.compile(r"\d")
_VALUE = re.compile(r"\d{1,18}(?:\.\d{1,9})?")


@lru_cache(maxsize=1024)
def stems(text: str) -> tuple[str, ...]:
    """Words without endings, written numbers as digits."""
    return tuple(stem(word) for word in _digits(normalise(text)))


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its ending, if enough of it stays."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= _LEAST:
            return word[: -len(ending)]
    return word


HEDGES = frozenset(map(stem, _HEDGES))


def numbers(words: Iterable[str]) -> set[str]:
    """The words that hold a digit."""
    return {word for word in words if _DIGIT.search(word)}


def value(word: str) -> float | None:
    """The number that a word begins with."""
    found = _VALUE.match(word)
    return float(found[0]) if found else None


def _digits(words: Iterable[str]) -> list[str]:
    """Twenty-one as 21, two million as 2000000, 3rd and third as 3."""
    found: list[str] = []
    for word in words:
        last = found[-1] if found and found[-1].isdigit() else ""
        if word in _LARGE and last:
            found[-1] += _LARGE[word]
        elif word in _NUMBERS and len(last) == 2 and last[1] == "0" and 0 < _NUMBERS[word] < 10:
            found[-1] = str(int(last) + _NUMBERS[word])
        elif word in _NUMBERS:
            found.append(str(_NUMBERS[word]))
        elif ordinal := _ORDINAL.fullmatch(word):
            found.append(ordinal[1])
        else:
            found.append(_ORDINALS.get(word) or _SAME.get(word, word))
    return found


@lru_cache(maxsize=200_000)
def alike(one: str, other: str) -> float:
    """How alike two words are in [0, 1], by their pairs of letters; numbers are the same or not at all."""
    if one == other:
        return 1.0
    if _DIGIT.search(one) or _DIGIT.search(other):
        return 0.0
    if 1 in (len(one), len(other)):
        return _INITIAL * (one[0] == other[0])
    pairs, others = _pairs(one), _pairs(other)
    return 2 * len(pairs & others) / (len(pairs) + len(others))


_INITIAL = 0.8
"""How much an initial is like a name that it may stand for."""


@lru_cache(maxsize=50_000)
def _pairs(word: str) -> frozenset[str]:
    return frozenset(word[at : at + 2] for at in range(len(word) - 1))
