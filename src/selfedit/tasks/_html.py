"""HTML as blocks of readable text. Knows nothing of files or of how a page is parsed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import final

from selfedit.tasks._markup import Box, Page, events, tree
from selfedit.tasks._outline import Block, Heading, row_text

_BLOCK = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details div dl fieldset figcaption "
        "figure footer form header hr html legend li main ol p pre section summary table tbody td tfoot "
        "th thead tr ul",
    )
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LIST = frozenset(("ul", "ol", "dl"))
_ITEMS = frozenset(("li", "dt", "dd"))
_CELLS = frozenset(("td", "th"))
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)


def charset(data: bytes) -> str:
    """The encoding that the page declares, or ""."""
    found = _CHARSET.search(data[:4096])
    return found[1].decode("ascii") if found else ""


def parse(text: str) -> tuple[str, list[Block]]:
    """(the page's title or "", its headings and paragraphs in reading order)."""
    page = tree(text)
    return _title(page), list(_blocks(page.main or page.body or page.root))


def _title(page: Page) -> str:
    """The page's title; without the site's name where its first heading tells what that is."""
    title, heading = (_flat(box) if box else "" for box in (page.title, page.heading))
    return heading if heading and heading.casefold() in title.casefold() else title


def _blocks(root: Box) -> Iterator[Block]:
    """Each box is opened once, so that a page of ten thousand nested ones is but a page."""
    pending: list[str] = []
    whole: Box | None = None
    for kind, node in events(root):
        if whole is not None:
            whole = None if (kind == "close" and node is whole) else whole
        elif isinstance(node, str):
            pending.append(_line(node))
        elif node.name == "br":
            pending.append("\n" * (kind == "open"))
        elif _is_whole(node):
            yield from _paragraph(pending)
            yield from _taken_whole(node)
            pending, whole = [], node
        elif node.name in _BLOCK:
            yield from _paragraph(pending)
            pending = []
    yield from _paragraph(pending)


def _is_whole(box: Box) -> bool:
    """Elements that become blocks by their own rule; tables and lists only if they are no page layout."""
    if box.name in _HEADINGS or box.name == "pre":
        return True
    if box.name in _LIST:
        return not box.holds & {*_HEADINGS, "table", "pre"}
    return box.name == "table" and not box.holds & {*_LIST, *_HEADINGS, "table", "pre", "div", "section"}


def _taken_whole(box: Box) -> Iterator[Block]:
    if box.name in _HEADINGS:
        yield Heading(int(box.name[1]), _flat(box))
    elif box.name == "pre":
        yield "".join(node for _, node in events(box) if isinstance(node, str)).strip("\n")
    elif box.name == "table":
        yield _table(box)
    else:
        yield _list(box)


@final
@dataclass(slots=True, eq=False)
class _Part:
    """A list's item, or a table's cell, and the text that is in no part within it."""

    box: Box
    parent: Box
    pieces: list[str] = field(default_factory=list[str])

    @property
    def text(self) -> str:
        return _squashed(self.pieces)


def _parts(whole: Box, names: frozenset[str]) -> Iterator[_Part]:
    """The boxes of these names in reading order; a text belongs to the nearest alone, so none is told twice.

    A part's text is whole once the last of them was taken.
    """
    path, inside = [whole], list[_Part]()
    for kind, node in events(whole):
        if isinstance(node, str):
            if inside:
                inside[-1].pieces.append(_line(node))
        elif kind == "close":
            path.pop()
            if inside and inside[-1].box is node:
                inside.pop()
        else:
            if inside:
                inside[-1].pieces.append(_gap(node))
            if node.name in names:
                inside.append(_Part(node, path[-1]))
                yield inside[-1]
            path.append(node)


def _table(table: Box) -> str:
    """A line a row; a row or cell that was left open ends where the next begins."""
    lines: list[str] = []
    rows: list[list[_Part]] = []
    for part in list(_parts(table, _CELLS | {"tr", "caption"})):
        if part.box.name == "caption":
            lines += [part.text] * (not lines)
        elif part.box.name == "tr":
            rows.append([])
        elif rows:
            rows[-1].append(part)
    texts = [[cell.text for cell in row] for row in rows]
    header = texts[0] if rows and {cell.box.name for cell in rows[0]} == {"th"} else []
    lines += [row_text(header, row) for row in (texts[1:] if header and len(rows) > 1 else texts)]
    return "\n".join(filter(None, lines))


def _list(box: Box) -> str:
    """One line an item, nested ones too; a term and its description are one item."""
    numbers: Counter[int] = Counter()
    lines: list[list[str]] = []
    for item in list(_parts(box, _ITEMS)):
        text = item.text
        numbers[id(item.parent)] += 1
        if item.box.name == "dd" and lines:
            lines[-1].append((" " if lines[-1][-1].endswith(":") else "; ") + text)
        elif text:
            lines.append([_item(item, text, numbers[id(item.parent)])])
    return "\n".join("".join(line) for line in lines)


def _item(item: _Part, text: str, number: int) -> str:
    if item.box.name != "li":
        return f"{text}:" if item.box.name == "dt" else text
    return f"{number}. {text}" if item.parent.name == "ol" else f"- {text}"


def _paragraph(pending: list[str]) -> Iterator[Block]:
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in "".join(pending).split("\n")]
    text = "\n".join(filter(None, lines))
    if text:
        yield text


def _flat(box: Box) -> str:
    return _squashed(
        _line(node) if isinstance(node, str) else _gap(node) for kind, node in events(box) if kind != "close"
    )


def _squashed(pieces: Iterable[str]) -> str:
    return " ".join("".join(pieces).split())


def _gap(box: Box) -> str:
    return " " if box.name == "br" or box.name in _BLOCK else ""


def _line(text: str) -> str:
    """A text on one line."""
    return re.sub(r"\s+", " ", text)
