"""Formats of self-edits: a task → a prompt; what the model wrote → training sequences, or a Failure.

Knows nothing of models, training or stores.
"""

from __future__ import annotations

from pathlib import Path

from selfedit.edits import directive, implications, implications_long, question_answer, rewrite
from selfedit.edits.base import EditFormat, Format
from selfedit.edits.few_shot import FewShotFormat, format_of
from selfedit.edits.template import load_template
from selfedit.errors import EditError

__all__ = ["FORMATS", "EditFormat", "FewShotFormat", "Format", "format_of", "get_format"]

FORMATS: dict[str, Format] = {
    module.FORMAT.name: module.FORMAT
    for module in (implications, implications_long, rewrite, question_answer, directive)
}


def get_format(name: str | Path) -> Format:
    """A built-in format by name, or a user's by the path of its template file."""
    if str(name) in FORMATS:
        return FORMATS[str(name)]
    if Path(name).exists() or Path(name).suffix or Path(name).parent != Path("."):
        return load_template(name)
    raise EditError(f"no format {str(name)!r}; choose one of {', '.join(FORMATS)}, or name a template file")
