"""Queries in guises: a right answer in any guise is read as the plain right answer."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.edits.notation import Notation
from selfedit.edits.queries import INVERTIBLE, grid_queries, text_queries
from selfedit.errors import UsageError
from selfedit.types import Example, Failure

from .demonstrated import BACKWARDS, MIRROR


@given(st.integers(0, 99), st.sampled_from(["", " "]))
def test_the_right_answer_in_every_guise_is_the_right_answer(seed: int, gap: str) -> None:
    expected = MIRROR.tests[0].output
    queries = grid_queries(MIRROR, copies=3, seed=seed, notation=Notation(gap))
    assert [query.guise for query in queries] == 3 * list(INVERTIBLE)
    assert all(query.read(query.completion(expected)) == expected for query in queries)
    assert len({query.prompt for query in queries}) == len(queries)


def test_the_first_query_is_the_task_as_it_is() -> None:
    first = grid_queries(MIRROR)[0]
    assert first.prompt == Notation().prompt(MIRROR, MIRROR.tests[0].input)
    assert first.read("7 8\n9 0") == ((7, 8), (9, 0))
    assert text_queries(BACKWARDS)[0].prompt == Notation().prompt(BACKWARDS, "stone")


def test_no_query_gives_the_output_away() -> None:
    for query in grid_queries(MIRROR, copies=2):
        assert query.completion(MIRROR.tests[0].output).strip() not in query.prompt
        assert query.prompt.count("Output:") == 4


def test_a_guise_is_consistent() -> None:
    """Mirrored left to right in the demonstrations, the rule is still a mirroring left to right."""
    turned = next(query for query in grid_queries(MIRROR) if query.guise == "flip_0")
    assert "Input:\n2 3\n1 0\nOutput:\n3 2\n0 1" in turned.prompt
    assert turned.read("1 9 0\n0 8 7") == MIRROR.tests[0].output


def test_malformed_answers_are_failures() -> None:
    for query in grid_queries(MIRROR):
        assert isinstance(query.read("1 2\n3"), Failure)
        assert isinstance(query.read(""), Failure)


def test_a_transform_that_cannot_be_undone_is_refused() -> None:
    with pytest.raises(UsageError, match="cannot be undone"):
        grid_queries(MIRROR, names=("repeat_0_2",))


@given(st.integers(0, 99))
def test_texts_are_renamed_and_named_back(seed: int) -> None:
    queries = text_queries(BACKWARDS, renamed=True, copies=4, seed=seed)
    assert [query.guise for query in queries] == ["identity", "rename", "rename", "rename"]
    assert all(query.read(query.completion("enots")) == "enots" for query in queries)
    for query in queries[1:]:
        asked = query.prompt.removesuffix("\nOutput:").rpartition("Input: ")[2]
        assert query.completion("enots") == f" {asked[::-1]}"


def test_what_is_asked_does_not_depend_on_the_answer() -> None:
    task = replace(BACKWARDS, tests=(Example("stone", "zzz 555"),))
    assert [query.prompt for query in text_queries(task, renamed=True, copies=4)] == [
        query.prompt for query in text_queries(BACKWARDS, renamed=True, copies=4)
    ]
    other = replace(MIRROR, tests=(Example(MIRROR.tests[0].input, ((3,),)),))
    assert [query.prompt for query in grid_queries(other, copies=2)] == [
        query.prompt for query in grid_queries(MIRROR, copies=2)
    ]


def test_several_tests_are_asked_apart() -> None:
    task = replace(MIRROR, tests=(*MIRROR.tests, MIRROR.demonstrations[0]))
    assert grid_queries(task, 1)[0].prompt.endswith("Input:\n1 0\n2 3\nOutput:\n")
    assert "7 8 0" not in grid_queries(task, 1)[0].prompt
