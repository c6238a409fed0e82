"""Numbers, dates and times of day in a sentence, however they are written."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import regex

from selfedit.contradictions.tokens import Token
from selfedit.contradictions.units import LARGE, MONTHS, ONES, PARTS, RANKS, TENS, UNITS, WEEKDAYS

_CLOCK = regex.compile(r"([01]?\d|2[0-4])[:.]([0-5]\d)(?:[:.][0-5]\d)?")
_DAY_FIRST = regex.compile(r"(\d{1,2})[./-](\d{1,2})[./-](\d{4}|\d{2})")
_YEAR_FIRST = regex.compile(r"(\d{4})[./-](\d{1,2})[./-](\d{1,2})")
_BLANKS = regex.compile(r"['’\u00a0\u202f]")
_COMMA_PARTS = regex.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?")
_POINT_PARTS = regex.compile(r"\d{1,3}(?:\.\d{3})+(?:,\d+)?|\d+,\d+")
_THREE = regex.compile(r"\d{3}")
_HOURS = frozenset(("uhr", "oclock", "o'clock", "heure", "heures", "h"))
_BEGINNINGS = frozenset((*MONTHS, *WEEKDAYS, *ONES, *TENS, *RANKS, "half", "quarter"))
_CLOSE = 0.02
"""Two measures of the same thing in other units may differ by so much: thirty days are a month."""


@final
@dataclass(frozen=True, slots=True)
class Value:
    """What stands at tokens `first` to `last` (without). `kind`: amount, date, time, weekday, rank.

    An amount holds the numbers that its writing may mean (1.200 is two), a date year, month and day with 0
    for what is left open, a time minutes after midnight and whether it may be afternoon as well.
    """

    kind: str
    numbers: tuple[float, ...]
    units: tuple[str, ...]
    first: int
    last: int
    open: bool = False

    @property
    def measure(self) -> str:
        """The measure of its unit, `""` where that is an ordinary word or none."""
        known = next((UNITS[unit] for unit in self.units if unit in UNITS), None)
        return known[0] if known else ""


def values(words: Items[Token]) -> tuple[Value, ...]:
    """In order; none overlaps another."""
    return tuple(_values(words))


def same(one: Value, other: Value) -> bool | None:
    """Whether they are one value; None where they cannot be compared."""
    if one.kind != other.kind:
        return _across(one, other)
    match one.kind:
        case "weekday" | "rank":
            return one.numbers == other.numbers
        case "date":
            return _same_date(one.numbers, other.numbers)
        case "time":
            return _same_time(one, other)
        case _:
            return _same_amount(one, other)


def _across(one: Value, other: Value) -> bool | None:
    """A bare number may be a year or an hour."""
    amount, second = (one, other) if one.kind == "amount" else (other, one)
    if amount.kind != "amount" or amount.units:
        return None
    if second.kind == "time":
        bare = [Value("time", (number * 60,), (), 0, 0, True) for number in amount.numbers if number <= 24]
        return any(_same_time(each, second) for each in bare) if bare else None
    if second.kind == "date" and second.numbers[0]:
        return second.numbers[0] in amount.numbers if amount.numbers[0] >= 1000 else None
    return None


def _same_date(one: Items[float], other: Items[float]) -> bool | None:
    shared = [(a, b) for a, b in zip(one, other, strict=True) if a and b]
    return all(a == b for a, b in shared) if shared else None


def _same_time(one: Value, other: Value) -> bool:
    a, b = one.numbers[0], other.numbers[0]
    return a % 720 == b % 720 if one.open or other.open else a == b


def _same_amount(one: Value, other: Value) -> bool | None:
    mine, yours = one.measure, other.measure
    if mine and yours:
        loose = "money:?" in (mine, yours) and mine.startswith("money") and yours.startswith("money")
        if mine != yours and not loose:
            return None
        return any(_near(a, b) for a in _measured(one) for b in _measured(other))
    if one.units and other.units and not set(one.units) & set(other.units):
        return None
    return bool(set(one.numbers) & set(other.numbers))


def _measured(value: Value) -> Iterator[float]:
    factor = next(UNITS[unit][1] for unit in value.units if unit in UNITS)
    return (number * factor for number in value.numbers)


def _near(one: float, other: float) -> bool:
    return abs(one - other) <= _CLOSE * min(abs(one), abs(other)) if one != other else True


# -- reading them ---------------------------------------------------------------------------------------


def _values(words: Items[Token]) -> Iterator[Value]:
    at = 0
    while at < len(words):
        begins = words[at].kind == "number" or words[at].fold in _BEGINNINGS
        found = (_date(words, at) or _time(words, at) or _amount(words, at)) if begins else None
        if found:
            yield found
        at = found.last if found else at + 1


def _fold(words: Items[Token], at: int) -> str:
    return words[at].fold if 0 <= at < len(words) else ""


def _whole(words: Items[Token], at: int) -> int:
    """The plain whole number there, -1 for none."""
    fold = _fold(words, at)
    return int(fold) if fold.isdecimal() and len(fold) < 16 else -1


def _date(words: Items[Token], at: int) -> Value | None:
    fold = words[at].fold
    if words[at].kind == "word" and fold in WEEKDAYS:
        return Value("weekday", (WEEKDAYS[fold],), (), at, at + 1)
    if words[at].kind == "number":
        for pattern, order in ((_DAY_FIRST, (3, 2, 1)), (_YEAR_FIRST, (1, 2, 3))):
            if (found := pattern.fullmatch(fold)) and int(found[order[1]]) <= 12:
                year, month, day = (int(found[group]) for group in order)
                return _dated(year + 2000 if year < 50 else year, month, day, at, at + 1)
    return _day_and_month(words, at) or _month(words, at) or _year(words, at)


def _dated(year: int, month: int, day: int, first: int, last: int) -> Value:
    return Value("date", (max(0, year), month, max(0, day)), (), first, last)


def _day_and_month(words: Items[Token], at: int) -> Value | None:
    """14 March 1926, 14. März, 3rd of October."""
    day, after = _whole(words, at), at + 1
    while _fold(words, after) in (".", "of", "de"):
        after += 1
    if not (1 <= day <= 31 and after < len(words) and _fold(words, after) in MONTHS):
        return None
    year, last = _year_after(words, after + 1)
    return _dated(year, MONTHS[_fold(words, after)], day, at, last)


def _month(words: Items[Token], at: int) -> Value | None:
    """March 14, 1926; Feb. 1904; in May."""
    if words[at].kind != "word" or words[at].fold not in MONTHS:
        return None
    sure = len(words[at].fold) > 3 and words[at].fold not in ("march", "mars", "mart")
    after = at + 1 + (_fold(words, at + 1) == ".")
    day = _whole(words, after)
    if 1 <= day <= 31:
        year, last = _year_after(words, after + 1)
        return _dated(year, MONTHS[words[at].fold], day, at, last)
    year, last = _year_after(words, after)
    if year:
        return _dated(year, MONTHS[words[at].fold], 0, at, last)
    beside = _fold(words, at - 1) in (
        "in",
        "of",
        "from",
        "to",
        "until",
        "since",
        "by",
        "im",
        "en",
        "ab",
        "bis",
    )
    return _dated(0, MONTHS[words[at].fold], 0, at, at + 1) if sure or (beside and words[at].named) else None


def _year_after(words: Items[Token], at: int) -> tuple[int, int]:
    """The year that stands there, after a comma perhaps, and where it ends; 0 for none."""
    after = at + (_fold(words, at) == ",")
    year = _whole(words, after)
    return (year, after + 1) if 1000 <= year <= 2199 else (0, at)


def _year(words: Items[Token], at: int) -> Value | None:
    number = -1 if words[at].rank else _whole(words, at)
    if (
        not 1000 <= number <= 2199
        or _is_noon(words, at + 1)
        or _units(words, at + 1, known=True)
        or _coin(words, at - 1)
    ):
        return None
    lead = _fold(words, at - 1)
    follows = words[at + 1] if at + 1 < len(words) else None
    counts = follows is not None and follows.kind == "word" and not follows.empty and not lead
    return None if counts else _dated(number, 0, 0, at, at + 1)


def _time(words: Items[Token], at: int) -> Value | None:
    """19:00, 7 p.m., 17 Uhr, half past four, saat 18.00."""
    fold = words[at].fold
    if fold in ("half", "quarter") and _fold(words, at + 1) in ("past", "to"):
        hour = _hour(words, at + 2)
        shift = (30 if fold == "half" else 15) * (1 if _fold(words, at + 1) == "past" else -1)
        return _clock(hour * 60 + shift, words, at, at + 3) if hour >= 0 else None
    if words[at].kind == "number" and (found := _CLOCK.fullmatch(fold)):
        beside = _fold(words, at - 1) == "saat" or _fold(words, at + 1) in _HOURS or _is_noon(words, at + 1)
        if ":" in fold or beside:
            last = at + 1 + (_fold(words, at + 1) in _HOURS)
            return _clock(int(found[1]) * 60 + int(found[2]), words, at, last)
    hour = _hour(words, at)
    if hour >= 0 and (_fold(words, at + 1) in _HOURS or _is_noon(words, at + 1)):
        return _clock(hour * 60, words, at, at + 1 + (not _is_noon(words, at + 1)))
    return None


def _hour(words: Items[Token], at: int) -> int:
    number = ONES.get(_fold(words, at), _whole(words, at))
    return int(number) if 0 <= number <= 24 else -1


def _is_noon(words: Items[Token], at: int) -> bool:
    return _fold(words, at).replace(".", "").replace(" ", "") in ("am", "pm") and at < len(words)


def _clock(minutes: int, words: Items[Token], first: int, last: int) -> Value:
    if _is_noon(words, last):
        late = _fold(words, last).startswith("p")
        return Value("time", (minutes % 720 + 720 * late,), (), first, last + 1)
    exact = words[first].kind == "number" and ":" in words[first].fold
    return Value("time", (minutes,), (), first, last, minutes <= 720 and not exact)


def _amount(words: Items[Token], at: int) -> Value | None:
    if words[at].rank or words[at].fold in RANKS:
        return _rank(words, at)
    found = _digits(words, at) or _spelled(words, at)
    if not found:
        return None
    numbers, after = found
    if large := LARGE.get(_fold(words, after)) if words[at].kind == "number" else None:
        glued = after < len(words) and words[after].start == words[after - 1].end
        if len(_fold(words, after)) > 1 or glued:
            numbers, after = tuple(number * large for number in numbers), after + 1
    units, last = _units(words, after), after
    if units:
        last = after + 1
    if coin := _coin(words, at - 1):
        units = (coin,)
    return Value("amount", numbers, units, at, last)


def _rank(words: Items[Token], at: int) -> Value | None:
    """3rd, third; the 1990s are none, and a second is one only before a word."""
    number = RANKS.get(words[at].fold, 0 if words[at].text.endswith(("s", "S")) else _whole(words, at))
    return Value("rank", (number,), (), at, at + 1) if number > 0 else None


def _coin(words: Items[Token], at: int) -> str:
    """The sign or code of a currency that stands before a number."""
    fold = _fold(words, at)
    return fold if fold in UNITS and UNITS[fold][0].startswith("money") and len(fold) in (1, 3) else ""


def _units(words: Items[Token], at: int, known: bool = False) -> tuple[str, ...]:
    """What is counted: a unit as it is, else the next two words' keys."""
    found: list[str] = []
    if _fold(words, at) == "per" and _fold(words, at + 1) == "cent":
        return ("percent",)
    for token in words[at : at + 2]:
        if token.fold in UNITS:
            return (token.fold,)
        if token.empty or token.fold in MONTHS or token.fold in WEEKDAYS:
            break
        found.append(token.key)
    return () if known else tuple(found)


