"""A fact against a sentence that is new: does it answer the fact's question otherwise? By words alone.

A sentence speaks of the same thing if it has what the question names, or what the old sentence names beside
its answer, and names nothing else in its place. It contradicts if another value, name or phrase of the same
kind stands where the answer stood, or if it denies what the old one affirms. How sure that is, is a sum of
small points, tuned on the pairs of `bench/conflicts` that are for tuning.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.contradictions.facts import holds
from selfedit.contradictions.known import Known, Place, any_same, may_be_verb
from selfedit.contradictions.said import Said, filler, opposite, runs
from selfedit.contradictions.tokens import Token
from selfedit.contradictions.units import NUMERALS
from selfedit.contradictions.values import Value, same
from selfedit.contradictions.vocabulary import DETERMINERS

MOST_MISSING = 0.5
"""Of what must be named, so much may be left unsaid."""


@final
@dataclass(frozen=True, slots=True)
class Doubt:
    """What a sentence seems to answer in the fact's place, and how sure that is in [0, 1]."""

    new: str
    sure: float


@final
@dataclass(frozen=True, slots=True)
class Extras:
    """What a sentence has that nobody knew, the new answer aside."""

    names: float
    """A name that is known from elsewhere under the same title counts half."""
    others: int
    kinds: int
    """Words that make another kind of what must be named: *hunting* licences, the captain's *brother*."""


def confirms(known: Known, place: Place) -> bool:
    """Whether the sentence says the fact again."""
    if known.polar is not None or not known.answer.words or not holds(place.said, known.answer):
        return False
    missing = _missing(known, place)
    if missing is None or missing > MOST_MISSING or place.said.takes_back or place.said.announces:
        return False
    return place.said.denies(known.about(place.said), known.keys) == known.denied


def doubt(known: Known, place: Place) -> Doubt | None:
    """What the sentence answers otherwise; None where it says nothing of it, or the same."""
    if not known.answer.words or known.fact.sentence == place.said.text:
        return None
    there = known.polar is None and holds(place.said, known.answer)
    missing = _missing(known, place, there)
    if missing is None or missing > MOST_MISSING:
        return None
    if known.polar is not None:
        return _denied(known, place, missing)
    if there:
        return _taken_back(known, place, missing) or _elsewhere(known, place)
    if known.denied:
        return None
    if known.answer.values:
        return _another_value(known, place, missing)
    return _another_phrase(known, place, missing)


def another_answer(known: Known, place: Place, text: str) -> bool:
    """Whether what was read in the sentence could stand in the answer's place, and is not the same.

    It has to be said there, be of the answer's kind and nothing that was known; and nobody else is named.
    """
    said = Said(text)
    if not said.words or not said.keys <= place.said.keys:
        return False
    if known.answer.values:
        wanted = known.value
        kinds = [same(wanted, value) for value in said.values] if wanted else []
        if True in kinds or False not in kinds:
            return False
    elif not said.keys - known.keys or (known.named and not said.names):
        return False
    words = place.said.words
    return all({words[at].key for at in range(*span)} <= said.keys for span in place.strangers(known))


# -- whether it speaks of the same ----------------------------------------------------------------------


def _missing(known: Known, place: Place, whole: bool = False) -> float | None:
    """The share of what must be named that is not; None where another case is named in its place."""
    for value in known.fixed:
        verdicts = [same(value, other) for other in place.said.values]
        if True not in verdicts and False in verdicts:
            return None
    unsaid = sum(not any_same(value, place.said.values) for value in known.fixed)
    needs = (*known.needs, known.whole) if whole else known.needs
    shares = [_share(need, known, place, unsaid) for need in needs if need]
    if known.office and known.office <= place.said.keys and not known.fixed:
        shares.append(0.2)
    return min(shares, default=1.0)


def _share(need: frozenset[str], known: Known, place: Place, unsaid: int = 0) -> float:
    """Names count double and verbs half. Names may stand in the title or the sentence before; others
    only half so.

    A name in the title does not help where the sentence names another. Where it has not even half of the
    words that are no names, all is missing.
    """
    here = place.said.keys | place.said.opposites
    ordinary = need - known.names - known.title.keys
    ordinary = ordinary - known.verbs or ordinary or need
    if 2 * len(ordinary & here) < len(ordinary):
        return 1.0
    renamed = len(place.strangers(known)) > known.named
    lost = total = float(unsaid)
    for key in need:
        weight = 2.0 if key in known.names else 0.5 if key in known.verbs else 1.0
        total += weight
        if key not in here:
            excused = 0.0 if key not in place.around else 1.0 if key in known.names and not renamed else 0.5
            lost += (1 - excused) * weight
    return lost / total


def _extras(known: Known, place: Place, new: tuple[int, int]) -> Extras:
    """What values count is among the others, but for measures; the word before a new name is not.

    Nor is a verb, where one of the old sentence is not said: it may say the same.
    """
    words = place.said.words
    counted = [at for v in place.said.values if not v.measure for at in range(v.first, v.last)]
    needed = frozenset[str]().union(*known.needs) - known.names
    fresh = [
        at
        for at in sorted({*place.said.content, *counted})
        if not new[0] <= at < new[1] and words[at].kind == "word" and words[at].fold not in NUMERALS
        and not filler(words[at]) and words[at].key not in known.keys | place.title.keys
        and opposite(words[at].fold) not in known.keys
    ]  # fmt: skip
    names = [at for at in fresh if words[at].key in place.said.names]
    same_office = new[0] - 1 if known.office else -1
    others = [at for at in fresh if at not in names and at != same_office]
    unsaid = known.verbs & known.inside - place.said.keys
    swapped = bool(unsaid) and any(may_be_verb(words[at]) for at in others)
    kinds = [at for at in fresh if words[at].key not in known.context and _makes_kind(words, at, needed)]
    heard = [all(words[at].key in known.context for at in range(*run)) for run in runs(names, words)]
    return Extras(sum(0.5 if each else 1.0 for each in heard), len(others) - swapped, len(kinds))


