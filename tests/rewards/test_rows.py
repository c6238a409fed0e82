"""Graded rows: what is written is read back, and what is wrong is one line with file, line and remedy."""

from __future__ import annotations

import gzip
import json
import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.errors import DocumentError
from selfedit.rewards import rows
from selfedit.rewards.rows import GradeRow, read_rows
from selfedit.types import GradeRequest

GOOD = {"question": "Who?", "answer": "Perrin Osk", "prediction": "Osk"}
TEXT = st.text(st.characters(codec="utf-8"))
REQUEST = st.builds(GradeRequest, TEXT, TEXT.map(lambda text: f"{text}x"), TEXT)


def written(path: Path, *lines: object) -> Path:
    data = "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return path


def refused(path: Path) -> str:
    """The line that says why a file is refused."""
    with pytest.raises(DocumentError) as raised:
        list(read_rows(path))
    line = str(raised.value)
    assert "\n" not in line
    assert line.startswith(str(path))
    assert "; " in line
    return line.removeprefix(str(path))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "answers.jsonl"


@settings(max_examples=40, deadline=None)
@given(
    given_rows=st.lists(
        st.builds(GradeRow, st.just(0), REQUEST, st.none() | st.booleans(), TEXT), min_size=1, max_size=5
    ),
    name=st.sampled_from(("a.jsonl", "a.jsonl.gz")),
)  # fmt: skip
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, given_rows: list[GradeRow], name: str
) -> None:
    lines = [
        {
            "question": row.request.question,
            "answer": row.request.answer,
            "prediction": row.request.prediction,
            "correct": row.correct,
            "title": row.title,
            "judged": 8,
        }
        for row in given_rows
    ]
    found = list(read_rows(written(tmp_path_factory.mktemp("rows") / name, *lines)))
    assert [(row.request, row.correct, row.title) for row in found] == [
        (row.request, row.correct, row.title) for row in given_rows
    ]
    assert [row.at for row in found] == list(range(1, len(lines) + 1))


def test_a_row_needs_three_texts_and_no_more(file: Path) -> None:
    assert list(read_rows(written(file, GOOD))) == [GradeRow(1, GradeRequest("Who?", "Perrin Osk", "Osk"))]
    assert next(read_rows(written(file, {**GOOD, "title": 7, "correct": None}))).title == ""


def test_blank_lines_marks_and_line_ends_do_no_harm(file: Path) -> None:
    row = json.dumps(GOOD).encode()
    file.write_bytes(b"\xef\xbb\xbf" + row + b"\r\n\r\n  \n" + row)
    assert [row.at for row in read_rows(file)] == [1, 4]


@pytest.mark.parametrize(
    ("answer", "prediction"),
    [
        ("?!", "?!"),
        ("42", ""),
        ("Diyarbakır", "DİYARBAKIR ili"),
        ("משה רבנו", "‏משה רבנו‏"),
        ("🏝️ ada", "👨‍👩‍👧 🏝️"),
        ("東京 Tokyo Токио", "Tokyo\u2028東京"),
        ("1", "x" * 10_000_000),
    ],
    ids=["signs", "nothing", "turkish", "hebrew", "emoji", "mixed", "10 MB"],
)
def test_unusual_texts_are_rows_like_others(answer: str, prediction: str, file: Path) -> None:
    (row,) = read_rows(written(file, {"question": "?", "answer": answer, "prediction": prediction}))
    assert row.request == GradeRequest("?", answer, prediction)


