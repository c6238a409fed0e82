"""What a sentence says, as it is compared: content words, names, values, and whether it denies."""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import final

import regex

from selfedit.contradictions.tokens import Token, key, light_keys, tokens
from selfedit.contradictions.values import Value, values
from selfedit.contradictions.vocabulary import (
    ADDING,
    ANNOUNCED,
    CHANGED,
    FILLERS,
    FORBIDDEN,
    GENERIC,
    NEGATIONS,
)

_CLAUSE_ENDS = frozenset(",;:()–—.!?")
_SOFT_ENDS = frozenset(("and", "but", "und", "aber", "et", "mais", "y", "pero", "ve", "ama", "и", "а", "но"))


@final
@dataclass(frozen=True)
class Said:
    """A sentence, each of its views made once."""

    text: str

    @cached_property
    def _flat(self) -> str:
        return self.text[:600].casefold().replace("\u0307", "").replace("ı", "i")

    @property
    def line(self) -> str:
        """Its text on one line."""
        return " ".join(self.text.split())

    def part(self, first: int, last: int) -> str:
        """The text of a span of tokens."""
        return self.text[self.words[first].start : self.words[last - 1].end]

    @cached_property
    def light(self) -> frozenset[str]:
        """Keys of its words, numbers among them."""
        return light_keys(self.text)

    @cached_property
    def words(self) -> tuple[Token, ...]:
        return tokens(self.text)

    @cached_property
    def values(self) -> tuple[Value, ...]:
        return values(self.words)

    @cached_property
    def valued(self) -> frozenset[int]:
        """Places of tokens that are part of a value."""
        return frozenset(at for value in self.values for at in range(value.first, value.last))

    @cached_property
    def content(self) -> tuple[int, ...]:
        """Places of words that name something and are no part of a value."""
        return tuple(at for at, word in enumerate(self.words) if at not in self.valued and self._names(word))

    def _names(self, word: Token) -> bool:
        return not word.empty and word.fold not in NEGATIONS and word.fold not in FORBIDDEN

    @cached_property
    def keys(self) -> frozenset[str]:
        """What its content words count as, units of its values among them."""
        units = (self.words[at].key for value in self.values for at in range(value.first, value.last))
        return frozenset((*(self.words[at].key for at in self.content), *units))

    @cached_property
    def opposites(self) -> frozenset[str]:
        """Keys of what its words with un- before them deny."""
        return frozenset(opposite(word.fold) for word in self.words if word.kind == "word") - {""}

    @cached_property
    def names(self) -> frozenset[str]:
        """Keys of words with a capital; of the first word only before another, or where it stands alone."""
        words, content = self.words, self.content
        after = {at: words[at + 1].named for at in content if at + 1 < len(words)}
        first = next(iter(range(len(words))), 0)
        alone = len(words) == 1
        return frozenset(
            words[at].key
            for at in content
            if words[at].named and (at > first or after.get(at, False) or alone)
        )

    @cached_property
    def announces(self) -> bool:
        """Whether it says that something changed."""
        return bool(_pattern(ANNOUNCED).search(self._flat))

    @cached_property
    def takes_back(self) -> bool:
        """Whether it says of something that it is no longer so."""
        return bool(_pattern(CHANGED).search(self._flat))

    @cached_property
    def adds(self) -> bool:
        """Whether it says that it comes beside something else."""
        return bool(_pattern(ADDING).search(self._flat))

    @cached_property
    def clauses(self) -> tuple[tuple[int, int], ...]:
        """Spans of tokens between commas, other marks and conjunctions."""
        cuts = [0, *(at for at, word in enumerate(self.words) if self._ends(at, word)), len(self.words)]
        return tuple((a, b) for a, b in pairwise(cuts) if a < b)

    def _ends(self, at: int, word: Token) -> bool:
        if any(value.first < at < value.last for value in self.values):
            return False
        return word.text in _CLAUSE_ENDS or word.fold in _SOFT_ENDS

    def clause(self, at: int) -> tuple[int, int]:
        """The clause that a token stands in."""
        return next(((a, b) for a, b in self.clauses if a <= at < b), (0, len(self.words)))

    def denies(self, span: tuple[int, int], known: frozenset[str] = frozenset()) -> bool:
        """Whether a span of tokens denies: an odd number of words that do, or of known words with un- before.

        A comparison (none is higher than ...) does not.
        """
        first, last = span
        folds = [word.fold for word in self.words[first:last]]
        if "than" in folds:
            return False
        denied = sum(fold in NEGATIONS or fold in FORBIDDEN for fold in folds)
        opposed = sum(opposite(word.fold) in known for word in self.words[first:last])
        return bool((denied + opposed) % 2)


_OPPOSED = regex.compile(r"(?:un|in|im|non|dis)(\p{L}{4,})")


@lru_cache(maxsize=50_000)
def opposite(word: str) -> str:
    """The key of what a word with un-, in-, non- denies; "" for other words."""
    found = _OPPOSED.fullmatch(word)
    return key(str(found[1])) if found else ""


def filler(word: Token) -> bool:
    """Neither missed where it is not, nor counted where it is."""
    return word.empty or word.fold in GENERIC or word.key in GENERIC or word.fold in FILLERS


def runs(places: Items[int], words: Items[Token]) -> Iterator[tuple[int, int]]:
    """Spans of neighbouring places; empty words and hyphens between two of them do not part them."""
    begin = end = -1
    for at in places:
        between = words[end:at] if end >= 0 else ()
        if end >= 0 and at - end <= 2 and all(_joins(word) for word in between):
            end = at + 1
            continue
        if end >= 0:
            yield begin, end
        begin, end = at, at + 1
    if end >= 0:
        yield begin, end


def _joins(word: Token) -> bool:
    return word.fold in ("of", "-", "de", "du", "von", "the", "and", "'", "’", "der", "&", ".")


@lru_cache
def _pattern(text: str) -> regex.Pattern[str]:
    return regex.compile(text)