def _makes_kind(words: Items[Token], at: int, needed: frozenset[str]) -> bool:
    """Whether the word stands right before one that must be named, or belongs to one."""
    before = at + 1 < len(words) and words[at + 1].key in needed
    owned = at > 0 and words[at - 1].key in needed and words[at - 1].text.lower().endswith(("'s", "’s", "s'"))
    start = at - 1 - (at > 0 and words[at - 1].fold in DETERMINERS)
    return before or owned or (start > 0 and words[start].fold == "of" and words[start - 1].key in needed)


def _sure(known: Known, place: Place, missing: float, new: tuple[int, int], bonus: float = 0.0) -> float:
    """How sure it is that the sentence speaks of the same, and means it so."""
    extras = _extras(known, place, new)
    sure = 0.95 + bonus - 0.6 * missing - 0.25 * extras.names - 0.08 * extras.others - 0.3 * extras.kinds
    inside = known.inside - known.verbs
    if extras.names + extras.others and inside and _share(inside, known, place):
        sure -= 0.3
    if not frozenset[str]().union(*known.needs) - known.names - known.counted:
        sure -= 0.3
    told = place.said.keys | place.around
    if missing and known.subject and not (known.subject | known.office) & told:
        sure -= 0.25
    if not _akin(known, place):
        sure -= 0.1
    if place.said.announces:
        sure += 0.15
    elif place.said.adds:
        sure -= 0.3
    return max(0.0, min(0.99, sure))


def _akin(known: Known, place: Place) -> bool:
    """Whether the two passages have a name or a word of their titles in common."""
    mine = known.title.keys | known.names
    return bool(mine & (place.title.keys | place.said.keys)) or not known.title.words


# -- what it says of it ---------------------------------------------------------------------------------


def _denied(known: Known, place: Place, missing: float) -> Doubt | None:
    """The same words, once affirmed and once denied."""
    if place.said.denies(known.about(place.said), known.keys) == known.denied:
        return None
    return Doubt(place.said.line, _sure(known, place, missing, (0, 0)))


def _taken_back(known: Known, place: Place, missing: float) -> Doubt | None:
    """The old answer is there: with a denial, or as what is no longer so."""
    if place.said.takes_back and not known.old.takes_back:
        return Doubt(place.said.line, _sure(known, place, missing, (0, 0), 0.1))
    return _denied(known, place, missing)


def _elsewhere(known: Known, place: Place) -> Doubt | None:
    """The old answer is there, but beside the clause that says what is so now."""
    first, last = known.about(place.said)
    if not place.said.announces or not last:
        return None
    clause = Said(place.said.part(first, last))
    if holds(clause, known.answer) or not clause.announces:
        return None
    part = Place(clause, place.title, place.before)
    return _another_value(known, part, 0.0) if known.answer.values else _another_phrase(known, part, 0.0)


def _another_value(known: Known, place: Place, missing: float) -> Doubt | None:
    """A value of the same kind that nobody knew, where none is the old one."""
    wanted = known.value
    new = [
        v for v in place.said.values if wanted and same(wanted, v) is False and not any_same(v, known.beside)
    ]
    if not new or not wanted or (wanted.kind == "rank" and len(known.answer.words) > 1):
        return None
    first, last = new[0], new[-1] if len(known.answer.values) > 1 else new[0]
    points = -0.15 * (len(new) > len(known.answer.values)) - 0.3 * _bare(wanted, first)
    sure = _sure(known, place, missing, (first.first, first.last), points)
    return Doubt(place.said.part(first.first, last.last), sure)


def _bare(one: Value, other: Value) -> bool:
    """Whether only one of two amounts counts something."""
    return bool(one.units) != bool(other.units) and one.kind == other.kind == "amount"


def _another_phrase(known: Known, place: Place, missing: float) -> Doubt | None:
    """A phrase that nobody knew, in the place of the answer or as the only one."""
    said = place.said
    fresh = [at for at in said.content if said.words[at].key not in known.keys and not filler(said.words[at])]
    spans = place.strangers(known) if known.named else list(runs(fresh, said.words))
    found = [
        Doubt(
            said.part(*span),
            _sure(known, place, missing, span, _fit(known, place, span) - 0.1 * (len(spans) > 1)),
        )
        for span in spans
    ]
    return max(found, key=lambda doubt: doubt.sure, default=None)


def _fit(known: Known, place: Place, span: tuple[int, int]) -> float:
    """How well a phrase fits in the answer's place: its neighbours, and whether it is a name as that is."""
    words, points = place.said.words, 0.0
    if not known.named and any(word.key in place.said.names for word in words[span[0] : span[1]]):
        points -= 0.35
    if not known.span[1]:
        return points - 0.2
    old, new = _neighbours(known.old.words, known.span), _neighbours(words, span)
    alike = old == new or any(a == b != "" for a, b in zip(old, new, strict=True))
    return points if alike else points - (0.2 if known.named else 0.35)


def _neighbours(words: Items[Token], span: tuple[int, int]) -> tuple[str, str]:
    return _neighbour(words, span[0], -1), _neighbour(words, span[1] - 1, 1)


def _neighbour(words: Items[Token], at: int, step: int) -> str:
    """The word before or after, articles passed over; "" at an end or a mark."""
    at += step
    while 0 <= at < len(words) and words[at].fold in ("a", "an", "the", "its", "their", "his", "her"):
        at += step
    if not 0 <= at < len(words) or words[at].kind == "mark":
        return ""
    return words[at].key
