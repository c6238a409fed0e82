"""Rows to be graded, from a file of JSON Lines, plain or `.gz`. Knows nothing of graders.

A row holds `question`, `answer` (the gold one) and `prediction`, each a text; if it likes, `correct` (a
verdict to be compared with) and `title` (what it is about). All else is ignored. The file is read as a
stream, a row at a time. Every failure is a `DocumentError` of one line.
"""

from __future__ import annotations

import gzip
import json
import re
import stat
import unicodedata
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import Any, cast

from selfedit.errors import DocumentError
from selfedit.types import GradeRequest

_LIMIT = 256 * 2**20
_WANTED = 'a row is {"question": ..., "answer": ..., "prediction": ...}'
_BOM = b"\xef\xbb\xbf"
_SURROGATE = re.compile("[\ud800-\udfff]")
_UNSEEN = frozenset(("Zs", "Zl", "Zp", "Cc", "Cf"))


@dataclass(frozen=True, slots=True)
class GradeRow:
    """A request, and where it stands."""

    at: int
    """The line of the file, from 1; blank lines count."""
    request: GradeRequest
    correct: bool | None = None
    """The verdict that the row brings along, if any."""
    title: str = ""


def read_rows(path: str | Path) -> Iterator[GradeRow]:
    """The rows of a file, in order. Raises `DocumentError` at the first that is none."""
    path = Path(path)
    at = 0
    for at, line in _lines(path):
        yield _row(_parsed(line, f"{path}, line {at}"), at, f"{path}, line {at}")
    if not at:
        raise DocumentError(f"{path}: no rows; {_WANTED}, one a line")


# -- a row ------------------------------------------------------------------------------------------------


def _parsed(line: bytes, where: str) -> Mapping[str, Any]:
    try:
        value = json.loads(line.decode())
    except UnicodeDecodeError as error:
        raise DocumentError(f"{where}: not UTF-8 at byte {error.start}; save the file as UTF-8") from error
    except json.JSONDecodeError as error:
        raise DocumentError(
            f"{where}: not JSON ({error.msg} at column {error.colno}); {_WANTED}, one a line"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"{where}: JSON too deep, or with a number too long; {_WANTED}") from error
    if not isinstance(value, dict):
        raise DocumentError(f"{where}: {_called(value)}, not an object; {_WANTED}")
    return cast(Mapping[str, Any], value)


def _row(row: Mapping[str, Any], at: int, where: str) -> GradeRow:
    request = GradeRequest(*(_text(row, name, where) for name in ("question", "answer", "prediction")))
    if all(unicodedata.category(sign) in _UNSEEN for sign in request.answer):
        raise DocumentError(f"{where}: answer, the expected one, is empty; fill it in or leave the row out")
    correct = row.get("correct")
    if not isinstance(correct, bool | None):
        raise DocumentError(f"{where}: correct is {_called(correct)}; write true or false, or leave it out")
    title = row.get("title")
    return GradeRow(at, request, correct, title if isinstance(title, str) else "")


def _text(row: Mapping[str, Any], name: str, where: str) -> str:
    if name not in row:
        raise DocumentError(f"{where}: no {name}; {_WANTED}")
    value = row[name]
    if not isinstance(value, str):
        raise DocumentError(f"{where}: {name} is {_called(value)}, not text; put it in quotes")
    return _SURROGATE.sub("\ufffd", value)


def _called(value: object) -> str:
    names = {
        "dict": "an object",
        "list": "a list",
        "str": "text",
        "bool": "true or false",
        "NoneType": "null",
    }
    return names.get(type(value).__name__, "a number")


# -- a file -----------------------------------------------------------------------------------------------


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """(number, line) of each line that is not blank."""
    at = 0
    try:
        with _opened(path) as file:
            while line := file.readline(_LIMIT + 1):
                at += 1
                if len(line) > _LIMIT:
                    raise DocumentError(
                        f"{path}, line {at}: longer than {_LIMIT // 2**20} MiB; cut its prediction"
                    )
                line = line.removeprefix(_BOM) if at == 1 else line
                if line.strip():
                    yield at, line
    except EOFError as error:
        raise DocumentError(f"{path}, line {at + 1}: the .gz ends too early; copy the file again") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        remedy = "copy it again" if at else "drop the .gz from its name, or compress it"
        raise DocumentError(f"{path}, line {at + 1}: not gzip ({error}); {remedy}") from error
    except (OSError, ValueError) as error:
        raise DocumentError(f"{_printable(path)}: {_reason(error)}") from error


def _opened(path: Path) -> BufferedReader | gzip.GzipFile:
    if not stat.S_ISREG(path.stat().st_mode):
        raise DocumentError(f"{path}: not a file, and it is read twice; save the rows to a file first")
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb")


def _reason(error: OSError | ValueError) -> str:
    match error:
        case FileNotFoundError() | NotADirectoryError():
            return "no such file; check the path"
        case PermissionError():
            return "permission denied; make it readable for you (chmod u+r)"
        case OSError():
            return f"cannot be read ({error.strerror or error}); check the disk and the path"
        case _:
            return "not a usable file name; check the path"


def _printable(path: Path) -> str:
    return "".join(sign if sign.isprintable() else "?" for sign in str(path))
