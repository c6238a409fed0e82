"""A user's own format from a file, and the one line that says what is wrong with it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits import FORMATS, get_format
from selfedit.edits.template import parse_template
from selfedit.errors import EditError
from selfedit.types import SelfEdit, Task

TASK = Task("Kesselby", "Kesselby is a harbour town.")


def test_a_template_is_a_format(tmp_path: Path) -> None:
    path = tmp_path / "glossary.txt"
    path.write_text(
        "name: terms\nparser: question-answer\nmax_tokens: 99\n\nOn {title}, {{so}}:\n{passage}\nTerms:"
    )
    fmt = get_format(path)
    assert (fmt.name, fmt.max_tokens) == ("terms", 99)
    assert fmt.prompt(TASK, chat=False) == "On Kesselby, {so}:\nKesselby is a harbour town.\nTerms:"
    assert fmt.prompt(TASK, chat=True) == [{"role": "user", "content": fmt.prompt(TASK, chat=False)}]
    edit = fmt.parse(TASK, "Q: What is it?\nA: a town")
    assert isinstance(edit, SelfEdit)
    assert edit.format == "terms"


def test_header_lines_may_be_left_out_or_fenced(tmp_path: Path) -> None:
    path = tmp_path / "plain.txt"
    path.write_text("{passage}\nname: is not a header here")
    fmt = get_format(str(path))
    assert (fmt.name, fmt.max_tokens) == ("plain", 512)
    assert str(fmt.prompt(TASK, chat=False)).endswith("\nname: is not a header here")
    fenced = parse_template("---\nname: a\nparser: paragraphs\n---\n\n{passage}", "here")
    assert (fenced.name, fenced.opening) == ("a", "{passage}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Only {title}.", "{passage}"),
        ("", "{passage}"),
        ("{passage} {author}", "{author}"),
        ("{passage} {", "'{'"),
        ("{{passage}}", "no {passage}"),
        ("parser: yaml\n\n{passage}", "'yaml'"),
        ("max_tokens: many\n\n{passage}", "'many'"),
        ("max_tokens: 0\n\n{passage}", "'0'"),
        ("max_tokens: 99999\n\n{passage}", "'99999'"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    path = tmp_path / "bad.txt"
    path.write_text(text)
    with pytest.raises(EditError) as caught:
        get_format(path)
    assert says in str(caught.value)
    assert "bad.txt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unreadable_files(tmp_path: Path) -> None:
    binary = tmp_path / "binary.txt"
    binary.write_bytes(b"\xff\xfe\x00{passage}")
    huge = tmp_path / "huge.txt"
    huge.write_text("{passage}" + "x" * 200_000)
    for path in (binary, huge, tmp_path / "missing.txt", tmp_path):
        with pytest.raises(EditError, match=path.name):
            get_format(path)


def test_names() -> None:
    assert sorted(FORMATS) == ["directive", "implications", "implications-long", "question-answer", "rewrite"]
    assert all(get_format(name) is fmt and fmt.name == name for name, fmt in FORMATS.items())
    with pytest.raises(EditError, match="implications-long"):
        get_format("implication")


@given(st.text() | st.text(alphabet="{}passgetil: -\n"))
def test_any_text_is_a_format_or_an_edit_error(text: str) -> None:
    try:
        fmt = parse_template(text, "here")
    except EditError:
        return
    assert TASK.passage in str(fmt.prompt(TASK, chat=False))
