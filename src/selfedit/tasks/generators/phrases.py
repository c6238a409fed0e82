"""Edits of the words of a phrase."""

from __future__ import annotations

from random import Random

from selfedit.tasks.generators._core import Generator, Rule, only
from selfedit.tasks.generators._words import phrase


def _pick(rng: Random) -> Rule:
    at = rng.choice((0, 1, 2, -1, -2))
    place = f"word {at + 1}" if at >= 0 else f"word {-at} from the end"
    return Rule(phrase, lambda text: text.split()[at], place)


def _drop(rng: Random) -> Rule:
    at = rng.choice((0, 1, -1))

    def solve(text: str) -> str:
        words = text.split()
        del words[at]
        return " ".join(words)

    return Rule(phrase, solve, f"without word {at + 1 if at >= 0 else at}")


def _order(rng: Random) -> Rule:
    down = rng.random() < 0.5
    return Rule(
        phrase,
        lambda text: " ".join(sorted(text.split(), reverse=down)),
        f"words in alphabetical order{', last first' if down else ''}",
    )


def _join(rng: Random) -> Rule:
    between = rng.choice(("_", "-", "/", ", ", " + "))
    return Rule(phrase, lambda text: between.join(text.split()), f"{between!r} between the words")


def _capital(rng: Random) -> Rule:
    at = rng.choice((0, 1, 2, -1))

    def solve(text: str) -> str:
        words = text.split()
        words[at] = words[at].upper()
        return " ".join(words)

    return Rule(phrase, solve, f"word {at + 1 if at >= 0 else at} in capitals")


def _initials(rng: Random) -> Rule:
    mark, capital = rng.choice(("", ".", "-")), rng.random() < 0.5

    def solve(text: str) -> str:
        letters = mark.join(word[0] for word in text.split())
        return letters.upper() if capital else letters

    return Rule(
        phrase, solve, f"{'capital' if capital else 'small'} initials with {mark or 'nothing'} between"
    )


GENERATORS = (
    Generator("reverse-words", only(phrase, lambda text: " ".join(text.split()[::-1]), "words in reverse")),
    Generator("pick-word", _pick),
    Generator("drop-word", _drop),
    Generator("order-words", _order),
    Generator("join-words", _join),
    Generator("capital-word", _capital),
    Generator("initials", _initials),
    Generator(
        "word-lengths", only(phrase, lambda t: " ".join(str(len(w)) for w in t.split()), "lengths of words")
    ),
)
