"""A user's own questions. Knows nothing of documents, nor which passage a question asks about."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from selfedit.errors import DocumentError
from selfedit.tasks._files import decode, load
from selfedit.tasks._rows import Row, json_lines, json_rows, optional, value_of
from selfedit.types import Probe

_LIMIT = 64 * 2**20
_WANTED = "it wants question and answer, and may have topic"


def read_questions(path: str | Path) -> tuple[Probe, ...]:
    """The probes of a .jsonl, .json, .csv or .tsv file: question, answer and, if wanted, topic (or title).

    A CSV or TSV file begins with its column names. Raises `DocumentError` with the line of what is wrong.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in (".jsonl", ".json", ".csv", ".tsv"):
        raise DocumentError(
            f"{path}: questions come as .jsonl, .json, .csv or .tsv; save them as one of these"
        )
    text = decode(load(path, _LIMIT), path)
    rows = {".jsonl": json_lines, ".json": json_rows}.get(suffix, _table)(text, str(path))
    probes = tuple(dict.fromkeys(_probe(row, where) for where, row in rows))
    if not probes:
        raise DocumentError(f"{path}: no questions; {_WANTED}")
    return probes


def _probe(row: Row, where: str) -> Probe:
    question, answer = value_of(row, ("question",), where), value_of(row, ("answer",), where)
    return Probe(question, answer, optional(row, ("topic", "title"), where), "user")


def _table(text: str, path: str) -> Iterator[tuple[str, Row]]:
    header_line = text.lstrip("\n").split("\n", 1)[0]
    delimiter = max("\t" if path.lower().endswith(".tsv") else ",;\t", key=header_line.count)
    reader = csv.reader(StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = _lines(reader, path)
    header = [name.strip().lower() for name in next(rows, ("", list[str]()))[1]]
    if header and not {"question", "answer"} <= set(header):
        raise DocumentError(f"{path}, line 1: the columns are {', '.join(header)}; {_WANTED}")
    for where, cells in rows:
        if len(cells) != len(header):
            remedy = f"quote a cell that holds {'a tab' if delimiter == chr(9) else delimiter}"
            raise DocumentError(f"{where}: {len(cells)} columns where line 1 has {len(header)}; {remedy}")
        yield where, dict(zip(header, cells, strict=True))


def _lines(reader: Iterator[list[str]], path: str) -> Iterator[tuple[str, list[str]]]:
    number = 0
    try:
        for cells in reader:
            number = int(getattr(reader, "line_num", number + 1))
            if any(cell.strip() for cell in cells):
                yield f"{path}, line {number}", cells
    except csv.Error as error:
        raise DocumentError(f"{path}, line {number + 1}: not a table ({error}); check the quotes") from error
