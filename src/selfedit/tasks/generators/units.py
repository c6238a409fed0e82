"""Conversions of units, and numbers written in other ways."""

from __future__ import annotations

from random import Random

from selfedit.tasks.generators._core import Generator, Rule, only
from selfedit.tasks.generators._words import listed

_BELOW_TWENTY = listed(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = listed("twenty thirty forty fifty sixty seventy eighty ninety")
_ROMAN = ((50, "L"), (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))


def _first(text: str) -> int:
    return int(text.split()[0])


def _scaled(pairs: tuple[tuple[str, str, int], ...], rng: Random) -> Rule:
    large, small, times = rng.choice(pairs)

    def fresh(rng: Random) -> str:
        return f"{rng.randint(2, 60)} {large}"

    return Rule(fresh, lambda text: f"{_first(text) * times} {small}", f"1 {large} is {times} {small}")


def _length(rng: Random) -> Rule:
    return _scaled((("m", "cm", 100), ("km", "m", 1000), ("cm", "mm", 10)), rng)


def _weight(rng: Random) -> Rule:
    return _scaled((("kg", "g", 1000), ("tons", "kg", 1000), ("stone", "pounds", 14)), rng)


def _period(rng: Random) -> Rule:
    return _scaled((("weeks", "days", 7), ("hours", "minutes", 60), ("days", "hours", 24)), rng)


def _price(rng: Random) -> Rule:
    sign, before = rng.choice((("$", True), ("€", True), (" EUR", False), ("£", True)))

    def fresh(rng: Random) -> str:
        return f"{rng.randint(105, 4999)} cents"

    def solve(text: str) -> str:
        amount = f"{_first(text) // 100}.{_first(text) % 100:02}"
        return sign + amount if before else amount + sign

    return Rule(fresh, solve, f"hundredths as an amount with {sign.strip()}")


def _heat(text: str) -> str:
    return f"{_first(text) * 9 // 5 + 32} F"


def _clock(text: str) -> str:
    return f"{_first(text) // 60}:{_first(text) % 60:02}"


def roman(number: int) -> str:
    """In Roman numerals, below 90."""
    digits = ""
    for value, sign in _ROMAN:
        digits, number = digits + sign * (number // value), number % value
    return digits


def spelled(number: int) -> str:
    """In English words, below 100."""
    if number < 20:
        return _BELOW_TWENTY[number]
    tens = _TENS[number // 10 - 2]
    return tens if number % 10 == 0 else f"{tens}-{_BELOW_TWENTY[number % 10]}"


GENERATORS = (
    Generator("length", _length),
    Generator("weight", _weight),
    Generator("period", _period),
    Generator("price", _price),
    Generator("heat", only(lambda rng: f"{5 * rng.randint(-4, 20)} C", _heat, "Celsius in Fahrenheit")),
    Generator("clock", only(lambda rng: f"{rng.randint(61, 599)} minutes", _clock, "minutes as h:mm")),
    Generator("roman", only(lambda rng: str(rng.randint(1, 60)), lambda t: roman(int(t)), "Roman numerals")),
    Generator("spelled", only(lambda rng: str(rng.randint(1, 99)), lambda t: spelled(int(t)), "in words")),
)
