"""Answer-worthy spans of a passage: candidates by rule, ranked by a small logistic model.

The rules draw boundaries (dates whole, units included, no leading article); the coefficients in
`span_weights.json` were fitted by `scripts/fit_spans.py` on questions that people asked of other passages.
Knows nothing of questions, models or training.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from itertools import pairwise

import regex

from selfedit.edits.atoms import ATOMS, QUOTED
from selfedit.edits.sentences import sentence_offsets
from selfedit.edits.verbs import base_form, may_be_present, may_be_third
from selfedit.edits.words import (
    AUXILIARIES,
    FUNCTION_WORDS,
    PREPOSITIONS,
    PRONOUNS,
    Token,
    content,
    listed,
    squash,
    tokens,
)

MOST_WORDS = 9
MOST_TOKENS = 30
_SUFFIXES = tuple(
    """
    ingly ology ation ition ities ments tion sion ment ness ship ance ence ists ians ings able ible less ical
    ious ist ian ism ity ous ive ful ing est ial ary ory ers ors age al ic ly ed er or es en s
    """.split()  # noqa: SIM905
)


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a passage that a question may ask for. `passage[start:end] == text`."""

    text: str
    start: int
    end: int
    sentence: int
    """Index into `sentence_offsets(passage)`."""
    kind: str
    """`date`, `money`, `percent`, `quantity`, `number`, `quote`, `name` or `phrase`."""
    score: float = 0.0
    """Log-odds that somebody asks for it; comparable within one passage only."""


def best_spans(passage: str, limit: int, *, title: str = "") -> tuple[Span, ...]:
    """The `limit` spans most worth asking for, best first.

    No text is taken twice, and no two spans share more than 0.4 of the characters that they cover together: a
    name and a list that holds it may both stand, a phrase and the same phrase with one more word may not.
    """
    chosen: list[Span] = []
    for span in sorted(
        candidates(passage, title=title), key=lambda span: (-span.score, span.start, span.end)
    ):
        if len(chosen) >= limit:
            break
        if not any(_redundant(span, other) for other in chosen):
            chosen.append(span)
    return tuple(chosen)


def _redundant(span: Span, other: Span) -> bool:
    shared = min(span.end, other.end) - max(span.start, other.start)
    together = max(span.end, other.end) - min(span.start, other.start)
    return shared > 0.4 * together or content(span.text) == content(other.text)


def candidates(passage: str, *, title: str = "") -> tuple[Span, ...]:
    """Every candidate with its score, in the order of the passage."""
    weights = _weights()
    return tuple(
        Span(passage[start:end], start, end, sentence, kind, sum(weights.get(name, 0.0) for name in names))
        for start, end, sentence, kind, names in featured(passage, title=title)
    )


@lru_cache(maxsize=1)
def _weights() -> Mapping[str, float]:
    return json.loads((resources.files("selfedit.edits") / "span_weights.json").read_text("utf-8"))


def featured(passage: str, *, title: str = "") -> Iterator[tuple[int, int, int, str, tuple[str, ...]]]:
    """Start, end, sentence, kind and feature names of each candidate: what the coefficients are fitted on."""
    page = _Page(passage, title)
    for number, (start, end) in enumerate(sentence_offsets(passage)):
        line = _Line(passage, start, end, number)
        for first, last in line.pieces():
            a, b = line.words[first].start, line.words[last].end
            kind = line.kind(first, last)
            yield a, b, number, kind, tuple(_features(page, line, first, last, kind))


class _Page:
    """What features know of the passage as a whole."""

    def __init__(self, passage: str, title: str) -> None:
        self.counts = Counter(content(passage))
        self.title = frozenset(content(title))
        self.sentences = len(sentence_offsets(passage))
        self.lower = frozenset(token.text for token in tokens(passage) if token.text.islower())


