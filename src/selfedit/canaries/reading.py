"""Rows of the files beside this one, or of others like them: JSON Lines, each row checked, none twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from selfedit.errors import DocumentError

Row = TypeVar("Row", bound=BaseModel)


def read(path: Path, model: type[Row], many: str) -> tuple[Row, ...]:
    """The rows of a file, one a line; `many` is what they are called. Raises DocumentError with the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path}: cannot be read ({type(error).__name__}); check the path") from error
    found = tuple(
        _row(line, model, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    )
    if not found:
        raise DocumentError(f"{path}: no {many}; a line wants {_fields(model)}")
    twice = [text for text, count in Counter(map(_key, found)).items() if count > 1]
    if twice:
        raise DocumentError(f"{path}: {twice[0]!r} is asked twice; take one out")
    return found


def _key(row: BaseModel) -> str:
    """What is asked of the model, or given to it."""
    held = row.model_dump()
    return str(held.get("question") or held.get("text"))


def _fields(model: type[BaseModel]) -> str:
    return " and ".join(", ".join(model.model_fields).rsplit(", ", 1))


def _row(line: str, model: type[Row], where: str) -> Row:
    try:
        return model.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the line"
        message = f"{where}: {name}: {first['msg'].lower()}; a row is {_fields(model)}, all short"
        raise DocumentError(message) from error
