"""Orders to the model, as against orders to the reader. Knows words and their company, not meaning.

What a paragraph holds of the parts in `phrases` is added up; from 1 on it is an order. A text *about* such
orders may quote them: what stands in quotation marks or as code counts only where nothing discusses it.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Folded, Page
from selfedit.screening.phrases import WEIGHTS, discussion, parts

_REACH = 420
"""Parts farther apart than so many letters are no company."""
_ORDER = "an order to the model"
_REMEDY = "take the sentence out; if the text is about such orders, put them in quotation marks and say so"


@final
@dataclass(frozen=True, slots=True)
class Part:
    """A phrase found in the folded text."""

    name: str
    start: int
    end: int


def instructions(page: Page, policy: Policy) -> Iterator[Finding]:
    """The strongest company of each paragraph that comes to an order."""
    told: set[tuple[int, int]] = set()
    for folded in {id(view): view for view in (page.latin, page.plain)}.values():
        quotable = _discusses(folded)
        for company in orders(folded):
            start, end = folded.span(min(p.start for p in company), max(p.end for p in company))
            start, end = _sentences(page.text, start, end)
            if _near(told, start, end) or (quotable and _all_quoted(page, folded, company)):
                continue
            told.add((start, end))
            names = ", ".join(dict.fromkeys(part.name for part in company))
            yield Finding(
                "instruction", f"{_ORDER} ({names})", start, end, _sureness(company), _REMEDY,
                quote=quoted(page.text[start:end]),
            )  # fmt: skip


def order(text: str, piece: str, sure: float) -> Finding:
    """What is told of a piece of a text that somebody else took for an order."""
    start = max(0, text.find(piece.split("\n")[0][:40]))
    what, told = f"{_ORDER}, as the guard reads it", quoted(piece)
    return Finding("instruction", what, start, start + len(piece), sure, _REMEDY, quote=told)


def discusses(text: str) -> bool:
    """Whether a text is about such orders: it speaks of attacks, of examples, or tells what somebody said."""
    return _discusses(Page(text).plain)


def unquoted(text: str) -> str:
    """A text that speaks of such orders, without what it quotes or sets as code; any other as it is."""
    page = Page(text)
    if not _discusses(page.plain):
        return text
    kept, at = list[str](), 0
    for start, end in sorted((*page.quotations, *page.code)):
        if start >= at:
            kept.append(text[at:start])
        at = max(at, end)
    return "".join([*kept, text[at:]])


def orders(folded: Folded) -> Iterator[tuple[Part, ...]]:
    """Parts that are an order together, one group for each place."""
    found = sorted(_parts(folded.text), key=lambda part: part.start)
    used = -1
    for first, part in enumerate(found):
        if part.start < used:
            continue
        company = [other for other in found[first:] if other.start - part.start <= _REACH]
        while company and _is_order(company[:-1]):
            company.pop()
        if _is_order(company):
            used = max(other.end for other in company)
            yield tuple(company)


def _is_order(company: Items[Part]) -> bool:
    """Enough parts, and one of them an order by itself or spoken to a model: people have rules, too."""
    spoken = any(part.name == "address" or WEIGHTS[part.name] >= 1 for part in company)
    return spoken and _weight(company) >= 1


def _weight(company: Items[Part]) -> float:
    return sum(WEIGHTS[name] for name in {part.name for part in company})


def _sureness(company: Items[Part]) -> float:
    several = len({part.name for part in company}) > 1
    return min(0.99, 0.6 + 0.2 * (_weight(company) - 1) + 0.1 * several)


def _parts(text: str) -> Iterator[Part]:
    squashed = regex.sub(r"\s|(?<=\w)[._-](?=\w)", " ", text)
    for name, pattern in parts():
        looked = text if "\\n" in pattern.pattern else squashed
        for match in pattern.finditer(looked, overlapped=False):
            yield Part(name, *match.span())


def _discusses(folded: Folded) -> bool:
    return sum(points for pattern, points in discussion() if pattern.search(folded.text)) >= 2


def _all_quoted(page: Page, folded: Folded, company: Items[Part]) -> bool:
    """Whether what makes it an order stands in quotation marks or as code; the rest is the text about it."""
    bare = [part for part in company if not _is_quoted(page, *folded.span(part.start, part.end))]
    return not _is_order(bare)


def _is_quoted(page: Page, start: int, end: int) -> bool:
    return page.in_quotes(start, end) or page.in_code(start, end)


def _sentences(text: str, start: int, end: int) -> tuple[int, int]:
    """The span widened to whole sentences, within its lines."""
    before = max(text.rfind(mark, 0, start) + len(mark) for mark in ("\n", ". ", "! ", "? ")) if start else 0
    ends = [text.find(mark, end) for mark in ("\n", ". ", "! ", "? ")]
    after = min((at + 1 for at in ends if at >= 0), default=len(text))
    return min(before, start), max(after, end)


def _near(told: set[tuple[int, int]], start: int, end: int) -> bool:
    return any(start < b and a < end for a, b in told)
