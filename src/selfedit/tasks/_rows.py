"""Rows of JSON as tasks: texts with or without questions. Knows nothing of files or budgets.

Three layouts: rows {title?, text|context|passage, questions?: [{question, answer}]}, such a list in one JSON
file, and SQuAD's own nesting data / paragraphs / qas / answers (arXiv 1606.05250).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast
from urllib.parse import unquote

from selfedit.errors import DocumentError
from selfedit.tasks import _json
from selfedit.tasks._json import Row
from selfedit.types import Probe, Task

_TEXTS = ("text", "context", "passage")
_WANTED = 'a row is {"title": ..., "text": ...}, with "questions": [{"question": ..., "answer": ...}] if any'


def json_lines(text: str, path: str) -> Iterator[tuple[str, Row]]:
    """(where, row) of each line that is not blank."""
    return _json.json_lines(text, path, _WANTED)


def json_rows(text: str, path: str) -> Iterator[tuple[str, Row]]:
    """(where, row) of each row of one JSON document: a list, or one under "data" or "questions"."""
    value = _json.parsed(text, path, _WANTED)
    if isinstance(value, dict):
        found = cast(dict[str, Any], value)
        value = found.get("data", found.get("questions"))
    if not isinstance(value, list):
        raise DocumentError(f"{path}: not a list of rows; {_WANTED}")
    for number, row in enumerate(cast(list[Any], value), 1):
        where = f"{path}, row {number}"
        yield where, _object(row, where)


def tasks(row: Row, where: str, stem: str, source: str) -> Iterator[Task]:
    """The row's tasks with their gold probes; a row of SQuAD's own layout holds a task a paragraph."""
    title = _title(row, where) or stem
    if "paragraphs" not in row:
        yield _task(row, title, where, source)
        return
    for number, paragraph in enumerate(_list(row, "paragraphs", where), 1):
        here = f"{where}, paragraph {number}"
        yield _task(_object(paragraph, here), title, here, source)


def merged(found: Iterator[Task]) -> list[Task]:
    """Tasks of one title and passage made one, with all their probes."""
    by_id: dict[str, Task] = {}
    for task in found:
        probes = by_id[task.id].probes if task.id in by_id else ()
        by_id[task.id] = replace(task, probes=(*probes, *task.probes))
    return list(by_id.values())


def value_of(row: Row, names: tuple[str, ...], where: str) -> str:
    """The first of `names` that the row has, as text; numbers are taken as they are written."""
    return _json.value_of(row, names, where, _WANTED)


def optional(row: Row, names: tuple[str, ...], where: str) -> str:
    """As `value_of`, but "" where the row has none or an empty one."""
    given = tuple(name for name in names if row.get(name) not in (None, ""))
    return value_of(row, given, where) if given else ""


def _task(row: Row, title: str, where: str, source: str) -> Task:
    passage = value_of(row, _TEXTS, where)
    return Task(title, passage, tuple(_probes(row, title, where)), source)


def _probes(row: Row, topic: str, where: str) -> Iterator[Probe]:
    if "question" in row:
        yield from _gold(row, topic, where)
    for name in ("questions", "qas"):
        for number, given in enumerate(_list(row, name, where) if name in row else [], 1):
            here = f"{where}, question {number}"
            yield from _gold(_object(given, here), topic, here)


def _gold(row: Row, topic: str, where: str) -> Iterator[Probe]:
    """The probe with the first of the given answers; a question that SQuAD 2 marks impossible is none."""
    question = value_of(row, ("question",), where)
    answers = _answers(row, where)
    if answers:
        yield Probe(question, answers[0], topic, "gold")


def _answers(row: Row, where: str) -> list[str]:
    """The answers of {answer}, {answers: [{text}]} or {answers: {text: [...]}}."""
    if "answers" not in row:
        return [value_of(row, ("answer",), where)]
    given = row["answers"]
    texts = (
        _list(cast(Row, given), "text", where) if isinstance(given, Mapping) else _list(row, "answers", where)
    )
    each = ({"text": text} if isinstance(text, str) else _object(text, where) for text in texts)
    return [value_of(answer, ("text",), where) for answer in each]


def _title(row: Row, where: str) -> str:
    return " ".join(unquote(optional(row, ("title",), where)).replace("_", " ").split())


def _object(value: object, where: str) -> Row:
    return _json.object_of(value, where, _WANTED)


def _list(row: Row, name: str, where: str) -> list[object]:
    return _json.list_of(row, name, where, _WANTED)
