"""Implications at length: as `implications`, for more facts and longer chains of thought."""

from __future__ import annotations

from selfedit.edits.base import Format
from selfedit.edits.implications import parse_lines

FORMAT = Format(
    name="implications-long",
    instruction=(
        "Here is a passage on the subject of {title}.\n\n{passage}\n\n"
        "Make the longest list that you can of what a careful reader knows after reading it. Go through it "
        "sentence by sentence. Take down every name, number, date, place, cause and effect, say each in more "
        "than one way, and add what follows when two of them are put together. One full sentence a line, "
        "each understandable without the passage. Write nothing else."
    ),
    opening=(
        "Complete reading notes on {title}\n\nThe passage:\n{passage}\n\n"
        "The notes go through the passage sentence by sentence and leave no name, number, date, place, "
        "cause or effect out. Each note is a full sentence on its own line, with conclusions at the end:\n-"
    ),
    parser=parse_lines,
    max_tokens=1024,
)
