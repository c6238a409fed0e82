"""HTML as a tree of boxes, in time that grows with the page's length alone. Knows nothing of blocks or files.

Tags nest as they are written: an end tag closes the nearest open box of its name and all within it, and
what nobody closes ends with the page. What a reader does not see (scripts, menus, what is marked hidden) is
left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html import unescape
from html.entities import html5
from html.parser import HTMLParser
from typing import Literal, final

_DROPPED = frozenset(
    re.findall(
        r"\w+",
        "audio button canvas iframe input math nav noscript object script select style svg template textarea "
        "video",
    )
)
_VOID = frozenset(
    re.findall(
        r"\w+",
        "area base basefont bgsound br col command embed frame hr image img input isindex keygen link "
        "menuitem meta nextid param source spacer track wbr",
    )
)
TOLD = frozenset(("h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "dl", "table", "pre", "div", "section"))
"""Names that each box tells of all within it."""

_COMMENT_END = re.compile(r"--\s*>")
_NO_NUMBER = re.compile(r"&#(?!(?:[0-9]{1,8}|[xX][0-9a-fA-F]{1,8})[^0-9a-fA-F])")


@final
@dataclass(slots=True, eq=False)
class Box:
    """An element that a reader sees."""

    name: str
    children: list[Box | str] = field(default_factory=list["Box | str"])
    holds: frozenset[str] = frozenset()
    """Those names of `TOLD` that stand somewhere within."""


Event = tuple[Literal["open", "close"], Box] | tuple[Literal["text"], str]


@final
@dataclass(frozen=True, slots=True)
class Page:
    """A page's boxes, and the first of those that have a meaning of their own."""

    root: Box
    main: Box | None
    body: Box | None
    title: Box | None
    heading: Box | None
    """The first h1."""


def tree(text: str) -> Page:
    """The page; whatever the text, there is one."""
    builder = _Builder()
    builder.feed(settled(text))
    builder.close()
    return builder.page()


def events(root: Box) -> Iterator[Event]:
    """All within a box in reading order, and last its own end. Any depth: it does not recur."""
    stack = [(root, iter(root.children))]
    while stack:
        box, children = stack[-1]
        child = next(children, None)
        if child is None:
            stack.pop()
            yield ("close", box)
        elif isinstance(child, Box):
            stack.append((child, iter(child.children)))
            yield ("open", child)
        else:
            yield ("text", child)


def settled(text: str) -> str:
    """The text with every `<` and `&#` that begins nothing as the character that it then is.

    The standard library's parser looks for the end of a tag or comment up to the end of the page, and where
    there is none goes on behind the `<`: n of them take n² steps (until CPython 3.13.6). A marked section
    becomes a comment to the next `>`, as HTML 5 has it; unknown ones are an error to that parser, and so are
    numbers of thousands of digits.
    """
    text = _NO_NUMBER.sub("&amp;#", text).replace("<![", "<! [")
    closed = max((found.end() for found in _COMMENT_END.finditer(text)), default=0)
    text = text[:closed] + text[closed:].replace("<!--", "&lt;!--")
    last = text.rfind(">") + 1
    return text[:last] + text[last:].replace("<", "&lt;")


class _Builder(HTMLParser):
    """Hears tags and text, and knows which boxes are open."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=False)
        self._root = Box("")
        self._open = [(self._root, True)]
        """Each with whether a reader sees it."""
        self._count: dict[str, int] = {}
        """How many boxes of a name are open."""
        self._first: dict[str, Box] = {}

    def page(self) -> Page:
        self._close_to(1)
        first = self._first
        return Page(self._root, *(first.get(name) for name in ("main", "body", "title", "h1")))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        parent, seen = self._open[-1]
        box, seen = Box(tag), seen and not _dropped(tag, attrs)
        if seen:
            parent.children.append(box)
            self._first.setdefault(tag, box)
        self._open.append((box, seen))
        self._count[tag] = self._count.get(tag, 0) + 1
        if tag in _VOID:
            self._close_to(len(self._open) - 1)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in _VOID:
            self.handle_endtag(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._count.get(tag):
            at = len(self._open) - 1
            while self._open[at][0].name != tag:
                at -= 1
            self._close_to(at)

    def handle_data(self, data: str) -> None:
        box, seen = self._open[-1]
        if seen:
            box.children.append(data)

    def handle_charref(self, name: str) -> None:
        self.handle_data(unescape(f"&#{name};"))

    def handle_entityref(self, name: str) -> None:
        self.handle_data(html5.get(f"{name};", f"&{name}"))

    def _close_to(self, height: int) -> None:
        """Close the innermost boxes until so many are open; each is closed but once, whatever tags do."""
        while len(self._open) > height:
            box, seen = self._open.pop()
            self._count[box.name] -= 1
            around = self._open[-1][0]
            told = box.holds | ({box.name} & TOLD)
            if seen and not told <= around.holds:
                around.holds |= told


def _dropped(tag: str, attrs: list[tuple[str, str | None]]) -> bool:
    if tag in _DROPPED:
        return True
    said = dict(attrs)
    return "hidden" in said or said.get("aria-hidden") == "true" or said.get("role") == "navigation"
