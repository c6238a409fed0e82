"""Words in borrowed letters: Cyrillic or Greek among Latin, mathematical or full-width letters as text."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import LOOKALIKES, Page

_WORD = regex.compile(r"\p{L}[\p{L}\p{M}]*")
_LATIN = regex.compile(r"\p{Latin}")
_CYRILLIC = regex.compile(r"\p{Cyrillic}")
_GREEK = regex.compile("[οναρυιΑΒΕΖΗΙΚΜΝΟΡΤΥΧ]")
_STYLED = regex.compile("(?:[\U0001d400-\U0001d7ff]{2,}[ ,.]*){2,}")
_WIDE = regex.compile("(?:[\uff21-\uff3a\uff41-\uff5a]{2,}[ \u3000]*){3,}")
_WIDE_SCRIPT = regex.compile(r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]")
_REMEDY = "write the word in the letters of its own script"


def lookalikes(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each such word or run of words."""
    text = page.text
    mostly_latin = len(_LATIN.findall(text)) > 9 * len(_CYRILLIC.findall(text))
    for match in _WORD.finditer(text):
        if what := _disguise(match[0], mostly_latin):
            yield Finding("homoglyph", what, *match.span(), 0.9, _REMEDY, quote=quoted(match[0]))
    for match in _STYLED.finditer(text):
        yield Finding(
            "homoglyph", "words in mathematical letters", *match.span(), 0.9, _REMEDY, quote=quoted(match[0])
        )
    if not _WIDE_SCRIPT.search(text):
        for match in _WIDE.finditer(text):
            yield Finding(
                "homoglyph",
                "words in full-width letters",
                *match.span(),
                0.9,
                _REMEDY,
                quote=quoted(match[0]),
            )


def _disguise(word: str, mostly_latin: bool) -> str:
    if word.isascii() or len(word) < 3:
        return ""
    latin, cyrillic = len(_LATIN.findall(word)), _CYRILLIC.findall(word)
    alike = all(letter in LOOKALIKES for letter in cyrillic)
    if cyrillic and alike and (latin or (mostly_latin and len(word) > 3)):
        return "Latin and Cyrillic letters in one word" if latin else "a Latin word in Cyrillic letters"
    greek = _GREEK.findall(word[1:-1])
    return "Latin and Greek letters in one word" if len(greek) > 0 and latin > 2 and len(word) > 4 else ""
