"""What can be seen of a graded answer by its words: numbers for a fitted model. Knows nothing of any fit.

Every feature is a plain float of question, gold answer and prediction, in the order of `NAMES`. Words are
those of `lexicon.stems`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from selfedit.rewards.grading import normalise
from selfedit.rewards.lexicon import COMMON, HEDGES, NEGATIONS, alike, numbers, stems, value
from selfedit.types import GradeRequest

MOST_CHARACTERS = 2000
"""Of a prediction; what comes later is not looked at."""
MOST_WORDS = 64
_NEXT = re.compile(
    r"\n\s*(?:q(?:uestion)?\s*\d*\s*[:.]|a(?:nswer)?\s*\d*\s*:|topic\s*:|passage\s*:|\n)", re.IGNORECASE
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+(?=\S)")
_CAPITAL = re.compile(r"(?<![.!?]\s)(?<!^)\b[^\W\d_][\w'’-]*")
_CAPITALS = re.compile(r"\b(?:[A-Z]\.?){2,6}(?!\w)")
_ABOVE = re.compile(
    r"\b(?:over|more than|at least|above|exceed\w*|greater than|minimum)\b|\d\s*\+", re.IGNORECASE
)
_BELOW = re.compile(
    r"\b(?:under|less than|fewer than|at most|below|up to|maximum|nearly|almost)\b", re.IGNORECASE
)
_KINDS = ("who", "when", "where", "why", "how many", "how much", "how", "which", "what")
_KIND = re.compile(rf"\b(?:{'|'.join(_KINDS)})\b")
_ASKS_NUMBER = re.compile(r"how many|how much|what year|what percent|when|how old|how long")


@final
@dataclass(frozen=True, slots=True)
class Seen:
    """The words of an answer, of its gold answer and of the question."""

    question: tuple[str, ...]
    gold: tuple[str, ...]
    said: tuple[str, ...]
    first: tuple[str, ...]
    """The first sentence's."""


def cut(prediction: str) -> str:
    """An answer without the questions, topics and paragraphs that it ran on into."""
    text = prediction[:MOST_CHARACTERS].strip()
    found = _NEXT.search(text)
    return text[: found.start()].strip() if found else text


def features(request: GradeRequest) -> tuple[float, ...]:
    """The features of one answer, as many as `NAMES`."""
    return tuple(named(request).values())


def named(request: GradeRequest) -> dict[str, float]:
    """The features by name, always the same names in the same order."""
    said = cut(request.prediction)
    seen = Seen(
        stems(request.question),
        stems(request.answer),
        stems(said)[:MOST_WORDS],
        stems(_SENTENCE.split(said, maxsplit=1)[0] if said else "")[:MOST_WORDS],
    )
    return {
        **_shared(seen),
        **_numbers(seen),
        **_bounds(request.answer, seen),
        **_lengths(seen),
        **_letters(request, said),
        **_names(request, said, seen),
        **_tone(seen),
        **_kind(request.question, seen),
    }


def _share(wanted: Sequence[str], given: Sequence[str]) -> float:
    """How much of `wanted` is in `given`, repeats counted; 1 where nothing is wanted."""
    if not wanted:
        return 1.0
    return sum(min(wanted.count(word), given.count(word)) for word in set(wanted)) / len(wanted)


def _shared(seen: Seen) -> dict[str, float]:
    asked = set(seen.question)
    new = [word for word in seen.gold if word not in asked]
    heavy = [word for word in new if word not in COMMON]
    recall, precision = _share(seen.gold, seen.said), _share(seen.said, seen.gold)
    both = recall + precision
    at = next((i for i, word in enumerate(seen.said) if word in set(heavy or new or seen.gold)), MOST_WORDS)
    return {
        "recall": recall,
        "recall_new": _share(new, seen.said),
        "recall_heavy": _share(heavy, seen.said),
        "recall_first": _share(heavy or new or seen.gold, seen.first),
        "recall_fuzzy": _fuzzy(heavy or new or seen.gold, seen.said),
        "precision": precision,
        "f1": 2 * recall * precision / both if both and seen.said else 0.0,
        "exact": float(seen.gold == seen.said),
        "contained": float(contains(seen.said, seen.gold)),
        "run": _run(seen.gold, seen.said) / max(1, len(seen.gold)),
        "last": float(bool(seen.gold) and seen.gold[-1] in seen.said),
        "longest": float(bool(seen.gold) and max(heavy or seen.gold, key=len) in seen.said),
        "missing": float(len([w for w in set(heavy) if w not in seen.said])),
        "at": at / MOST_WORDS,
        "said_in_gold": _share([w for w in seen.said if w not in asked and w not in COMMON], seen.gold),
        "echo": _share(seen.question, seen.said),
        "gold_in_question": _share(seen.gold, seen.question),
        "like_new": _fuzzy(new or seen.gold, seen.said),
        "like_said": _fuzzy([w for w in seen.said if w not in asked and w not in COMMON], seen.gold),
        "heavy_words": float(len(heavy)),
    }


def _fuzzy(wanted: Sequence[str], given: Sequence[str]) -> float:
    """The mean over wanted words of the best likeness by pairs of letters."""
    if not wanted:
        return 1.0
    return sum(max((alike(word, other) for other in given), default=0.0) for word in wanted) / len(wanted)


def _grams(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(len(text) - size + 1)]


def contains(whole: Sequence[str], part: Sequence[str]) -> bool:
    """Whether `part` stands in `whole` as it is."""
    size = len(part)
    return any(tuple(whole[at : at + size]) == tuple(part) for at in range(len(whole) - size + 1))


