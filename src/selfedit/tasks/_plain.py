"""Plain text as blocks. Knows nothing of files."""

from __future__ import annotations

from collections.abc import Iterator

from selfedit.tasks._outline import Block, Heading, paragraphs, reflow


def blocks(text: str) -> Iterator[Block]:
    """Paragraphs as blank lines part them; a short first line alone, without a stop, is the title."""
    runs = list(paragraphs(text.split("\n")))
    if len(runs) > 1 and len(runs[0]) == 1 and _like_title(runs[0][0].strip()):
        yield Heading(1, runs.pop(0)[0].strip())
    yield from map(reflow, runs)


def _like_title(line: str) -> bool:
    return len(line) <= 80 and line[-1] not in ".!?,;:…" and any(c.isalpha() for c in line)