class _Line:
    """One sentence: its words with passage offsets, and the atoms that no span may cut."""

    def __init__(self, passage: str, start: int, end: int, number: int) -> None:
        text = passage[start:end]
        self.words = tuple(Token(t.text, t.start + start, t.end + start) for t in tokens(text))
        self.number = number
        self.atoms: dict[tuple[int, int], str] = {}
        self._held = [False] * (len(self.words) + 1)  # boundary i lies before word i
        taken: list[tuple[int, int]] = []
        for kind, pattern in ATOMS:
            for match in pattern.finditer(text):
                if not any(match.start() < b and a < match.end() for a, b in taken):
                    taken.append(match.span())
                    self._hold(match.start() + start, match.end() + start, kind)
        for match in QUOTED.finditer(text):
            self._hold(match.start(1) + start, match.end(1) + start, "quote")

    def _hold(self, start: int, end: int, kind: str) -> None:
        inside = [i for i, word in enumerate(self.words) if word.start >= start and word.end <= end]
        while inside and self.words[inside[0]].lower == "the":
            inside = inside[1:]
        while inside and kind == "quote" and not self.words[inside[-1]].is_word:
            inside = inside[:-1]
        if not inside:
            return
        self.atoms[inside[0], inside[-1]] = kind
        for boundary in inside[1:] if kind != "quote" else ():
            self._held[boundary] = True

    def pieces(self) -> Iterator[tuple[int, int]]:
        """First and last word of every candidate."""
        for first in range(len(self.words)):
            if self._held[first] or not self._opens(first):
                continue
            words = 0
            for last in range(first, min(len(self.words), first + MOST_TOKENS)):
                words += self.words[last].is_word
                if (words > MOST_WORDS and (first, last) not in self.atoms) or self._bars(first, last):
                    break
                if not self._held[last + 1] and self._closes(first, last):
                    yield first, last

    def _opens(self, first: int) -> bool:
        word = self.words[first]
        return (word.is_word and word.lower not in FUNCTION_WORDS) or any(a == first for a, _ in self.atoms)

    def _bars(self, first: int, last: int) -> bool:
        word = self.words[last]
        if any(a <= last <= b and a >= first for a, b in self.atoms):
            return False
        if word.lower == "the" and self.words[last - 1].is_word:
            return self.words[last - 1].lower not in PREPOSITIONS | {"and", "or"}
        return word.text in ".;:?!…—" or word.lower in _NEVER_INSIDE

    def _closes(self, first: int, last: int) -> bool:
        """Whether the piece is whole: brackets paired, no predicate inside, no clause hung on by a comma."""
        if (first, last) in self.atoms:
            return True
        text, word = "".join(w.text for w in self.words[first : last + 1]), self.words[last]
        if text.count("(") != text.count(")") or text.count("“") != text.count("”") or text.count('"') % 2:
            return False
        if any(_predicates(self.words, i) for i in range(first + 1, last + 1)) or self._hangs(first, last):
            return False
        if word.text.endswith(".") and word.text.count(".") == 1:  # Dr., an initial
            return False
        ends_well = word.is_word and word.text not in ("'s", "’s") and word.lower not in FUNCTION_WORDS
        return word.text == ")" or ends_well or any(b == last and a >= first for a, b in self.atoms)

    def _hangs(self, first: int, last: int) -> bool:
        """Whether a comma of the piece is that of neither a list nor a place's name."""
        commas = [i for i in range(first, last) if self.words[i].text == "," and not self._held[i]]
        if not commas:
            return False
        listed_after = any(word.lower in ("and", "or") for word in self.words[commas[-1] : last])
        return not listed_after and not all(
            word.capital for word in self.words[first : last + 1] if word.is_word
        )

    def kind(self, first: int, last: int) -> str:
        exact = self.atoms.get((first, last))
        if exact:
            return exact
        words = self.words[first : last + 1]
        if len(words) == 1 and words[0].numeric and not words[0].capital:
            return "number"
        named = [w for w in words if w.is_word and w.lower not in FUNCTION_WORDS]
        if all(w.capital or w.numeric for w in named) and any(w.capital for w in named):
            return "name"
        inner = [kind for (a, b), kind in self.atoms.items() if a == first and b <= last and kind != "quote"]
        return "quantity" if inner and inner[0] == "quantity" else "phrase"


def _predicates(words: tuple[Token, ...], index: int) -> bool:
    """Whether a verb says something of the noun before it, rather than describe the noun after it."""
    word, before = words[index], words[index - 1].lower
    if word.capital:
        return False
    if base_form(word.text):
        describes = before in FUNCTION_WORDS or before.endswith("ly") or not words[index - 1].is_word
        return not describes or before in (",", "and")
    after = words[index + 1] if index + 1 < len(words) else None
    takes_object = after is not None and (after.numeric or after.lower in _DETERMINERS)
    return takes_object and may_be_third(word.text) and before not in _DETERMINERS


_DETERMINERS = listed("a an the its their his her this these")
_NEVER_INSIDE = (
    AUXILIARIES
    | (PRONOUNS - listed("its their his her own most more less one other"))
    | listed(
        """
                begin begins become becomes contain contains include includes occur occurs remain
        remains require requires         provide provides allow allows make makes take takes give
        gives come comes go goes say says lie lies exist         exists consist consists refer
        refers involve involves mean means seem seems appear appears became began
        """
    )
    | listed("a an because although though whereas unless whether if but so however")
)


def _features(page: _Page, line: _Line, first: int, last: int, kind: str) -> Iterable[str]:
    words = line.words
    inner = words[first : last + 1]
    before, after = _side(words, first - 1), _side(words, last + 1)
    size = min(8, sum(word.is_word for word in inner))
    caps = _caps(inner, first == 0)
    yield "bias"
    yield f"chunk {_edge(words, first - 1, first)} {_edge(words, last, last + 1)}"
    yield f"chunk {_edge(words, first - 1, first)} {_edge(words, last, last + 1)} size {min(size, 4)} {kind}"
    for pair in pairwise(inner):
        yield f"pair {_class(_shape(pair[0]))} {_class(_shape(pair[1]))}"
    yield f"kind {kind}"
    yield f"kind {kind} size {size}"
    yield f"caps {caps} size {min(size, 4)}"
    yield f"before {before}"
    yield f"after {after}"
    yield f"before {before} kind {kind}"
    yield f"after {after} kind {kind}"
    yield f"between {_class(before)} {_class(after)} {caps}"
    yield f"before2 {_side(words, first - 2)}"
    yield f"after2 {_side(words, last + 2)}"
    yield f"first {_shape(inner[0])}"
    yield f"last {_shape(inner[-1])}"
    yield f"last {_shape(inner[-1])} after {_class(after)}"
    yield f"first {_shape(inner[0])} size {min(size, 3)}"
    for word in {word.lower for word in inner[1:-1] if not word.is_word or word.lower in FUNCTION_WORDS}:
        yield f"holds {word}"
    if any(base_form(word.text) for word in inner[1:]):
        yield "holds past form"
    yield f"sentence {min(line.number, 6)} of {min(page.sentences, 6)}"
    yield f"place {4 * first // max(1, len(words))}"
    yield f"words in sentence {min(50, len(words)) // 10}"
    yield from _frequencies(page, inner, size)
    yield from _cuts_name(words, first, last)


