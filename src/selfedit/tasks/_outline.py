"""What every kind of document is reduced to: a title, and sections of paragraphs. Knows nothing of files."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

_MARKER = re.compile(r"\s*(?:[-*+•‣–]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s")
_FULL_LINE = 45
"""Characters from which a line counts as wrapped by its writer's program rather than ended by its writer."""


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; level 1 is the highest."""

    level: int
    text: str


Block = Heading | str
"""A heading, or a paragraph (lines that belong apart are separated by \\n)."""


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    """The heading, with its parent's where needed to tell it apart; empty before the first heading."""
    paragraphs: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outline:
    title: str
    sections: tuple[Section, ...]


def outline(blocks: Iterable[Block], *, declared: str = "", stem: str = "") -> Outline:
    """Sections in reading order. The title: what is `declared`, else the only top heading, else `stem`."""
    kept = _promoted([block for block in blocks if _text(block).strip()])
    root = _root(kept)
    title = _short(declared, 80) or (_short(root.text, 80) if root else "") or readable(stem)
    hidden = root if root and _covers(title, root.text) else None
    return Outline(title, _sections(kept, hidden))


def readable(stem: str) -> str:
    """A file's stem as a title: `travel_policy-2024` becomes `Travel policy 2024`."""
    words = re.sub(r"[\s_-]+", " ", stem).strip()
    return _short(words[:1].upper() + words[1:], 80) or "Untitled"


def reflow(lines: Iterable[str]) -> str:
    """One paragraph of hard-wrapped lines: joined, except where a line ends by its writer's will."""
    text = ""
    previous = ""
    for line in lines:
        stripped = re.sub(r"\s+", " ", line).strip()
        apart = len(previous) < _FULL_LINE or previous[-1] in ".!?:;" or _MARKER.match(line)
        text += ("\n" if apart else " ") * bool(previous) + stripped
        previous = stripped
    return text


def paragraphs(lines: Iterable[str]) -> Iterator[list[str]]:
    """Runs of lines that are not blank."""
    run: list[str] = []
    for line in [*lines, ""]:
        if line.strip():
            run.append(line)
        elif run:
            yield run
            run = []


def row_text(header: list[str], row: list[str]) -> str:
    """A table's row as one readable line; cells beyond the header stand bare, empty ones are left out."""
    names = [*header, *[""] * len(row)]
    bare = row == header
    pairs = zip(names, row, strict=False)
    return "; ".join(f"{name}: {cell}" if name and not bare else cell for name, cell in pairs if cell)


def _text(block: Block) -> str:
    return block.text if isinstance(block, Heading) else block


def _promoted(blocks: list[Block]) -> list[Block]:
    """Headings with nothing below them made paragraphs, so that what they say is not lost."""
    after = [*blocks[1:], Heading(0, "")]
    return [
        block.text
        if isinstance(block, Heading) and isinstance(n, Heading) and n.level <= block.level
        else block
        for block, n in zip(blocks, after, strict=False)
    ]


def _root(blocks: list[Block]) -> Heading | None:
    headings = [block for block in blocks if isinstance(block, Heading)]
    highest = min((heading.level for heading in headings), default=0)
    top = [heading for heading in headings if heading.level == highest]
    return top[0] if len(top) == 1 and headings[0] is top[0] else None


def _sections(blocks: list[Block], hidden: Heading | None) -> tuple[Section, ...]:
    path: list[Heading] = []
    found: list[tuple[tuple[str, ...], list[str]]] = []
    for block in blocks:
        if isinstance(block, Heading):
            path = [*(h for h in path if h.level < block.level), block]
        else:
            names = tuple(_short(h.text, 60) for h in path if h is not hidden)
            if not found or found[-1][0] != names:
                found.append((names, []))
            found[-1][1].append(block)
    return _named(found)


def _named(found: list[tuple[tuple[str, ...], list[str]]]) -> tuple[Section, ...]:
    parents: dict[str, set[tuple[str, ...]]] = {}
    for names, _ in found:
        parents.setdefault("".join(names[-1:]), set()).add(names[:-1])
    return tuple(
        Section(" / ".join(names[-2:] if len(parents["".join(names[-1:])]) > 1 else names[-1:]), tuple(texts))
        for names, texts in found
    )


def _covers(title: str, heading: str) -> bool:
    a, b = title.casefold(), _short(heading, 80).casefold()
    return a in b or b in a


def _short(text: str, width: int) -> str:
    """One line of at most `width` characters, cut between words."""
    line = re.sub(r"\s+", " ", text).strip(" \t:#")
    if len(line) <= width:
        return line
    return line[: width - 1].rsplit(" ", 1)[0].rstrip(" ,;:-") + "…"
