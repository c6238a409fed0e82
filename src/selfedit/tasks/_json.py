"""JSON from files, and its parts by kind. Knows nothing of what the rows mean.

Every failure is a `DocumentError` of one line; `wanted` says in it what would be right.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

from selfedit.errors import DocumentError
from selfedit.tasks._files import clean, decode, load

LIMIT_BYTES = 64 * 2**20

Row = Mapping[str, Any]


def text_of(path: Path, limit: int = LIMIT_BYTES) -> str:
    """The text of a file, unpacked where its name ends in .gz; at most `limit` bytes either way."""
    data = load(path, limit)
    return decode(unpacked(data, path, limit) if path.suffix.lower() == ".gz" else data, path)


def unpacked(data: bytes, path: Path, limit: int) -> bytes:
    """The bytes within gzip, at most `limit`."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        found = unpacker.decompress(data, limit + 1)
        while unpacker.eof and unpacker.unused_data and len(found) <= limit:
            rest, unpacker = unpacker.unused_data, zlib.decompressobj(wbits=31)
            found += unpacker.decompress(rest, limit + 1 - len(found))
    except zlib.error as error:
        raise DocumentError(
            f"{path}: not gzip ({error}); drop the .gz from its name, or compress it"
        ) from error
    if len(found) > limit:
        raise DocumentError(
            f"{path}: larger than {limit / 2**20:g} MiB unpacked; split it into smaller files"
        )
    if not unpacker.eof:
        raise DocumentError(f"{path}: the .gz ends too early; copy the file again")
    return found


def json_lines(text: str, path: object, wanted: str) -> Iterator[tuple[str, Row]]:
    """(where, object) of each line that is not blank."""
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            where = f"{path}, line {number}"
            yield where, object_of(parsed(line, where, wanted), where, wanted)


def parsed(text: str, where: str, wanted: str) -> object:
    """The value of one JSON document, or of one line of a file."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        at = "" if ", line " in where else f", line {error.lineno}"
        raise DocumentError(
            f"{where}{at}: not JSON ({error.msg} at column {error.colno}); correct it"
        ) from error
    except (RecursionError, ValueError) as error:
        raise DocumentError(f"{where}: JSON too deep, or with a number too long; {wanted}") from error


def object_of(value: object, where: str, wanted: str) -> Row:
    """The value, which must be an object."""
    if not isinstance(value, dict):
        raise DocumentError(f"{where}: {called(value)}, not an object; {wanted}")
    return cast(Row, value)


def list_of(row: Row, name: str, where: str, wanted: str) -> list[object]:
    """The list that the row has under `name`."""
    if name not in row:
        raise DocumentError(f"{where}: no {name}; {wanted}")
    value = row[name]
    if not isinstance(value, list):
        raise DocumentError(f"{where}: {name} is {called(value)}, not a list; {wanted}")
    return cast(list[object], value)


def value_of(row: Row, names: tuple[str, ...], where: str, wanted: str) -> str:
    """The first of `names` that the row has, as text; numbers are taken as they are written."""
    name = next((name for name in names if name in row), None)
    if name is None:
        raise DocumentError(f"{where}: no {' or '.join(names)}; {wanted}")
    value = row[name]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise DocumentError(f"{where}: {name} is {called(value)}, not text; put it in quotes")
    text = clean(str(value)).strip()
    if not text:
        raise DocumentError(f"{where}: {name} is empty; fill it in or leave the row out")
    return text


def called(value: object) -> str:
    """What kind of JSON the value is, in words."""
    names = (
        (dict, "an object"),
        (list, "a list"),
        (str, "text"),
        (bool, "true or false"),
        (type(None), "null"),
    )
    return next((name for kind, name in names if isinstance(value, kind)), "a number")
