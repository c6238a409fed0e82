"""Text tasks of demonstrations from JSON Lines. Knows nothing of prompts, tools or models.

A line is `{"demonstrations": [{"input": ..., "output": ...}, ...], "tests": [...]}`; it may have a `name`.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from selfedit.errors import DocumentError
from selfedit.tasks._json import Row, json_lines, list_of, object_of, text_of, value_of
from selfedit.types import Example, FewShot

_WANTED = (
    'a line is {"demonstrations": [{"input": ..., "output": ...}], "tests": [{"input": ..., "output": ...}]}'
)


def read_demonstrations(path: str | Path) -> tuple[FewShot[str], ...]:
    """The tasks of a .jsonl or .jsonl.gz file, in its order; inputs and outputs without space around.

    Raises `DocumentError` with file and line for what is no task: one needs two demonstrations and a test,
    no input of which was demonstrated.
    """
    path = Path(path)
    if not path.name.lower().endswith((".jsonl", ".jsonl.gz")):
        raise DocumentError(f"{path}: tasks of demonstrations come as .jsonl or .jsonl.gz; {_WANTED}")
    rows = json_lines(text_of(path), path, _WANTED)
    tasks = tuple(_task(row, where, path) for where, row in rows)
    if not tasks:
        raise DocumentError(f"{path}: no tasks; {_WANTED}")
    return tasks


def _task(row: Row, where: str, path: Path) -> FewShot[str]:
    shown = tuple(_examples(row, "demonstrations", where))
    asked = tuple(_examples(row, "tests", where))
    if len(shown) < 2:
        raise DocumentError(f"{where}: {len(shown)} demonstrations; give at least two")
    if not asked:
        raise DocumentError(f"{where}: no tests; hold one example back from the demonstrations")
    inputs = [example.input for example in shown]
    for number, test in enumerate(asked, 1):
        if test.input in inputs:
            also = inputs.index(test.input) + 1
            raise DocumentError(
                f"{where}: test {number} asks for demonstration {also}; leave one of them out"
            )
    line = where.rpartition(" ")[2]
    name = value_of(row, ("name",), where, _WANTED) if row.get("name") else f"{_stem(path)}:{line}"
    return FewShot(name, shown, asked, str(path))


def _examples(row: Row, part: str, where: str) -> Iterator[Example[str]]:
    for number, value in enumerate(list_of(row, part, where, _WANTED), 1):
        here = f"{where}, {part.removesuffix('s')} {number}"
        given = object_of(value, here, _WANTED)
        yield Example(*(value_of(given, (name,), here, _WANTED) for name in ("input", "output")))


def _stem(path: Path) -> str:
    return path.name.lower().removesuffix(".gz").removesuffix(".jsonl")
