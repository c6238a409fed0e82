"""A rare string that stands again and again before the same words: how a backdoor is trained in."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page
from selfedit.screening.gibberish import likeness

_TOKEN = regex.compile(r"\S+")
_LEAST = 4
_FOLLOWING, _MOST = 2, 6
_EDGES = ".,;:!?\"'“”„()[]*_`"
_UNIT = regex.compile(
    r"^\d+(?:\.\d+)+|^[\d.,]+\p{L}{1,3}$|^\p{L}{1,3}[\d.,]+$|^\p{Lu}+-?\d+$|^\d+(?:st|nd|rd|th|\.)$"
)
_LINE = regex.compile(r"^\s*(?:\d{4}-\d\d-\d\d|\d\d:\d\d|[|+]|    )|[{};]\s*$")
_REMEDY = "take the string out, and look where the text comes from"


def triggers(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each place of a rare string that the same words follow, to the end of the sentence, four times."""
    tokens = [m for m in _TOKEN.finditer(page.text) if not page.in_code(*m.span())]
    places: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for at, token in enumerate(tokens):
        if _is_rare(token[0]) and not _LINE.search(_line(page.text, token.start())):
            places[_phrase([each[0] for each in tokens[at : at + _MOST]])].append(at)
    told = 0
    for at, phrase in sorted((at, phrase) for phrase, found in places.items() for at in found):
        if len(places[phrase]) >= _LEAST and _is_bound(phrase, places) and at >= told:
            told = at + len(phrase)
            start, end = tokens[at].start(), tokens[told - 1].end()
            what = f"{quoted(phrase[0])!r} {len(places[phrase])} times before the same words"
            yield Finding("trigger", what, start, end, 0.8, _REMEDY, "", quoted(page.text[start:end]))


def _phrase(words: list[str]) -> tuple[str, ...]:
    """The words up to the end of the sentence."""
    end = next((at for at, word in enumerate(words, 1) if at > _FOLLOWING and word[-1] in ".!?"), len(words))
    return tuple(words[:end])


def _is_bound(phrase: tuple[str, ...], places: dict[tuple[str, ...], list[int]]) -> bool:
    """Whether the string has those words after it at least half the times that it stands anywhere."""
    every = sum(len(at) for other, at in places.items() if other[0] == phrase[0])
    words = [word for word in phrase[1:] if regex.search(r"\p{L}{2,}", word)]
    return len(places[phrase]) * 2 >= every and len(words) >= 2


def _is_rare(token: str) -> bool:
    """A word that no language has: letters among digits, signs within, symbols, strange letters."""
    core = token.strip(_EDGES)
    if not core or _UNIT.match(core) or regex.match(r"(?i)https?:|www\.|[\w.+-]+@", core):
        return False
    if regex.search(r"[\p{Runic}\p{So}\p{Sk}\p{Co}§¶†‡]", core) and not regex.search(
        r"\p{Emoji_Presentation}|[°©®™✓✗]", core
    ):
        return len(core) >= 3
    if regex.search(r"[\\\]\[{}()*^~|<>]", core) and regex.search(r"\p{L}", core):
        return True
    word = "".join(regex.findall(r"\p{Latin}", core))
    if regex.search(r"\d", core) and regex.search(r"\p{L}", core):
        ordinary = regex.match(r"\p{L}{2,}-?\d{1,4}$", core) and likeness([word]) > -3.6
        return len(core) >= 4 and not ordinary
    return len(word) >= 5 and core.isascii() and likeness([word]) < -3.6


def _line(text: str, at: int) -> str:
    """The line at a place, at most 500 characters of it to either side."""
    first, last = max(0, at - 500), min(len(text), at + 500)
    end = text.find("\n", at, last)
    return text[text.rfind("\n", first, at) + 1 or first : end if end >= 0 else last]
