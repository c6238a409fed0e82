"""A sentence as words and numbers in one writing: folded, without endings, each with its place."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import final

import regex

from selfedit.contradictions.units import MONTHS, WEEKDAYS
from selfedit.contradictions.vocabulary import EMPTY, SAME
from selfedit.edits.verbs import base_form
from selfedit.rewards.lexicon import stem

_TOKEN = regex.compile(
    r"(?P<number>\d+(?:[.,:'’/\u00a0\u202f-]\d+)*+)(?P<rank>(?:st|nd|rd|th|s)\b)?"
    r"|(?P<noon>(?<=\d\s?)[ap]\.?\s?m\b\.?)"
    r"|(?P<word>(?:\p{L}\.)+\p{L}\b\.?|[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*)"
    r"|(?P<mark>[^\s\p{L}\p{M}\d])",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"\d+|(?:\p{L}\.)+\p{L}\b|[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*")
_OTHER_SCRIPT = regex.compile(r"\p{Cyrillic}|\p{Greek}")
_GERMAN = frozenset(
    ("der", "das", "und", "ist", "im", "den", "dem", "wird", "werden", "wer", "wie", "um", "über")
)
_SMALL_IN_GERMAN = frozenset(("die", "war", "hat", "man"))
"""Words of English that name nothing in German."""
_LONGEST = 600
"""Letters of a sentence that are looked at: tables and noise have longer ones."""


@final
@dataclass(frozen=True, slots=True)
class Token:
    """A word, number or mark; `fold` is its writing for comparison, `key` what it counts as."""

    kind: str
    text: str
    fold: str
    key: str
    start: int
    end: int
    rank: bool = False

    @property
    def named(self) -> bool:
        """Written with a capital."""
        return self.kind == "word" and self.text[0].isupper()

    @property
    def empty(self) -> bool:
        """Names nothing by itself."""
        return self.kind != "word" or self.fold in EMPTY or (len(self.fold) == 1 and self.text.islower())


def tokens(text: str) -> tuple[Token, ...]:
    """Words, numbers and marks in order."""
    found = tuple(_token(match) for match in _TOKEN.finditer(text[:_LONGEST]))
    if not any(token.fold in _GERMAN for token in found):
        return found
    return tuple(replace(each, kind="small") if each.fold in _SMALL_IN_GERMAN else each for each in found)


def _token(match: regex.Match[str]) -> Token:
    kind = str(match.lastgroup if match.lastgroup != "rank" else "number")
    text, (start, end) = str(match[0]), match.span()
    if kind == "word":
        folded = word_of(text)
        return Token(kind, text, folded, key(folded), start, end)
    folded = unicodedata.normalize("NFKC", str(match["number"] or text)).casefold()
    return Token(kind, text, folded, folded, start, end, bool(match["rank"]))


def light_keys(text: str) -> frozenset[str]:
    """The keys of a text's words, without looking at what they are: quick, for an index."""
    folded = (word_of(word) for word in _WORD.findall(text[:_LONGEST]))
    return frozenset(key(word) for word in folded if len(word) > 1 and word not in EMPTY)


@lru_cache(maxsize=50_000)
def word_of(text: str) -> str:
    """A word in lower case, all i alike, without what an apostrophe joins to it."""
    folded = unicodedata.normalize("NFKC", text).casefold().replace("\u0307", "").replace("ı", "i")
    before, mark, after = folded.replace("’", "'").partition("'")
    if mark:
        folded = before + after if after == "t" else after if len(before) <= 2 else before
    return folded.replace(".", "")


@lru_cache(maxsize=50_000)
def key(word: str) -> str:
    """What forms of a word have in common: English by verbs and endings, others by their beginning."""
    if word in WEEKDAYS:
        return f"weekday {WEEKDAYS[word]}"
    if word in MONTHS and len(word) > 3:
        return f"month {MONTHS[word]}"
    if not word.isascii() and _OTHER_SCRIPT.match(word):
        return word[:5]
    base = SAME.get(word) or base_form(word) or word
    base = SAME.get(base, base)
    if len(base) > 5 and base.endswith(("lar", "ler")):
        base = base[:-3]
    found = stem(_singular(base))
    doubled = len(found) > 4 and found[-1] == found[-2] and found[-1] in "bdgmnprt" and found != base
    return found[: -1 if doubled else 7][:7]


def _singular(word: str) -> str:
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    return (
        word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
    )
