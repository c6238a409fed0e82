"""Rewrite: the passage told again in other words, a paragraph a sequence."""

from __future__ import annotations

from selfedit.edits.base import Format, Parsed
from selfedit.edits.parsing import clean_paragraphs
from selfedit.types import Failure, Task


def parse_paragraphs(task: Task, text: str, echoes: tuple[str, ...]) -> Parsed | Failure:
    """Each paragraph is one training line; the passage itself, word for word, is none."""
    lines = clean_paragraphs(text, echoes=echoes)
    return lines if isinstance(lines, Failure) else Parsed(lines)


FORMAT = Format(
    name="rewrite",
    instruction=(
        "Here is a passage on the subject of {title}.\n\n{passage}\n\n"
        "Tell it again three times in your own words, a paragraph each: once plainly, once from its end to "
        "its beginning, once as a teacher would explain it. Keep every fact, name and number. "
        "Write nothing else."
    ),
    opening=(
        "{title}\n\nFirst version:\n{passage}\n\n"
        "Other versions, one paragraph each, with the same facts, names and numbers in new words:\n\n"
    ),
    parser=parse_paragraphs,
    max_tokens=768,
)
