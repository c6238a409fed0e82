"""Grids and texts as prompts and rows, and answers read back whatever a model wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.notation import Notation, read_grid, read_text
from selfedit.types import Example, Failure, FewShot, Grid, Sequence

from .demonstrated import BACKWARDS, MIRROR

SPACED, TIGHT = Notation(), Notation("")


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    columns = draw(st.integers(1, 30))
    row = st.tuples(*[st.integers(0, 9)] * columns)
    return tuple(draw(st.lists(row, min_size=1, max_size=30)))


@given(grids(), st.sampled_from([SPACED, TIGHT, Notation(", ")]))
def test_what_is_shown_is_read(grid: Grid, notation: Notation) -> None:
    assert read_grid(notation.completion(grid)) == grid
    assert read_grid(f"\n{notation.completion(grid)}\n\nInput:\n1 2 3") == grid


@given(grids())
def test_brackets_are_read(grid: Grid) -> None:
    assert read_grid(str([list(row) for row in grid])) == grid
    assert read_grid("[" + "\n ".join("[" + " ".join(map(str, row)) + "]" for row in grid) + "]") == grid
    assert read_grid(f"Here it is:\n```\n{SPACED.rows(grid)}\n```") == grid


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("", "no grid"),
        ("I do not know.", "no grid"),
        ("1 2\n3", "row 2 has 1 cells where row 1 has 2"),
        ("1 12\n3 4", "'12' is no colour"),
        ("\n".join(["1"] * 31), "31 rows"),
        ("1 " * 31, "31 cells"),
        ("1" * 5000, "5000 cells"),
        ("9999999999999999 1", "is no colour"),
    ],
)
def test_a_malformed_grid_is_a_failure(text: str, what: str) -> None:
    found = read_grid(text)
    assert isinstance(found, Failure)
    assert what in found.what


@given(st.text() | st.text(alphabet="0123456789 ,[]\n-"))
def test_reading_is_total(text: str) -> None:
    found = read_grid(text)
    assert isinstance(found, Failure) or all(0 <= cell <= 9 for row in found for cell in row)
    assert isinstance(read_text(text), str | Failure)


def test_negative_numbers_end_a_grid() -> None:
    assert read_grid("1 2\n-1 2") == ((1, 2),)


@pytest.mark.parametrize(
    ("text", "answer"),
    [(" cba", "cba"), ("Output: cba\nmore", "cba"), ("cba\n\nInput: x", "cba"), ("\n\n cba ", "cba")],
)
def test_texts_are_read_from_their_line(text: str, answer: str) -> None:
    assert read_text(text) == answer


def test_a_text_of_several_lines_ends_at_the_next_input() -> None:
    assert read_text(" a\nb\n\nInput: c\nOutput: d", one_line=False) == "a\nb"
    assert isinstance(read_text(" \n "), Failure)


def test_the_prompt_is_the_demonstrations_and_the_input() -> None:
    assert SPACED.prompt(MIRROR, MIRROR.tests[0].input) == (
        "Input:\n1 0\n2 3\nOutput:\n0 1\n3 2\n\nInput:\n4 4 0\nOutput:\n0 4 4\n\n"
        "Input:\n5\n6\nOutput:\n5\n6\n\nInput:\n7 8 0\n0 9 1\nOutput:\n"
    )
    assert TIGHT.example(MIRROR.demonstrations[0]) == "Input:\n10\n23\nOutput:\n01\n32"
    assert SPACED.prompt(BACKWARDS, "stone").endswith("Input: x9\nOutput: 9x\n\nInput: stone\nOutput:")


def test_a_row_bears_loss_on_all_or_on_the_output() -> None:
    row = SPACED.row(BACKWARDS, all_tokens=False)
    assert row == Sequence(SPACED.prompt(BACKWARDS, "stone"), " enots")
    assert isinstance(row, Sequence)
    assert SPACED.row(BACKWARDS, all_tokens=True) == row.prompt + row.completion
    assert SPACED.row(MIRROR, all_tokens=False) == Sequence(
        SPACED.prompt(MIRROR, MIRROR.tests[0].input), "0 8 7\n1 9 0"
    )


def test_the_stop_leaves_the_right_answer_whole() -> None:
    assert SPACED.stop(BACKWARDS) == ("\n",)
    poem = FewShot("p", (Example("a", "b\n\nc"),), (Example("d", "e"),))
    for task in (MIRROR, poem):
        assert not any(
            s in SPACED.completion(e.output) for s in SPACED.stop(task) for e in task.demonstrations
        )
