"""Text tasks from JSON Lines, and every wrong line named."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from selfedit.errors import DocumentError
from selfedit.tasks import read_demonstrations
from selfedit.types import Example

ROW = {
    "demonstrations": [{"input": "a", "output": "A"}, {"input": " b\n", "output": 2}],
    "tests": [{"input": "c", "output": "C"}],
}


def write(path: Path, *rows: Any) -> Path:
    path.write_text("\n".join(row if isinstance(row, str) else json.dumps(row) for row in rows))
    return path


def refusal(path: Path) -> str:
    with pytest.raises(DocumentError) as caught:
        read_demonstrations(path)
    line = str(caught.value)
    assert "\n" not in line
    assert "; " in line, "a refusal names its remedy"
    return line


def test_tasks_in_order(tmp_path: Path) -> None:
    path = write(tmp_path / "Tasks.jsonl", ROW, "", {**ROW, "name": "second", "more": 1})
    first, second = read_demonstrations(path)
    assert first.kind == "text"
    assert first.demonstrations == (Example("a", "A"), Example("b", "2"))
    assert first.tests == (Example("c", "C"),)
    assert (first.name, second.name) == ("tasks:1", "second")
    assert first.id != second.id


def test_packed(tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl.gz"
    path.write_bytes(gzip.compress(json.dumps(ROW).encode()))
    assert read_demonstrations(path)[0].tests == (Example("c", "C"),)
    path.write_bytes(path.read_bytes()[:-9])
    assert "ends too early" in refusal(path)
    path.write_bytes(json.dumps(ROW).encode())
    assert "not gzip" in refusal(path)
    path.write_bytes(gzip.compress(b"") + gzip.compress(json.dumps(ROW).encode()))
    assert len(read_demonstrations(path)) == 1


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("{", "not JSON"),
        ("[]", "a list, not an object"),
        ({}, "no demonstrations"),
        ({**ROW, "demonstrations": {}}, "demonstrations is an object, not a list"),
        ({**ROW, "demonstrations": ROW["demonstrations"][:1]}, "1 demonstrations; give at least two"),
        ({**ROW, "tests": []}, "no tests"),
        ({**ROW, "tests": [3]}, "test 1: a number, not an object"),
        ({**ROW, "tests": [{"input": "x"}]}, "test 1: no output"),
        ({**ROW, "tests": [{"input": "x", "output": " "}]}, "test 1: output is empty"),
        ({**ROW, "tests": [{"input": None, "output": "y"}]}, "test 1: input is null, not text"),
        ({**ROW, "tests": [{"input": "b", "output": "y"}]}, "test 1 asks for demonstration 2"),
        ({**ROW, "name": ["x"]}, "name is a list"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, row: Any, what: str) -> None:
    path = write(tmp_path / "t.jsonl", ROW, row)
    line = refusal(path)
    assert line.startswith(f"{path}, line 2")
    assert what in line


def test_wrong_files_are_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "gone.jsonl")
    assert "no tasks" in refusal(write(tmp_path / "empty.jsonl", ""))
    assert "come as .jsonl" in refusal(write(tmp_path / "t.csv", ROW))
