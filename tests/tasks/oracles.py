"""The rules of the generators once more, found another way: for each, candidates of which one must fit."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from itertools import product

Solve = Callable[[str], str]


def each(values: Iterable[object], make: Callable[..., Solve]) -> list[Solve]:
    return [make(*value) if isinstance(value, tuple) else make(value) for value in values]


def by_list(make: Callable[[list[str]], Iterable[object]]) -> Solve:
    return lambda text: " ".join(map(str, make(text.split(" "))))


def ints(make: Callable[[list[int]], Iterable[int]]) -> Solve:
    return lambda text: " ".join(f"{n}" for n in make(list(map(int, re.findall(r"\d+", text)))))


def moved(values: list[int], by: int) -> list[int]:
    return [values[(at + by) % len(values)] for at in range(len(values))]


def without(words: list[str], at: int) -> list[str]:
    at %= len(words)
    return [word for place, word in enumerate(words) if place != at]


def capital(words: list[str], at: int) -> list[str]:
    return [w.upper() if place == at % len(words) else w for place, w in enumerate(words)]


def doubled(text: str, of: str) -> str:
    return re.sub(f"([{of}])", r"\1\1", text)


def shifted(text: str, by: int) -> str:
    alphabet = "abcdefghijklmnopqrstuvwxyz"
    return text.translate(str.maketrans(alphabet, alphabet[by:] + alphabet[:by]))


def exchanged(cells: list[str], a: int, b: int) -> list[str]:
    return [cells[{a: b, b: a}.get(at, at)] for at in range(len(cells))]


def unrolled(text: str) -> int:
    values = {"I": 1, "V": 5, "X": 10, "L": 50}
    numbers = [values[sign] for sign in text]
    return sum(-n if at + 1 < len(numbers) and n < numbers[at + 1] else n for at, n in enumerate(numbers))


UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = [
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
TENS = {
    str(tens): word
    for tens, word in enumerate(
        ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"), 2
    )
}


def spelled(text: str) -> str:
    tens, ones = text.zfill(2)
    if tens == "0":
        return UNITS[int(ones)]
    if tens == "1":
        return TEENS[int(ones)]
    return TENS[tens] + ("" if ones == "0" else "-" + UNITS[int(ones)])


def at(text: str, layout: str) -> datetime:
    return datetime.strptime(text, layout)


def scaled(table: dict[str, tuple[int, str]]) -> Solve:
    def solve(text: str) -> str:
        number, _, unit = text.partition(" ")
        times, small = table[unit]
        return f"{sum([int(number)] * times)} {small}"

    return solve


def record(text: str) -> tuple[str, str, str]:
    found = re.fullmatch(r"name=(\w+); age=(\d+); city=(\w+)", text)
    assert found
    return found.group(1), found.group(2), found.group(3)


def split_at(text: str, sizes: tuple[int, ...]) -> list[str]:
    found: list[str] = []
    for size in sizes:
        found, text = [*found, text[:size]], text[size:]
    return found


def name(make: Callable[[str, str], str]) -> Solve:
    return lambda text: make(*text.split(" "))


WEEK = list(calendar.day_name)
MONTHS = list(calendar.month_name)

ORACLES: dict[str, list[Solve]] = {
    # strings
    "backwards": [lambda t: "".join(reversed(t))],
    "swap-ends": [lambda t: re.sub(r"^(.)(.*)(.)$", r"\3\2\1", t)],
    "rotate-letters": each(
        (1, 2, 3), lambda k: lambda t: "".join(t[(i + k) % len(t)] for i in range(len(t)))
    ),
    "every-other-letter": each((0, 1), lambda s: lambda t: "".join(c for i, c in enumerate(t) if i % 2 == s)),
    "mark-between": each("-._*+~", lambda m: lambda t: re.sub(r"(?<=.)(?=.)", lambda _: m, t)),
    "replace-letter": each(
        product("aeo", "#@%xz"), lambda a, b: lambda t: "".join(b if c == a else c for c in t)
    ),
    "double-letters": each(("aeiou", "^aeiou", "a-z"), lambda of: lambda t: doubled(t, of)),
    "shift-letters": each((-2, -1, 1, 2, 3), lambda by: lambda t: shifted(t, by % 26)),
    # phrases
    "reverse-words": [by_list(lambda w: reversed(w))],
    "pick-word": each((0, 1, 2, -1, -2), lambda i: lambda t: re.findall(r"\w+", t)[i]),
    "drop-word": each((0, 1, -1), lambda i: by_list(lambda w: without(w, i))),
    "order-words": [by_list(sorted), by_list(lambda w: sorted(w)[::-1])],
    "join-words": each(("_", "-", "/", ", ", " + "), lambda m: lambda t: t.replace(" ", m)),
    "capital-word": each((0, 1, 2, -1), lambda i: by_list(lambda w: capital(w, i))),
    "initials": each(
        product(("", ".", "-"), (str.upper, str.lower)),
        lambda m, case: lambda t: m.join(case(found) for found in re.findall(r"\b\w", t)),
    ),
    "word-lengths": [by_list(lambda w: map(len, w))],
    # lists
    "sort-numbers": [ints(sorted), ints(lambda n: sorted(n)[::-1])],
    "add-to-each": each((-3, -2, -1, 1, 2, 3, 5, 10), lambda k: ints(lambda n: [x + k for x in n])),
    "keep-some": [
        *each((0, 1), lambda r: ints(lambda n: [x for x in n if x % 2 == r])),
        ints(lambda n: [x for x in n if x >= 16]),
        ints(lambda n: [x for x in n if x <= 14]),
    ],
    "one-of-many": [
        ints(lambda n: sorted(n)[-1:]),
        ints(lambda n: sorted(n)[:1]),
        ints(lambda n: [sum(n)]),
        ints(lambda n: [len(n)]),
        ints(lambda n: [sorted(n)[-1] - sorted(n)[0]]),
    ],
    "part-of-list": [
        *each((1, 2, 3), lambda k: by_list(lambda w: w[:k])),
        *each((1, 2, 3), lambda k: by_list(lambda w: w[len(w) - k :])),
    ],
    "rotate-list": each((1, 2, -1, -2), lambda k: ints(lambda n: moved(n, k))),
    "running-total": [ints(lambda n: [sum(n[: i + 1]) for i in range(len(n))])],
    "first-of-each": [ints(lambda n: [x for i, x in enumerate(n) if x not in n[:i]])],
    # units
    "length": [scaled({"m": (100, "cm"), "km": (1000, "m"), "cm": (10, "mm")})],
    "weight": [scaled({"kg": (1000, "g"), "tons": (1000, "kg"), "stone": (14, "pounds")})],
    "period": [scaled({"weeks": (7, "days"), "hours": (60, "minutes"), "days": (24, "hours")})],
    "price": each(
        ("${}", "€{}", "{} EUR", "£{}"), lambda f: lambda t: f.format(f"{int(t.split(' ')[0]) / 100:.2f}")
    ),
    "heat": [lambda t: f"{round(float(t[:-2]) * 1.8 + 32)} F"],
    "clock": [lambda t: str(timedelta(minutes=int(t.split(" ")[0])))[:-3]],
    "roman": [lambda t: next(r for r in ROMANS if unrolled(r) == int(t))],
    "spelled": [spelled],
    # dates
    "date-in-numbers": each(
        ("{2}/{1}/{0}", "{1}/{2}/{0}", "{2}.{1}.{0}", "{0}{1}{2}", "{2}-{1}-{3}"),
        lambda f: lambda t: f.format(*t.split("-"), t[2:4]),
    ),
    "date-in-words": each(
        ("{2} {3} {0}", "{3} {2}, {0}", "{2} {4} {0}", "{4} {2}"),
        lambda f: (
            lambda t: f.format(*map(int, t.split("-")), MONTHS[int(t[5:7])], calendar.month_abbr[int(t[5:7])])
        ),
    ),
    "date-to-iso": [lambda t: at(t, "%d %B %Y").strftime("%Y-%m-%d")],
    "days-later": each(
        (-1, 1, 2, 7, 10),
        lambda k: lambda t: datetime.fromordinal(at(t, "%Y-%m-%d").toordinal() + k).strftime("%Y-%m-%d"),
    ),
    "weekday": each(
        (-2, -1, 1, 2, 3),
        lambda k: lambda t: f"{WEEK[(WEEK.index(t.split(' ')[0]) + k) % 7]} {t.split(' ')[1]}",
    ),
    "month-of-date": [
        lambda t: t.split("-")[1].lstrip("0"),
        lambda t: at(t, "%Y-%m-%d").strftime("%B"),
        lambda t: "Q" + "111222333444"[int(t.split("-")[1]) - 1],
    ],
    "half-day-clock": [lambda t: at(t, "%H:%M").strftime("%I:%M %p").lstrip("0").lower()],
    "minutes-later": each(
        (10, 15, 30, 45, 60, 90),
        lambda k: lambda t: (at(t, "%H:%M") + timedelta(minutes=k)).strftime("%H:%M"),
    ),
    # records
    "field": each((0, 1, 2), lambda i: lambda t: record(t)[i]),
    "sentence-of-record": each(
        ("{0} ({1}) lives in {2}.", "{2}: {0}, {1}", "{0} from {2} is {1}.", "{1}, {2}, {0}"),
        lambda f: lambda t: f.format(*record(t)),
    ),
    "layout-of-name": [
        name(lambda f, n: f"{n}, {f}"),
        name(lambda f, n: f"{f[:1]}. {n}"),
        name(lambda f, n: f"{f} {n[:1]}."),
        name(lambda f, n: f"{n} {f}"),
    ],
    "address": each(
        product(("post", "mail", "firm"), (0, 1, 2, 3)),
        lambda host, i: name(
            lambda f, n: (
                (f"{f}.{n}", f"{f[:1]}{n}", f"{n}_{f}", f"{f}{n[:1]}")[i].lower() + f"@{host}.example"
            )
        ),
    ),
    "groups-of-digits": each(
        product(((3, 3, 3), (4, 5), (2, 3, 4), (3, 2, 2, 2)), " -."),
        lambda sizes, mark: lambda t: mark.join(split_at(t, sizes)),
    ),
    "column": each((0, 1, 2, 3), lambda i: lambda t: re.findall(r"[^,]+", t)[i]),
    "swap-cells": each(
        ((0, 1), (1, 2), (0, 2)), lambda a, b: lambda t: " | ".join(exchanged(t.split(" | "), a, b))
    ),
    "wrap": each(("<{}>", "[{}]", '"{}"', "**{}**", "({})!", "the {}s"), lambda f: lambda t: f.format(t)),
}
ROMANS = [
    tens + ones
    for tens in ("", "X", "XX", "XXX", "XL", "L", "LX")
    for ones in ("", "I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
]

DIVISIONS: dict[str, list[Callable[[str], bool]]] = {
    "length-of-word": [lambda t: len(t) % 2 == 0],
    "vowel-first": [lambda t: re.match("[aeiou]", t) is not None],
    "holds-letter": [lambda t, c=c: t.count(c) > 0 for c in "aerst"],
    "size-of-number": [lambda t, k=k: int(t) >= k + 1 for k in (20, 35, 50, 65, 80)],
    "divisible": [lambda t, k=k: int(t) // k * k == int(t) for k in (2, 3, 5)],
    "which-is-greater": [lambda t: int(t.split(" ")[0]) - int(t.split(" ")[2]) > 0],
    "same-initial": [lambda t: re.match(r"(\w)\w+ \1", t) is not None],
}
"""For labels, which are drawn: how the inputs fall into two."""
