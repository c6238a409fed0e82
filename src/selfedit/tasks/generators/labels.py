"""Labels for words and numbers. The labels themselves are drawn, so that only the examples tell them."""

from __future__ import annotations

from random import Random

from selfedit.tasks.generators._core import Generator, Rule
from selfedit.tasks.generators._words import FIRST, KINDS, LAST, VOWELS, WORDS, word

_PAIRS = (("yes", "no"), ("A", "B"), ("left", "right"), ("red", "blue"), ("tav", "zog"), ("+", "-"))


def _pair(rng: Random) -> tuple[str, str]:
    one, other = rng.choice(_PAIRS)
    return (one, other) if rng.random() < 0.5 else (other, one)


def _number(rng: Random) -> str:
    return str(rng.randint(1, 99))


def _kind(rng: Random) -> Rule:
    one, other = rng.sample(sorted(KINDS), 2)
    first, second = _pair(rng)
    known = dict.fromkeys(KINDS[one], first) | dict.fromkeys(KINDS[other], second)

    def fresh(rng: Random) -> str:
        return rng.choice(KINDS[rng.choice((one, other))])

    return Rule(fresh, lambda text: known.get(text, "?"), f"{one}: {first}, {other}: {second}")


def _length(rng: Random) -> Rule:
    even, odd = _pair(rng)
    return Rule(word, lambda text: odd if len(text) % 2 else even, f"length even: {even}, odd: {odd}")


def _start(rng: Random) -> Rule:
    vowel, other = _pair(rng)
    open_words = [each for each in WORDS if each[0] in VOWELS]

    def fresh(rng: Random) -> str:
        return rng.choice(open_words if rng.random() < 0.5 else WORDS)

    return Rule(
        fresh,
        lambda text: vowel if text[0] in VOWELS else other,
        f"begins with a vowel: {vowel}, else: {other}",
    )


def _holds(rng: Random) -> Rule:
    letter, (there, absent) = rng.choice("aerst"), _pair(rng)
    return Rule(
        word, lambda text: there if letter in text else absent, f"holds {letter}: {there}, else: {absent}"
    )


def _size(rng: Random) -> Rule:
    limit, (above, below) = rng.choice((20, 35, 50, 65, 80)), _pair(rng)
    return Rule(
        _number, lambda text: above if int(text) > limit else below, f"above {limit}: {above}, else: {below}"
    )


def _divides(rng: Random) -> Rule:
    by, (whole, rest) = rng.choice((2, 3, 5)), _pair(rng)

    def fresh(rng: Random) -> str:
        return str(by * rng.randint(1, 99 // by)) if rng.random() < 0.4 else _number(rng)

    return Rule(
        fresh, lambda text: rest if int(text) % by else whole, f"divisible by {by}: {whole}, else: {rest}"
    )


def _compare(rng: Random) -> Rule:
    first, second = _pair(rng)

    def fresh(rng: Random) -> str:
        return " and ".join(map(str, rng.sample(range(1, 100), 2)))

    def solve(text: str) -> str:
        left, right = map(int, text.split(" and "))
        return first if left > right else second

    return Rule(fresh, solve, f"first greater: {first}, second: {second}")


def _same_letter(rng: Random) -> Rule:
    same, other = _pair(rng)

    def fresh(rng: Random) -> str:
        first = rng.choice(FIRST)
        alike = [name for name in LAST if name[0] == first[0]]
        return f"{first} {rng.choice(alike if alike and rng.random() < 0.5 else LAST)}"

    def solve(text: str) -> str:
        first, last = text.split()
        return same if first[0] == last[0] else other

    return Rule(fresh, solve, f"names with one initial: {same}, with two: {other}")


GENERATORS = (
    Generator("kind-of-word", _kind),
    Generator("length-of-word", _length),
    Generator("vowel-first", _start),
    Generator("holds-letter", _holds),
    Generator("size-of-number", _size),
    Generator("divisible", _divides),
    Generator("which-is-greater", _compare),
    Generator("same-initial", _same_letter),
)
