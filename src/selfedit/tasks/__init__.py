"""Tasks: what is new, read from documents and question files.

Knows nothing of models, tokenizers (a text's length is an argument), training or stores.
"""

from selfedit.tasks._questions import read_questions
from selfedit.tasks.arc import NAMES as ARC_SETS
from selfedit.tasks.arc import ArcReading, read_arc, small_grids
from selfedit.tasks.demonstrations import read_demonstrations
from selfedit.tasks.passages import Document, Mend, Reading, as_it_is, read, read_squad

__all__ = [
    "ARC_SETS",
    "ArcReading",
    "Document",
    "Mend",
    "Reading",
    "as_it_is",
    "read",
    "read_arc",
    "read_demonstrations",
    "read_questions",
    "read_squad",
    "small_grids",
]
