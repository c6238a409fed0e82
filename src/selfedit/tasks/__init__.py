"""Tasks: what is new, read from documents and question files.

Knows nothing of models, tokenizers (a text's length is an argument), training or stores.
"""

from selfedit.tasks._questions import read_questions
from selfedit.tasks.passages import Document, Reading, read, read_squad

__all__ = ["Document", "Reading", "read", "read_questions", "read_squad"]
