"""HTML as blocks of readable text. Knows nothing of files."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from bs4 import BeautifulSoup, Tag
from bs4.element import NavigableString, PreformattedString

from selfedit.tasks._outline import Block, Heading, row_text

_DROPPED = [
    "script",
    "style",
    "noscript",
    "template",
    "nav",
    "svg",
    "math",
    "iframe",
    "object",
    "canvas",
    "audio",
    "video",
    "button",
    "select",
    "textarea",
    "input",
    "[hidden]",
    "[aria-hidden=true]",
    "[role=navigation]",
]
_BLOCK = frozenset(
    re.findall(
        r"\w+",
        "address article aside blockquote body caption center dd details div dl fieldset figcaption "
        "figure footer form header hr html legend li main ol p pre section summary table tbody td tfoot "
        "th thead tr ul",
    )
)
_HEADINGS = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_LIST = ["ul", "ol", "dl"]
_ITEMS = ["li", "dt", "dd"]
_CHARSET = re.compile(rb"<meta[^>]{0,300}?charset\s*=\s*[\"']?\s*([\w-]{2,40})", re.IGNORECASE)

_Event = tuple[Literal["open", "close"], Tag] | tuple[Literal["text"], NavigableString]


def charset(data: bytes) -> str:
    """The encoding that the page declares, or ""."""
    found = _CHARSET.search(data[:4096])
    return found[1].decode("ascii") if found else ""


def parse(text: str) -> tuple[str, list[Block]]:
    """(the page's title or "", its headings and paragraphs in reading order)."""
    soup = BeautifulSoup(text, "html.parser")
    for tag in soup.select(",".join(_DROPPED)):
        tag.extract()
    root = soup.find("main") or soup.find("body") or soup
    return _title(soup), list(_blocks(root))


def _title(soup: BeautifulSoup) -> str:
    """The page's title; without the site's name where its first heading tells what that is."""
    title, heading = (_flat(tag) if tag else "" for tag in (soup.find("title"), soup.find("h1")))
    return heading if heading and heading.casefold() in title.casefold() else title


def _blocks(root: Tag) -> Iterator[Block]:
    """Walks without recursion, so that a page of ten thousand nested boxes is but a page."""
    pending = ""
    whole: Tag | None = None
    for kind, node in _events(root):
        if whole is not None:
            whole = None if (kind == "close" and node is whole) else whole
        elif isinstance(node, NavigableString):
            pending += _string(node)
        elif node.name == "br":
            pending += "\n" * (kind == "open")
        elif _is_whole(node):
            yield from _paragraph(pending)
            yield from _taken_whole(node)
            pending, whole = "", node
        elif node.name in _BLOCK:
            yield from _paragraph(pending)
            pending = ""
    yield from _paragraph(pending)


def _events(root: Tag) -> Iterator[_Event]:
    stack: list[tuple[Tag, Iterator[object]]] = [(root, iter(root.children))]
    while stack:
        tag, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield ("close", tag)
        elif isinstance(child, Tag):
            stack.append((child, iter(child.children)))
            yield ("open", child)
        elif isinstance(child, NavigableString):
            yield ("text", child)


def _is_whole(tag: Tag) -> bool:
    """Elements that become blocks by their own rule; tables and lists only if they are no page layout."""
    if tag.name in _HEADINGS or tag.name == "pre":
        return True
    if tag.name in _LIST:
        return not tag.find([*_HEADINGS, "table", "pre"])
    return tag.name == "table" and not tag.find([*_LIST, *_HEADINGS, "table", "pre", "div", "section"])


def _taken_whole(tag: Tag) -> Iterator[Block]:
    if tag.name in _HEADINGS:
        yield Heading(int(tag.name[1]), _flat(tag))
    elif tag.name == "pre":
        yield tag.get_text().strip("\n")
    elif tag.name == "table":
        yield _table(tag)
    else:
        yield _list(tag)


def _table(table: Tag) -> str:
    caption = table.find("caption")
    rows = [[_flat(cell) for cell in row.find_all(["td", "th"])] for row in table.find_all("tr")]
    first = table.find("tr")
    header = rows[0] if first is not None and first.find("th") and not first.find("td") else []
    lines = [row_text(header, row) for row in (rows[1:] if header and len(rows) > 1 else rows)]
    return "\n".join(filter(None, [_flat(caption) if caption else "", *lines]))


def _list(tag: Tag) -> str:
    """One line an item, nested ones too; a term and its description are one item."""
    texts: dict[int, list[str]] = {}
    items = {id(item): item for item in tag.find_all(_ITEMS)}
    for node in tag.descendants:
        item = node.find_parent(_ITEMS)
        if id(item) in items:
            texts.setdefault(id(item), []).append(
                _string(node) if isinstance(node, NavigableString) else _gap(node)
            )
    numbers: Counter[int] = Counter()
    lines: list[str] = []
    for key, item in items.items():
        text = " ".join("".join(texts.get(key, [])).split())
        numbers[id(item.parent)] += 1
        if item.name == "dd" and lines:
            lines[-1] += (" " if lines[-1].endswith(":") else "; ") + text
        elif text:
            lines.append(_item(item, text, numbers[id(item.parent)]))
    return "\n".join(lines)


def _item(item: Tag, text: str, number: int) -> str:
    if item.name != "li":
        return f"{text}:" if item.name == "dt" else text
    ordered = item.parent is not None and item.parent.name == "ol"
    return f"{number}. {text}" if ordered else f"- {text}"


def _paragraph(pending: str) -> Iterator[Block]:
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in pending.split("\n")]
    text = "\n".join(filter(None, lines))
    if text:
        yield text


def _flat(tag: Tag) -> str:
    words = "".join(
        _string(node) if isinstance(node, NavigableString) else _gap(node) for node in tag.descendants
    )
    return re.sub(r"\s+", " ", words).strip()


def _gap(node: object) -> str:
    return " " if isinstance(node, Tag) and (node.name == "br" or node.name in _BLOCK) else ""


def _string(node: NavigableString) -> str:
    """A text node on one line; comments, declarations and the like are no text."""
    return "" if isinstance(node, PreformattedString) else re.sub(r"\s+", " ", node)
