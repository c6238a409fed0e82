"""Markdown as blocks of readable text, without the markup. Knows nothing of files.

Covers what documents use (CommonMark's blocks and spans, tables, front matter, footnotes), not every corner
of the specification. Repetitions in patterns are bounded, so that hostile text cannot stall it.
"""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Callable, Iterator

from selfedit.tasks._outline import Block, Heading, row_text

_Taken = tuple[list[Block], int] | None
"""Blocks taken and the index of the first line after them; None where the taker does not apply."""

_FENCE = re.compile(r"\s*(`{3,}|~{3,})")
_HEADING = re.compile(r" {0,3}(#{1,6})(?:[ \t]+(.*?))?(?:[ \t]+#+)?[ \t]*$")
_UNDERLINE = re.compile(r" {0,3}(=+|-+)[ \t]*$")
_RULE = re.compile(r" {0,3}([-*_])[ \t]*(?:\1[ \t]*){2,}$")
_QUOTE = re.compile(r"(?: {0,3}> ?)+")
_ITEM = re.compile(r"(\s*)([-*+]|\d{1,9}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?(.*)")
_TABLE_RULE = re.compile(r" {0,3}\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$")
_REFERENCE = re.compile(r" {0,3}\[(?!\^)[^\[\]]{1,300}\]:\s")
_FOOTNOTE = re.compile(r" {0,3}\[\^[^\[\]]{1,100}\]:\s*")
_TITLE = re.compile(r"title\s*[:=]\s*(.+?)\s*$", re.IGNORECASE)

_MARKUP = re.compile("[^\\w\\s.,;:?!()'\"/-]|_|\\s\\s|[\ue000\ue001]")
_CODE = re.compile(r"(?<!`)(`{1,3})(?!`)([^`]{1,2000})\1(?!`)")
_ESCAPE = re.compile(r"\\([!-/:-@\[-`{-~])")
_SHIELDED = re.compile("\ue000(\\d{1,9})\ue001")
_TARGET = r"\((?:[^()\s]|\([^()\s]{0,200}\)){0,2000}(?:\s{1,4}(?:\"[^\"]{0,500}\"|'[^']{0,500}'))?\s{0,4}\)"
_TAGS = (
    "a|abbr|b|br|center|cite|code|del|details|div|em|figure|figcaption|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|pre"
    "|q|s|samp|section|small|source|span|strong|sub|summary|sup|table|tbody|td|th|thead|tr|u|ul|var|video"
)
_SPANS: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"!\[([^\[\]]{0,1000})\](?:" + _TARGET + r"|\[[^\[\]]{0,300}\])"), r"\1"),
    (re.compile(r"\[([^\[\]]{0,1000})\](?:" + _TARGET + r"|\[[^\[\]]{0,300}\])"), r"\1"),
    (re.compile(r"\[\^[^\[\]]{1,100}\]"), ""),
    (re.compile(r"<((?:https?://|mailto:)[^<>\s]{1,2000}|[^<>\s@]{1,100}@[^<>\s@]{1,200})>"), r"\1"),
    (re.compile(r"<br\s*/?>", re.IGNORECASE), "\n"),
    (re.compile(rf"</?(?:{_TAGS})(?:\s[^<>]{{0,1000}})?/?>", re.IGNORECASE), ""),
    (re.compile(r"\*\*\*(?=\S)([^*]{1,1000})(?<=\S)\*\*\*"), r"\1"),
    (re.compile(r"\*\*(?=\S)(.{1,1000}?)(?<=\S)\*\*"), r"\1"),
    (re.compile(r"(?<!\w)__(?=\S)(.{1,1000}?)(?<=\S)__(?!\w)"), r"\1"),
    (re.compile(r"(?<![\w*])\*(?=[^\s*])([^*]{1,1000})(?<=\S)\*(?![\w*])"), r"\1"),
    (re.compile(r"(?<!\w)_(?=[^\s_])([^_]{1,1000})(?<=\S)_(?!\w)"), r"\1"),
    (re.compile(r"~~(?=\S)(.{1,1000}?)(?<=\S)~~"), r"\1"),
)


def front_matter(text: str) -> tuple[str, str]:
    """(the title that the front matter declares or "", the text after it)."""
    lines = text.lstrip("\n").split("\n")
    fence = lines[0].rstrip()
    if fence not in ("---", "+++"):
        return "", text
    end = next((i for i, line in enumerate(lines[1:400], 1) if line.rstrip() in (fence, "...")), 0)
    if not end or not any(re.match(r"\w[\w -]*\s*[:=]", line) for line in lines[1:end]):
        return "", text
    titles = [found[1].strip("\"'") for line in lines[1:end] if (found := _TITLE.match(line))]
    return (titles or [""])[0], "\n".join(lines[end + 1 :])


def blocks(text: str) -> Iterator[Block]:
    """Headings and paragraphs in reading order; a list, a table and a code block are one paragraph each."""
    lines = _without_comments(text).expandtabs(4).split("\n")
    at = 0
    while at < len(lines):
        found, at = next(taken for take in _TAKERS if (taken := take(lines, at)))
        yield from found


def inline(text: str) -> str:
    """The text without span markup: links and emphasis become their words, code stays as it is."""
    if not _MARKUP.search(text):
        return text.strip()
    kept: list[str] = []

    def shield(literal: str) -> str:
        kept.append(literal)
        return f"\ue000{len(kept) - 1}\ue001"

    text = re.sub("[\ue000\ue001]", "", text)
    text = _CODE.sub(lambda found: shield(found[2].strip() or found[2]), text)
    text = _ESCAPE.sub(lambda found: shield(found[1]), text)
    for pattern, replacement in _SPANS:
        text = pattern.sub(replacement, text)
    text = _SHIELDED.sub(lambda found: kept[int(found[1])], html.unescape(text))
    return re.sub(r"[ \t]+", " ", text).strip()