def test_half_a_surrogate_pair_becomes_what_can_be_encoded(file: Path) -> None:
    file.write_text('{"question": "?", "answer": "\\ud83c!", "prediction": "\\udf1d"}')
    (row,) = read_rows(file)
    assert row.request == GradeRequest("?", "\ufffd!", "\ufffd")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("{'question': 1}", "not JSON"),
        ('{"question": "a"', "not JSON"),
        ("<html>", "not JSON"),
        ("[" * 100_000, "JSON too deep"),
        ('{"judged": ' + "9" * 5000 + "}", "a number too long"),
        ('["question"]', "a list, not an object"),
        ("null", "null, not an object"),
        ('"text"', "text, not an object"),
        ("3.5", "a number, not an object"),
        ("true", "true or false, not an object"),
        (json.dumps({k: v for k, v in GOOD.items() if k != "question"}), "no question; "),
        (json.dumps({k: v for k, v in GOOD.items() if k != "answer"}), "no answer; "),
        (json.dumps({k: v for k, v in GOOD.items() if k != "prediction"}), "no prediction; "),
        (json.dumps({**GOOD, "prediction": None}), "prediction is null, not text"),
        (json.dumps({**GOOD, "answer": 188}), "answer is a number, not text"),
        (json.dumps({**GOOD, "answer": ["a"]}), "answer is a list, not text"),
        (json.dumps({**GOOD, "answer": ""}), "answer, the expected one, is empty"),
        (json.dumps({**GOOD, "answer": " \n\u200b\ufeff\u00a0"}), "answer, the expected one, is empty"),
        (json.dumps({**GOOD, "correct": "yes"}), "correct is text; write true or false"),
        (json.dumps({**GOOD, "correct": 1}), "correct is a number; write true or false"),
    ],
)
def test_a_bad_row_is_told_with_its_line(line: str, said: str, file: Path) -> None:
    file.write_text(f"{json.dumps(GOOD)}\n\n{line}\n{json.dumps(GOOD)}\n", encoding="utf-8")
    told = refused(file)
    assert told.startswith(", line 3: ")
    assert said in told


def test_rows_before_a_bad_one_are_read(file: Path) -> None:
    found = read_rows(written(file, GOOD, []))
    assert next(found).at == 1
    with pytest.raises(DocumentError, match="line 2"):
        next(found)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", ": no rows; "),
        (b"\n \n", ": no rows; "),
        (json.dumps({**GOOD, "answer": "ı"}, ensure_ascii=False).encode("cp1254"), ", line 1: not UTF-8"),
        (json.dumps(GOOD).encode("utf-16"), ", line 1: not UTF-8"),
        (gzip.compress(json.dumps(GOOD).encode(), mtime=0), ", line 1: not UTF-8"),
    ],
    ids=["empty", "blank", "cp1254", "utf-16", "gzip without the name"],
)
def test_a_file_that_holds_no_rows(data: bytes, said: str, file: Path) -> None:
    file.write_bytes(data)
    assert refused(file).startswith(said)


def packed(rows: int) -> bytes:
    """So many rows that cannot be packed much smaller."""
    texts = (json.dumps({**GOOD, "prediction": sha256(b"%d" % i).hexdigest() * 9}) for i in range(rows))
    return gzip.compress("\n".join(texts).encode())


def damaged(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes(byte ^ 0xFF for byte in data[middle : middle + 64]) + data[middle + 64 :]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (packed(3)[:-9], r"the \.gz ends too early; copy"),
        (packed(2000)[:-30_000], r"the \.gz ends too early; copy"),
        (json.dumps(GOOD).encode(), r"line 1: not gzip .*; drop the \.gz"),
        (damaged(packed(2000)), r"not gzip|not JSON|not UTF-8"),
        (packed(2)[:-8] + b"\0" * 8, r"not gzip \(CRC check failed"),
        (b"", r": no rows; "),
    ],
    ids=["cut at the end", "cut in the middle", "plain", "damaged", "wrong sum", "empty"],
)
def test_a_gz_that_is_none(data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl.gz"
    path.write_bytes(data)
    assert re.search(said, refused(path))


def test_what_is_no_file(tmp_path: Path) -> None:
    assert refused(tmp_path / "gone.jsonl").startswith(": no such file")
    assert refused(tmp_path).startswith(": not a file")
    (tmp_path / "file").touch()
    assert refused(tmp_path / "file" / "inner.jsonl").startswith(": no such file")
    with pytest.raises(DocumentError, match="not a usable file name"):
        list(read_rows("a\0b.jsonl"))


def test_a_line_without_end_is_not_read_whole(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "_LIMIT", 2**20)
    with file.open("wb") as made:
        made.truncate(2**30)  # sparse: a gibibyte of zeros
    assert refused(file) == ", line 1: longer than 1 MiB; cut its prediction"


def test_rows_are_read_as_they_are_asked_for(file: Path) -> None:
    found: Any = read_rows(written(file, GOOD, GOOD))
    assert next(found).at == 1
    found.close()
