"""Implications: what the passage says and what follows from it, a fact a line."""

from __future__ import annotations

from selfedit.edits.base import Format, Parsed
from selfedit.edits.parsing import clean_lines
from selfedit.types import Failure, Task


def parse_lines(task: Task, text: str, echoes: tuple[str, ...]) -> Parsed | Failure:
    """Each line is one fact."""
    lines = clean_lines(text, echoes=echoes, fewest_words=3)
    return lines if isinstance(lines, Failure) else Parsed(lines)


FORMAT = Format(
    name="implications",
    instruction=(
        "Here is a passage on the subject of {title}.\n\n{passage}\n\n"
        "Write down what a careful reader knows after reading it: the facts that it states, and what can be "
        "concluded from them. One full sentence a line. Name people, places and things instead of saying "
        "'it' or 'they'. Write nothing else."
    ),
    opening=(
        "Reading notes on {title}\n\nThe passage:\n{passage}\n\n"
        "Facts and conclusions, each a full sentence on a line of its own that names what it is about:\n-"
    ),
    parser=parse_lines,
    max_tokens=384,
)
