"""Edits of the letters of a word."""

from __future__ import annotations

from random import Random

from selfedit.tasks.generators._core import Generator, Rule, only
from selfedit.tasks.generators._words import VOWELS, WORDS, word


def _rotate(rng: Random) -> Rule:
    count = rng.randint(1, 3)
    return Rule(word, lambda text: text[count:] + text[:count], f"the first {count} letters move to the end")


def _every_other(rng: Random) -> Rule:
    start = rng.randint(0, 1)
    return Rule(word, lambda text: text[start::2], f"every second letter, from letter {start + 1}")


def _mark(rng: Random) -> Rule:
    mark = rng.choice("-._*+~")
    return Rule(word, mark.join, f"{mark} between the letters")


def _replace(rng: Random) -> Rule:
    old, new = rng.choice("aeo"), rng.choice("#@%xz")
    rich = [each for each in WORDS if old in each]

    def fresh(rng: Random) -> str:
        return rng.choice(rich if rng.random() < 0.8 else WORDS)

    return Rule(fresh, lambda text: text.replace(old, new), f"{new} in place of {old}")


def _double(rng: Random) -> Rule:
    of = rng.choice(("vowels", "consonants", "letters"))

    def solve(text: str) -> str:
        return "".join(
            letter * (1 + (of == "letters" or (letter in VOWELS) == (of == "vowels"))) for letter in text
        )

    return Rule(word, solve, f"{of} are doubled")


def _shift(rng: Random) -> Rule:
    by = rng.choice((-2, -1, 1, 2, 3))

    def solve(text: str) -> str:
        return "".join(chr((ord(letter) - 97 + by) % 26 + 97) for letter in text)

    return Rule(word, solve, f"each letter becomes the one {by} places on in the alphabet")


GENERATORS = (
    Generator("backwards", only(word, lambda text: text[::-1], "the letters in reverse")),
    Generator("swap-ends", only(word, lambda t: t[-1] + t[1:-1] + t[0], "first and last letter exchanged")),
    Generator("rotate-letters", _rotate),
    Generator("every-other-letter", _every_other),
    Generator("mark-between", _mark),
    Generator("replace-letter", _replace),
    Generator("double-letters", _double),
    Generator("shift-letters", _shift),
)
