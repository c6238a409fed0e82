"""Text in no language: noise of scanners, bytes read as letters, broken encodings, hands on the keyboard.

A paragraph of words is held to three measures at once, and only one that fails all is gibberish: hardly any
of the small words of a dozen languages, pairs of letters that English, German and Turkish hardly know, and
many words that nobody could say.
"""

from __future__ import annotations

import json
import math
import unicodedata
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page

_TABLE = Path(__file__).parent / "letters.json"
_LEAST_WORDS = 20
_SMALL_SHARE = 0.06
_UNLIKELY = -3.15
"""Nats a letter, by the language that likes the text best."""
_ODD_SHARE = 0.19
_ODD = regex.compile(
    r"[^aeiouyæœø]{4}|^[^aeiouyæœø]{3,}$|^[bcdfghjklmnpqrtvwxz]{3}|[^aeiouy]{3}$|q(?!u)|[jvwxqz]{2}"
)
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyzçğıöşüäß")
_BROKEN = regex.compile("[ÃÄÅÂ][\u0080-\u00bf–—‘’‚“”„†‡•…‰‹›€™šœžŸŠŒŽˆ˜]")
_DATA = regex.compile(r"\s*(?:[#>*{}+-]|/[/*])|\s*\|.*\|\s*$|.*[;{}]\s*$")
_NOISE = regex.compile(r"[|~;:'\"^_{}<>@#$%&*\\=`\ufffd]")
_SIGNS = regex.compile(r"[][{}()<>=_\"'/\\|@#%]")
"""Of which code has many."""
_REMEDY = "check how the text was made: scan, font, encoding"
_SMALL_WORDS = Path(__file__).parent / "small_words.txt"
"""A language a line."""


def gibberish(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each paragraph that is none."""
    for start, end in page.paragraphs:
        place = page.text[start:end]
        if what := _wrong(place.strip()):
            yield Finding("gibberish", what, start, end, 0.85, _REMEDY, "", quoted(place))


def _wrong(text: str) -> str:
    length = len(text)
    if length < 60:
        return ""
    if text.count("\ufffd") > 0.02 * length:
        return "bytes that are no text"
    if 2 * len(_BROKEN.findall(text)) > 0.15 * length:
        return "letters of a broken encoding"
    if _is_noise(text):
        return "noise"
    words = regex.findall(r"\p{Latin}{2,}", unicodedata.normalize("NFC", text))
    if len(words) < _LEAST_WORDS or sum(map(len, words)) < 0.6 * sum(not c.isspace() for c in text):
        return ""
    if len(_SIGNS.findall(text)) > 0.06 * length or length > 25 * len(text.split()):
        return ""
    strange = odd_share(words) > _ODD_SHARE and likeness(words) < _UNLIKELY
    return "words of no language" if strange and small_share(words) < _SMALL_SHARE else ""


def _is_noise(text: str) -> bool:
    """Signs for the most part, and hardly a word; tables and code have lines that begin or end with signs."""
    prose = "\n".join(line for line in text.splitlines() if not _DATA.match(line))
    solid = [c for c in prose if not c.isspace()]
    if len(solid) < 120:
        return False
    words = sum(
        len(w) for w in regex.findall(r"\p{L}{4,}", prose) if regex.search(r"(?i)[aeiouyäöüıаеиоу]", w)
    )
    return len(_NOISE.findall(prose)) > 0.2 * len(solid) and words < 0.15 * len(solid)


def odd_share(words: list[str]) -> float:
    """How many of the words are hard to say in any language: consonants heaped up, or no vowel."""
    long = [_bare(word) for word in words if len(word) > 2]
    return sum(bool(_ODD.search(word)) for word in long) / max(1, len(long))


def _bare(word: str) -> str:
    lowered = unicodedata.normalize("NFKD", word.lower().replace("ı", "i"))
    return "".join(c for c in lowered if not unicodedata.combining(c))


def small_share(words: list[str]) -> float:
    """How many of the words are small ones, in the language where it is highest."""
    lowered = [word.lower() for word in words]
    return max(sum(word in small for word in lowered) for small in _small()) / len(words)


def likeness(words: list[str]) -> float:
    """The mean log-probability of a letter after the one before it, in the language where it is highest."""
    runs = [f" {_folded(word)} " for word in words]
    count = sum(len(run) - 1 for run in runs)
    return max(
        sum(table.get(run[i : i + 2], floor) for run in runs for i in range(len(run) - 1)) / max(1, count)
        for table, floor in _tables().values()
    )


def _folded(word: str) -> str:
    """Lower case with the letters of the three languages; other accents are dropped."""
    lowered = word.replace("İ", "i").lower()
    return "".join(
        c if c in _LETTERS else next((d for d in unicodedata.normalize("NFKD", c) if d in _LETTERS), "")
        for c in lowered
    )


def counted(text: str) -> dict[str, int]:
    """How often each pair of letters stands in a text, blanks at both ends of a word."""
    pairs: dict[str, int] = {}
    for word in regex.findall(r"\p{Latin}{2,}", unicodedata.normalize("NFC", text)):
        run = f" {_folded(word)} "
        for at in range(len(run) - 1):
            pairs[run[at : at + 2]] = pairs.get(run[at : at + 2], 0) + 1
    return pairs


@cache
def _small() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(line.split()) for line in _SMALL_WORDS.read_text(encoding="utf-8").splitlines())


@cache
def _tables() -> Mapping[str, tuple[Mapping[str, float], float]]:
    """For each language the log-probabilities of pairs, and that of a pair never seen."""
    held = json.loads(_TABLE.read_text(encoding="utf-8"))
    return {language: _probabilities(pairs) for language, pairs in held.items()}


def _probabilities(pairs: Mapping[str, int]) -> tuple[Mapping[str, float], float]:
    firsts: dict[str, int] = {}
    for pair, count in pairs.items():
        firsts[pair[0]] = firsts.get(pair[0], 0) + count
    size = len(_LETTERS) + 1
    known = {pair: math.log((count + 0.1) / (firsts[pair[0]] + 0.1 * size)) for pair, count in pairs.items()}
    return known, math.log(0.1 / 200)
