"""Directives: found anywhere, clamped, and constrained by a grammar that only makes valid ones."""

import json
from typing import Any

import pytest
import regex
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.edits import FORMATS
from selfedit.edits.directive import BOUNDS, GRAMMAR, TOOLS
from selfedit.types import Failure, SelfEdit, Sequence, Task, TrainingPlan

TASK = Task("Kesselby", "Kesselby is a harbour town. It was founded by Ilse Marant in 1911.")
DIRECTIVE = FORMATS["directive"]
VALID = '{"tools": ["split", "cloze"], "learning_rate": 0.002, "epochs": 8, "rank": 16, "batch_size": 1}'


def edit_of(text: str) -> SelfEdit:
    found = DIRECTIVE.parse(TASK, text)
    assert isinstance(found, SelfEdit), found
    return found


@pytest.mark.parametrize("text", [VALID, f"Sure!\n```json\n{VALID}\n```\nDone.", f"{{x}} {{}} [{VALID}] {{"])
def test_found_in_prose_and_fences(text: str) -> None:
    settings = edit_of(text).settings
    assert settings == {
        "tools": ("split", "cloze"),
        "learning_rate": 0.002,
        "epochs": 8,
        "rank": 16,
        "batch_size": 1,
    }


@pytest.mark.parametrize(
    "text", ["", "no plan", "{", '{"tools": []}', '{"name": 1}', '{"rank": true}', "[" * 99_999]
)
def test_nothing_usable_is_a_failure(text: str) -> None:
    assert isinstance(DIRECTIVE.parse(TASK, text), Failure)


@pytest.mark.parametrize(
    ("value", "epochs"),
    [
        ("1000", 30),
        ("-3", 1),
        ("0", 1),
        ("4.6", 5),
        ('"7"', 7),
        ("NaN", None),
        ("Infinity", None),
        ("true", None),
        ('"many"', None),
        ("null", None),
        ("[3]", None),
        ("1e400", None),
        ("9" * 5000, None),
        ("9" * 400, None),
    ],
)
def test_numbers_are_clamped_or_left_out(value: str, epochs: int | None) -> None:
    found = DIRECTIVE.parse(TASK, f'{{"tools": ["split"], "epochs": {value}}}')
    if len(value) == 5000:  # longer than Python reads: no JSON at all
        assert isinstance(found, Failure)
    else:
        assert isinstance(found, SelfEdit)
        assert found.settings.get("epochs") == epochs


@pytest.mark.parametrize(
    "tools",
    [
        '"tools": "ask and answer"',
        '"tools": {"ask_and_answer": true, "split": false}',
        '"ask-and-answer": true',
    ],
)
def test_tools_in_other_shapes(tools: str) -> None:
    edit = edit_of("{" + tools + ', "secret": 1}')
    assert edit.settings == {"tools": ("ask-and-answer",)}
    assert edit.lines == ()


def test_lines_are_those_of_the_tools_that_need_no_model() -> None:
    edit = edit_of('{"tools": ["split", "reorder", "cloze"]}')
    assert edit.lines[:2] == ("Kesselby is a harbour town.", "It was founded by Ilse Marant in 1911.")
    assert any(isinstance(line, Sequence) and line.completion == " 1911" for line in edit.lines)
    assert "It was founded by Ilse Marant in 1911. Kesselby is a harbour town." in edit.lines
    assert DIRECTIVE.sequences(TASK, edit)[0] == "Kesselby\nKesselby is a harbour town."


@settings(max_examples=60, deadline=None)
@given(st.from_regex(GRAMMAR, fullmatch=True))
def test_what_the_grammar_allows_is_valid_as_it_stands(text: str) -> None:
    wanted: dict[str, Any] = json.loads(text)
    settings = edit_of(text).settings
    assert {**settings, "tools": list(settings["tools"])} == wanted
    assert set(wanted["tools"]) <= set(TOOLS)
    for name, (low, high) in BOUNDS.items():
        assert low <= wanted[name] <= high
    numbers = {name: settings[name] for name in BOUNDS}
    assert TrainingPlan(("x",), **numbers).rank == wanted["rank"]


def test_the_grammar_can_be_followed_character_by_character() -> None:
    pattern = regex.compile(GRAMMAR)
    assert pattern.fullmatch(VALID)
    assert all(pattern.fullmatch(VALID[:end], partial=True) for end in range(len(VALID)))
    assert not pattern.fullmatch(VALID.replace("8", "31"), partial=True)
    assert not pattern.fullmatch('{"tools": []', partial=True)
    assert DIRECTIVE.grammar == GRAMMAR


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from(["tools", "other", *TOOLS, *BOUNDS]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(TOOLS),
            lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
            max_leaves=5,
        ),
    )
)
def test_any_object_stays_within_bounds(chosen: dict[str, Any]) -> None:
    found = DIRECTIVE.parse(TASK, json.dumps(chosen))
    if isinstance(found, SelfEdit):
        for name, value in found.settings.items():
            if name != "tools":
                assert BOUNDS[name][0] <= value <= BOUNDS[name][1]
                assert isinstance(value, int | float)