def _digits(words: Items[Token], at: int) -> tuple[tuple[float, ...], int] | None:
    if words[at].kind != "number":
        return None
    text, after = words[at].fold, at + 1
    while (  # 1 200 with a blank between
        _whole(words, at) > 0
        and after < len(words)
        and _THREE.fullmatch(words[after].fold)
        and words[after].start == words[after - 1].end + 1
    ):
        text, after = text + words[after].fold, after + 1
    return (numbers(text), after) if numbers(text) else None


def numbers(text: str) -> tuple[float, ...]:
    """What digits with separators may mean: 1,200 is 1200 or 1.2, 12,50 is 12.5."""
    plain = _BLANKS.sub("", text[:40])
    found: list[float] = []
    if _COMMA_PARTS.fullmatch(plain):
        found.append(float(plain.replace(",", "")))
    if _POINT_PARTS.fullmatch(plain):
        found.append(float(plain.replace(".", "").replace(",", ".")))
    return tuple(dict.fromkeys(found))


def _spelled(words: Items[Token], at: int) -> tuple[tuple[float, ...], int] | None:
    """Twenty-two, three hundred and forty, two thirds, six thousand."""
    total = part = 0.0
    after, seen = at, False
    while after < len(words) and words[after].kind in ("word", "mark"):
        fold = words[after].fold
        if fold in TENS:
            part += TENS[fold]
        elif fold in ONES:
            part += ONES[fold]
        elif fold in PARTS and seen and not total:
            return (part * PARTS[fold],), after + 1
        elif fold in LARGE and len(fold) > 2 and seen:
            part *= LARGE[fold]
            if LARGE[fold] >= 1000:
                total, part = total + part, 0.0
        elif not (seen and fold in ("and", "-") and _goes_on(words, after + 1)):
            break
        after, seen = after + 1, True
    return ((total + part,), after) if seen else None


def _goes_on(words: Items[Token], at: int) -> bool:
    return _fold(words, at) in ONES or _fold(words, at) in TENS
