"""A text as the checks see it: without disguise, and with the way back to where each letter stood.

Folding takes out unseen characters, puts compatible forms (full width, mathematical letters) as plain ones,
drops accents, joins letters that s t a n d  a p a r t, and lowers case so that Turkish İ, I, ı and i are one.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import final

import regex

UNSEEN = regex.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]"
)
LOOKALIKES = {
    **dict(zip("асеорхуіѕјһԁԛԝѵьг", "aceopxyisjhdqwvbr", strict=True)),
    **dict(zip("АВСЕНІЈКМОРЅТХУЗ", "ABCEHIJKMOPSTXY3", strict=True)),
    **dict(zip("οναρυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ", "ovapuiABEZHIKMNOPTYX", strict=True)),
}
"""Cyrillic and Greek letters that are taken for Latin ones."""
_APART = regex.compile(r"(?<!\w)(?:\w {1,3}){7,}\w(?!\w)")
_SAME = {"ß": "ss", "ı": "i", "æ": "ae", "ø": "o", "đ": "d", "ł": "l", "’": "'", "‘": "'", "“": '"', "”": '"'}
_CODE = regex.compile(r"(?ms)^(```|~~~).*?^\1|``[^`\n]+``|`[^`\n]+`|<(code|pre)\b[^>]*>.*?</\2>")
_QUOTES = regex.compile(
    r"(?s)\"[^\"\n]{2,600}\"|“[^”]{2,600}”|„[^“”]{2,600}[“”]|«[^»]{2,600}»|»[^«]{2,600}«|‘[^’]{12,600}’"
)


@final
@dataclass(frozen=True, slots=True)
class Folded:
    """A folded text; `places[i]` is where letter i stood in the original."""

    text: str
    places: tuple[int, ...]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Where a span of the folded text stands in the original."""
        if not self.places or end <= start:
            return 0, 0
        return self.places[start], self.places[min(end, len(self.places)) - 1] + 1


@final
@dataclass(frozen=True)
class Page:
    """A text and its views, each made once."""

    text: str

    @cached_property
    def plain(self) -> Folded:
        """Folded, every script as it is."""
        return _folded(self.text, {})

    @cached_property
    def latin(self) -> Folded:
        """Folded, letters that look Latin taken as such."""
        return _folded(self.text, LOOKALIKES)

    @cached_property
    def code(self) -> tuple[tuple[int, int], ...]:
        """The spans that are set as code."""
        return tuple(match.span() for match in _CODE.finditer(self.text))

    @cached_property
    def quotations(self) -> tuple[tuple[int, int], ...]:
        """The spans between quotation marks."""
        return tuple(match.span() for match in _QUOTES.finditer(self.text))

    @cached_property
    def paragraphs(self) -> tuple[tuple[int, int], ...]:
        """The spans between blank lines."""
        cuts = [0, *(m.start() for m in regex.finditer(r"\n\s*\n", self.text)), len(self.text)]
        return tuple((a, b) for a, b in pairwise(cuts) if self.text[a:b].strip())

    def in_code(self, start: int, end: int) -> bool:
        return _inside(self.code, start, end)

    def in_quotes(self, start: int, end: int) -> bool:
        return _inside(self.quotations, start, end)


def _inside(spans: tuple[tuple[int, int], ...], start: int, end: int) -> bool:
    return any(a <= start and end <= b for a, b in spans)


def _folded(text: str, letters: dict[str, str]) -> Folded:
    kept: list[str] = []
    places: list[int] = []
    for place, letter in _joined(text):
        if letter.isspace() and kept and kept[-1].isspace():
            kept[-1] = "\n" if "\n" in (letter, kept[-1]) else " "
            continue
        for each in _fold(letters.get(letter, letter)):
            kept.append(each)
            places.append(place)
    return Folded("".join(kept), tuple(places))


def _fold(letter: str) -> str:
    if letter.isascii():
        return letter.lower()
    if UNSEEN.match(letter):
        return ""
    lowered = _SAME.get(letter) or unicodedata.normalize("NFKD", letter).lower()
    return "".join(_SAME.get(each, each) for each in lowered if not unicodedata.combining(each))


def _joined(text: str) -> Iterator[tuple[int, str]]:
    """Places and letters, without the blanks between letters that stand apart."""
    skipped: set[int] = set()
    for match in _APART.finditer(text):
        for blank in regex.finditer(" +", match[0]):
            skipped.update(
                range(match.start() + blank.start() + (len(blank[0]) > 1), match.start() + blank.end())
            )
    return ((place, letter) for place, letter in enumerate(text) if place not in skipped)