def _run(part: Sequence[str], whole: Sequence[str]) -> int:
    """The longest run of words of `part` that stands in `whole` as it is."""
    best = 0
    ends: dict[int, int] = {}
    places: dict[str, list[int]] = {}
    for at, word in enumerate(whole):
        places.setdefault(word, []).append(at)
    for word in part:
        ends = {at: ends.get(at - 1, 0) + 1 for at in places.get(word, ())}
        best = max(best, *ends.values()) if ends else best
    return best


def _numbers(seen: Seen) -> dict[str, float]:
    asked = numbers(seen.question)
    wanted, given = numbers(seen.gold), numbers(seen.said)
    first = [word for word in seen.said if word in given - asked]
    nearest = 0.0
    if wanted and first:
        nearest = float(first[0] in wanted)
    return {
        "numbers_wanted": float(len(wanted)),
        "numbers_found": len(wanted & given) / len(wanted) if wanted else -1.0,
        "numbers_other": float(len(given - wanted - asked)),
        "number_first": nearest if wanted and first else -1.0,
        "number_close": _closeness(wanted - given, given - wanted),
    }


def _bounds(gold: str, seen: Seen) -> dict[str, float]:
    """Where the gold answer is a bound: 1 if the answer's first number keeps to it, 0 if not; else -1."""
    asked = numbers(seen.question)
    wanted = [number for word in seen.gold if (number := value(word)) is not None]
    given = [number for word in seen.said if word not in asked and (number := value(word)) is not None]
    above, below = bool(_ABOVE.search(gold)), bool(_BELOW.search(gold))
    kept = -1.0
    if wanted and above != below:
        kept = float(bool(given) and (given[0] >= wanted[0] if above else given[0] <= wanted[0]))
    return {"bound": kept}


def _closeness(wanted: set[str], given: set[str]) -> float:
    """Of unequal numbers the smallest relative difference; 9 where there are none to compare."""
    ours, theirs = [value(w) for w in wanted], [value(g) for g in given]
    found = [
        abs(a - b) / max(abs(a), abs(b), 1e-9)
        for a in ours
        for b in theirs
        if a is not None and b is not None
    ]
    return min(found, default=9.0)


def _lengths(seen: Seen) -> dict[str, float]:
    asked = set(seen.question) | set(seen.gold) | COMMON
    extra = {word for word in seen.said if word not in asked}
    return {
        "gold_words": float(len(seen.gold)),
        "said_words": float(len(seen.said)),
        "first_words": float(len(seen.first)),
        "ratio": len(seen.said) / max(1, len(seen.gold)),
        "extra": float(len(extra)),
        "extra_share": len(extra) / max(1, len(set(seen.said))),
    }


def _letters(request: GradeRequest, said: str) -> dict[str, float]:
    gold, text = " ".join(normalise(request.answer)), " ".join(normalise(said)[:MOST_WORDS])
    wanted, given = _grams(gold, 3), Counter(_grams(text, 3))
    return {
        "letters": sum(min(wanted.count(g), given[g]) for g in set(wanted)) / max(1, len(wanted)),
        "gold_letters": float(min(len(gold), 200)),
        "acronym": float(_acronym(request.answer, said) or _acronym(said, request.answer)),
        "lists": float(min(said.count(",") + said.count(" and ") + said.count(";"), 20)),
        "gold_lists": float(min(request.answer.count(",") + request.answer.count(" and "), 10)),
    }


def _acronym(short: str, long: str) -> bool:
    """Whether a word in capitals on one side is the initials of a run of words on the other."""
    words = normalise(long)
    initials = "".join(word[0] for word in words)
    found = [word.replace(".", "").lower() for word in _CAPITALS.findall(short)]
    return any(word in initials and word not in words for word in found)


def _names(request: GradeRequest, said: str, seen: Seen) -> dict[str, float]:
    asked = set(seen.question)
    wanted = [w for w in _capitals(f". {request.answer}") if w not in asked]
    given = [w for w in _capitals(said) if w not in asked]
    return {
        "names_wanted": float(len(wanted)),
        "names_found": _share(wanted, seen.said) if wanted else -1.0,
        "names_other": float(len(set(given) - set(seen.gold))),
    }


def _capitals(text: str) -> list[str]:
    return [stem for word in _CAPITAL.findall(text) if word[0].isupper() for stem in stems(word)]


def _tone(seen: Seen) -> dict[str, float]:
    ours, theirs = _negations(seen.gold), _negations(seen.said)
    return {
        "negated": float(bool(theirs)),
        "negation_differs": float(bool(ours) != bool(theirs)),
        "empty": float(not seen.said),
        "hedges": float(sum(word in HEDGES for word in seen.said)),
        "yes_no": _yes_no(seen),
    }


def _negations(words: Iterable[str]) -> int:
    return sum(word in NEGATIONS for word in words)


def _yes_no(seen: Seen) -> float:
    """1 and 0 where the gold answer says yes or no and the answer begins with the same or not; else -1."""
    if not seen.gold or seen.gold[0] not in ("yes", "no") or not seen.said:
        return -1.0
    return float(seen.said[0] == seen.gold[0])


def _kind(question: str, seen: Seen) -> dict[str, float]:
    """The question word that stands first, and whether a number is asked for."""
    asked = " ".join(question.lower().split())
    found = _KIND.search(asked)
    wants = bool(_ASKS_NUMBER.search(asked))
    return {f"asks {name}": float(found is not None and found[0] == name) for name in _KINDS} | {
        "asks_number": float(wants),
        "no_number": float(wants and not numbers(seen.said)),
        "question_words": float(len(seen.question)),
    }


NAMES: tuple[str, ...] = tuple(named(GradeRequest("Who?", "A", "B")))
