"""Where the data of a recipe lies."""

from __future__ import annotations

from pathlib import Path

from selfedit.errors import UsageError


def data_file(name: str, data: Path | None) -> Path:
    """The file of a data set: below the data folder, or by an absolute path. Raises UsageError."""
    path = data_place(name, data)
    if not path.is_file():
        raise UsageError(f"{path}: no such data set; say --data FOLDER, or name another in the recipe")
    return path


def data_place(name: str, data: Path | None) -> Path:
    """The same where a folder will do. Raises UsageError."""
    path = Path(name)
    if not path.is_absolute():
        if data is None:
            raise UsageError(f"{name}: no data folder; say --data FOLDER, or set SELFEDIT_DATA")
        path = data / path
    if not path.exists():
        raise UsageError(f"{path}: no such data set; say --data FOLDER, or name another in the recipe")
    return path