def _without_comments(text: str) -> str:
    kept: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0 and (end := text.find("-->", start)) >= 0:
        kept.append(text[at:start])
        at = end + 3
    return "".join([*kept, text[at:]])


def _blank(lines: list[str], at: int) -> _Taken:
    return None if lines[at].strip() else ([], at + 1)


def _fence(lines: list[str], at: int) -> _Taken:
    opening = _FENCE.match(lines[at])
    if not opening:
        return None
    closing = re.compile(rf"\s*{re.escape(opening[1])}{re.escape(opening[1][0])}*\s*$")
    end = next((i for i in range(at + 1, len(lines)) if closing.match(lines[i])), len(lines))
    return [_verbatim(lines[at + 1 : end])], end + 1


def _indented(lines: list[str], at: int) -> _Taken:
    end = _run(lines, at, lambda line: line.startswith("    "))
    return ([_verbatim(lines[at:end])], end) if end > at else None


def _heading(lines: list[str], at: int) -> _Taken:
    found = _HEADING.match(lines[at])
    return ([Heading(len(found[1]), inline(found[2] or ""))], at + 1) if found else None


def _rule(lines: list[str], at: int) -> _Taken:
    return ([], at + 1) if _RULE.match(lines[at]) or _REFERENCE.match(lines[at]) else None


def _quote(lines: list[str], at: int) -> _Taken:
    end = _run(lines, at, lambda line: bool(_QUOTE.match(line)))
    return (
        (list(blocks("\n".join(_QUOTE.sub("", line, count=1) for line in lines[at:end]))), end)
        if end > at
        else None
    )


def _table(lines: list[str], at: int) -> _Taken:
    """Each row one line, `Column: cell; Column: cell`, so that a row says by itself what it says."""
    if "|" not in lines[at] or at + 1 >= len(lines) or not _TABLE_RULE.match(lines[at + 1]):
        return None
    end = _run(lines, at + 2, lambda line: "|" in line)
    header, *rows = [_cells(line) for line in [lines[at], *lines[at + 2 : end]]]
    return ["\n".join(filter(None, (row_text(header, row) for row in rows or [header])))], end


def _list(lines: list[str], at: int) -> _Taken:
    if not _ITEM.match(lines[at]):
        return None
    items: list[str] = []
    while at < len(lines) and (end := _item_end(lines, at)) > at:
        items.append(_item(lines[at:end]))
        at = end
    return ["\n".join(items)], at


def _item_end(lines: list[str], at: int) -> int:
    """The line after the item (or its further paragraph) that begins at `at`; `at` where none does."""
    start = at + (not lines[at].strip() and at + 1 < len(lines))
    if not (_ITEM.match(lines[start]) or (start > at and lines[start].startswith("  "))):
        return at
    if _RULE.match(lines[start]) or _FENCE.match(lines[start]):
        return at
    return _run(lines, start + 1, lambda line: not _ITEM.match(line) and not _opens(line))


def _item(lines: list[str]) -> str:
    text = " ".join(line.strip() for line in lines if line.strip())
    found = _ITEM.match(text)
    return (
        inline(text) if found is None else f"{found[2] if found[2][0].isdigit() else '-'} {inline(found[3])}"
    )


def _paragraph(lines: list[str], at: int) -> _Taken:
    """Wrapped lines joined; a line under them of = or - makes them a heading."""
    end = _run(lines, at + 1, lambda line: not _opens(line) and not _UNDERLINE.match(line))
    text = inline(_FOOTNOTE.sub("", _unwrapped(lines[at:end])))
    underline = _UNDERLINE.match(lines[end]) if end < len(lines) else None
    if underline:
        return [Heading(1 if underline[1][0] == "=" else 2, text)], end + 1
    return [text], end


def _opens(line: str) -> bool:
    """Whether a line ends the paragraph before it."""
    patterns = (_FENCE, _HEADING, _QUOTE)
    return not line.strip() or any(pattern.match(line) for pattern in patterns) or _bullet(line)


def _bullet(line: str) -> bool:
    found = _ITEM.match(line)
    return bool(found and (not found[2][0].isdigit() or int(found[2][:-1]) == 1))


def _unwrapped(lines: list[str]) -> str:
    """Lines joined by spaces, except after Markdown's hard breaks (two spaces or a backslash)."""
    text = ""
    for line in lines:
        hard = line.endswith(("  ", "\\"))
        text += line.strip().removesuffix("\\") + ("\n" if hard else " ")
    return text.strip()


def _cells(line: str) -> list[str]:
    bare = line.strip().removeprefix("|").removesuffix("|")
    return [inline(cell.replace("\\|", "|")).replace("\n", " ") for cell in re.split(r"(?<!\\)\|", bare)]


def _verbatim(lines: list[str]) -> str:
    return textwrap.dedent("\n".join(line.rstrip() for line in lines)).strip("\n")


def _run(lines: list[str], at: int, inside: Callable[[str], bool]) -> int:
    while at < len(lines) and inside(lines[at]):
        at += 1
    return at


_TAKERS: tuple[Callable[[list[str], int], _Taken], ...] = (
    _blank, _fence, _heading, _rule, _table, _list, _indented, _quote, _paragraph,
)  # fmt: skip
