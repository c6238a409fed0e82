"""Tokens, word classes and overlaps, by rule. Knows nothing of passages, spans or models."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import regex

_TOKEN = regex.compile(
    r"[$€£¥]?\d+(?:[.,:]\d+)*(?:[-–]\d+(?:[.,]\d+)*)?\w*%?(?:-\w+)*"  # $230,000, 1919–20, 19th, 5-year
    r"|['’]s\b"
    r"|\p{L}(?:\.\p{L})+\b\.?"  # U.S.
    r"|\b(?:Drs?|Mrs?|Ms|St|Prof|Lt|Col|Gen|Capt|Sgt|Rev|Gov|Sen|Mt|Ft|\p{Lu})\.(?=\s?\p{Lu})"  # Dr. J. Smith
    r"|\w+(?:(?:[-&/]|['’](?!s\b))\w+)*"
    r"|\S"
)
_ARTICLES = frozenset(("a", "an", "the"))


def listed(text: str) -> frozenset[str]:
    """The words of a text, as a set."""
    return frozenset(text.split())


PREPOSITIONS = listed(
    """
    of in on at by for with from to into onto upon about above across after against along among amid
    around as before behind below beneath beside besides between beyond despite down during except
    inside like near off out outside over past per since than through throughout till toward towards
    under until up via within without
    """
)
AUXILIARIES = listed(
    """
    is are was were be been being am has have had having do does did done can could will would shall
    should may might must cannot
    """
)
PRONOUNS = listed(
    """
    i you he she it we they me him her us them my your his its our their mine yours hers ours theirs
    myself himself herself itself themselves this that these those who whom whose which what where when
    why how there here one ones someone anyone everyone something anything everything nothing none other
    others another such same each every either neither both all any some many much most more few fewer
    less least several own
    """
)
CONJUNCTIONS = listed(
    """
    and or but nor so yet if because although though while whereas unless whether once not no also only
    just even then thus therefore however moreover furthermore too very quite rather still already
    always often never ever again almost approximately about nearly roughly instead later soon now today
    well far away together respectively especially particularly mainly mostly usually generally
    """
)
FUNCTION_WORDS = _ARTICLES | PREPOSITIONS | AUXILIARIES | PRONOUNS | CONJUNCTIONS
"""English words that name nothing by themselves; an answer neither starts nor ends with one."""

MONTHS = listed(
    """
    january february march april may june july august september october november december jan feb mar
    apr jun jul aug sep sept oct nov dec
    """
)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a mark, with its character offsets."""

    text: str
    start: int
    end: int

    @property
    def lower(self) -> str:
        return self.text.lower()

    @property
    def is_word(self) -> bool:
        return self.text[0].isalnum() or (
            len(self.text) > 1 and self.text[1].isalnum() and self.text[0] in "$€£¥"
        )

    @property
    def capital(self) -> bool:
        return self.text[0].isupper()

    @property
    def numeric(self) -> bool:
        return any(character.isdigit() for character in self.text)


def tokens(text: str) -> tuple[Token, ...]:
    """Words, numbers and marks in order; `'s` and each mark stand alone."""
    return tuple(Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text))


@lru_cache(maxsize=8192)
def content(text: str) -> tuple[str, ...]:
    """Lower-case words without articles and marks: what two answers are compared by."""
    words = (token.lower for token in tokens(text) if token.is_word)
    return tuple(word for word in words if word not in _ARTICLES)


def recall(wanted: str, given: str) -> float:
    """Share of the wanted text's words (with multiplicity) that the given text has; 0 if none is wanted."""
    pool, hits = list(content(given)), 0
    for word in content(wanted):
        if word in pool:
            pool.remove(word)
            hits += 1
    return hits / max(1, len(content(wanted)))


def agree(left: str, right: str, share: float = 0.6) -> bool:
    """Whether each text has at least `share` of the other's words."""
    return recall(left, right) >= share and recall(right, left) >= share


def squash(text: str) -> str:
    """One line: runs of white space become one space, and what cannot be printed is left out."""
    return " ".join("".join(c if c.isprintable() else " " if c.isspace() else "" for c in text).split())
