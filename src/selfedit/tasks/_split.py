"""Sections into passages of at most a budget of tokens. Knows nothing of documents or tokenizers.

A passage ends where the text itself pauses: at a heading, else a paragraph, else a line, else a sentence,
and only then between two words (or, with no space in reach, within one).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace

from selfedit.tasks._outline import Outline, Section

Count = Callable[[str], int]

_TINY = 40
"""Tokens below which a text is too small to be a passage of its own where a neighbour has room."""
_LONGEST_TOKEN = 64
"""Characters a token, beyond which a text is split uncounted; spares the tokenizer huge texts."""
_SENTENCE_END = re.compile(
    r"[.!?…]{1,8}[\"')\]”’»]{0,4}\s+(?=[\"'(\[“‘«¿¡]*[^\W_a-z])|[。！？]+[”」』）]*\s*"
)
_ABBREVIATION = re.compile(
    r"(?:\b(?:[A-Z]|Mrs?|Ms|Dr|Prof|St|No|Nos|vs|cf|approx|e\.g|i\.e|[Ff]ig|[Vv]ol|pp?))\.\s+$"
)


@dataclass(frozen=True, slots=True)
class _Piece:
    text: str
    glue: str
    """What stands before it where it follows another piece of its passage."""


@dataclass(frozen=True, slots=True)
class _Limit:
    count: Count
    budget: int

    def holds(self, text: str) -> bool:
        return len(text) <= _LONGEST_TOKEN * self.budget and self.count(text) <= self.budget

    def tiny(self, text: str) -> bool:
        return len(text) < _LONGEST_TOKEN * _TINY and self.count(text) < _TINY


_Parts = tuple[tuple[str, str], ...]
"""A passage to be: section names with their texts."""


def passages(outline: Outline, count: Count, budget: int) -> Iterator[tuple[str, str]]:
    """(title, text) of each passage in reading order; no text exceeds `budget` by `count`."""
    limit = _Limit(count, budget)
    for parts in _joined((part for section in outline.sections for part in _packed(section, limit)), limit):
        names = {name for name, _ in parts}
        name = names.pop() if len(names) == 1 else ""
        yield (f"{outline.title}: {name}" if name else outline.title), _rendered(parts)


def sentences(text: str) -> list[str]:
    """The sentences of one line; joined by single spaces they are the line again (white space aside)."""
    found: list[str] = []
    start = 0
    for end in _SENTENCE_END.finditer(text):
        if not _ABBREVIATION.search(text, max(start, end.end() - 12), end.end()):
            found.append(text[start : end.end()].strip())
            start = end.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def _packed(section: Section, limit: _Limit) -> Iterator[tuple[str, str]]:
    """The section's passages, of about even length rather than full ones and a rest."""
    pieces = [piece for paragraph in section.paragraphs for piece in _pieces(paragraph, "\n\n", limit)]
    full = _greedy(pieces, limit)
    if len(full) > 1:
        share = sum(map(limit.count, full)) / len(full)
        even = _greedy(pieces, replace(limit, budget=min(limit.budget, int(share * 1.15) + 1)))
        full = even if len(even) == len(full) else full
    return ((section.name, text) for text in full)


def _greedy(pieces: Iterable[_Piece], limit: _Limit) -> list[str]:
    packed: list[str] = []
    for piece in pieces:
        longer = packed[-1] + piece.glue + piece.text if packed else piece.text
        if packed and limit.holds(longer):
            packed[-1] = longer
        else:
            packed.append(piece.text)
    return packed


def _pieces(text: str, glue: str, limit: _Limit) -> Iterator[_Piece]:
    """`text` whole where it fits, else by lines, else by sentences, else halved."""
    if limit.holds(text):
        yield _Piece(text, glue)
        return
    lines = [line for line in text.split("\n") if line.strip()]
    parts, inner = (lines, "\n") if len(lines) > 1 else (sentences(text), " ")
    if len(parts) > 1:
        for i, part in enumerate(parts):
            yield from _pieces(part, inner if i else glue, limit)
    else:
        yield from _halved(text.strip(), glue, limit)


def _halved(text: str, glue: str, limit: _Limit) -> Iterator[_Piece]:
    if len(text) < 2 or limit.holds(text):
        yield _Piece(text, glue)
        return
    cut, inner = _middle(text)
    yield from _halved(text[:cut].rstrip(), glue, limit)
    yield from _halved(text[cut:].lstrip(), inner, limit)


def _middle(text: str) -> tuple[int, str]:
    """Where to cut, and the glue there: the space next to the middle, else the middle itself."""
    half = len(text) // 2
    spaces = [at for at in (text.rfind(" ", 1, half + 1), text.find(" ", half, -1)) if at > 0]
    return (min(spaces, key=lambda at: abs(at - half)), " ") if spaces else (half, "")


def _joined(parts: Iterable[tuple[str, str]], limit: _Limit) -> Iterator[_Parts]:
    """Neighbours under different headings made one passage where one of them is tiny and both fit."""
    group: _Parts = ()
    for part in parts:
        longer = (*group, part)
        if group and (limit.tiny(part[1]) or limit.tiny(_rendered(group))) and limit.holds(_rendered(longer)):
            group = longer
            continue
        if group:
            yield group
        group = (part,)
    if group:
        yield group


def _rendered(parts: _Parts) -> str:
    """The text; where several sections share it, each stands under its name."""
    if len({name for name, _ in parts}) == 1:
        return "\n\n".join(text for _, text in parts)
    return "\n\n".join(f"{name}\n{text}" if name else text for name, text in parts)