def _frequencies(page: _Page, inner: tuple[Token, ...], size: int) -> Iterable[str]:
    named = [word.lower for word in inner if word.is_word and word.lower not in FUNCTION_WORDS]
    rare = sum(page.counts[word] == 1 for word in named)
    yield f"rare {min(rare, 4)} of {min(len(named), 4)}"
    yield f"most frequent {min(5, max((page.counts[word] for word in named), default=0))}"
    known = sum(word in page.title for word in named)
    if page.title:
        yield f"in title {'all' if known == len(named) else 'some' if known else 'none'} size {min(size, 3)}"
    if size == 1 and inner[0].capital and inner[0].lower in page.lower:
        yield "capital by position"


def _cuts_name(words: tuple[Token, ...], first: int, last: int) -> Iterable[str]:
    if first > 1 and words[first].capital and words[first - 1].is_word and words[first - 1].capital:
        yield "cuts name before"
    if last + 1 < len(words) and words[last].capital and words[last + 1].is_word and words[last + 1].capital:
        yield "cuts name after"
    if last + 2 < len(words) and words[last + 1].lower == "of":
        yield f"of follows {'Name' if words[last + 2].capital else 'word'}"


def _edge(words: tuple[Token, ...], left: int, right: int) -> str:
    """What divides two neighbours: an edge, a mark, a function word, a verb, other capitals, nothing."""
    if left < 0 or right >= len(words):
        return "edge"
    outer = [word for word in (words[left], words[right]) if not word.is_word or word.lower in FUNCTION_WORDS]
    if outer:
        return "mark" if not outer[0].is_word else _class(outer[0].lower)
    if base_form(words[left].text) or base_form(words[right].text):
        return "past"
    return "capitals" if words[left].capital != words[right].capital else "nothing"


def _side(words: tuple[Token, ...], index: int) -> str:
    """The neighbour: a function word or mark by itself, any other word by its shape."""
    if not 0 <= index < len(words):
        return "edge"
    word = words[index]
    return word.lower if not word.is_word or word.lower in FUNCTION_WORDS else _shape(word)


def _shape(word: Token) -> str:
    if not word.is_word:
        return word.text
    if word.numeric:
        return "Digits"
    if word.capital:
        return "ALLCAPS" if word.text.isupper() and len(word.text) > 1 else "Name"
    if base_form(word.text):
        return "Past"
    if may_be_present(word.text):
        return "Verb-ing" if word.text.endswith("ing") else "Verb-s" if word.text.endswith("s") else "Verb"
    suffix = next((s for s in _SUFFIXES if word.text.endswith(s) and len(word.text) > len(s) + 2), "")
    return f"-{suffix}"


def _class(side: str) -> str:
    if side in PREPOSITIONS:
        return "preposition"
    if side in AUXILIARIES:
        return "auxiliary"
    if side in ("a", "an", "the"):
        return "article"
    if side in FUNCTION_WORDS:
        return "function"
    return side if not side.startswith("-") or side in ("-ed", "-ing", "-ly") else "word"


def _caps(inner: tuple[Token, ...], opening: bool) -> str:
    named = [word for word in inner if word.is_word and word.lower not in FUNCTION_WORDS]
    high = [word.capital for word in named]
    if opening and high and high[0] and not all(high):
        high[0] = False
    share = "all" if high and all(high) else "some" if any(high) else "none"
    return f"{share}{' opening' if opening else ''}"


def located(passage: str, question: str, answer: str) -> tuple[int, int] | None:
    """Where the answer stands in the passage, or None.

    Of its occurrences as whole words, the one whose sentence shares most words with the question.
    """
    wanted = set(content(question)) - FUNCTION_WORDS
    best: tuple[float, int, int] | None = None
    text = squash(answer)
    if not text or text != answer.strip():
        return None
    pattern = regex.compile(rf"(?<!\w){regex.escape(text)}(?!\w)", regex.IGNORECASE)
    for start, end in sentence_offsets(passage):
        shared = len(wanted & set(content(passage[start:end])))
        for match in pattern.finditer(passage, start, end):
            if best is None or shared > best[0]:
                best = (shared, match.start(), match.end())
    return (best[1], best[2]) if best else None
