"""YAML with lines: what scalars stand for, and what is refused."""

from __future__ import annotations

import math

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.errors import UsageError
from selfedit.recipes.nodes import read, scalar, shown

SCALARS = [
    ("3", 3), ("-3", -3), ("+3", 3), ("010", 10), ("1e-3", 1e-3), ("1.5", 1.5), (".5", 0.5), ("2.", 2.0),
    ("1E3", 1000.0), (".inf", math.inf), ("-.inf", -math.inf), ("true", True), ("False", False), ("~", None),
    ("null", None), ("yes", "yes"), ("on", "on"), ("12:30", "12:30"), ("2020-01-01", "2020-01-01"),
    ("0x1F", "0x1F"), ("1_000", "1_000"), ("e3", "e3"), (".", "."), ("-", "-"), ("٣", "٣"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "value"), SCALARS)
def test_scalars_are_those_of_yaml_1_2(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)
    assert scalar(".nan") != scalar(".nan")


def test_lines_are_those_of_keys_and_items() -> None:
    root = read("a:\n  b: 1\n  c:\n    - 2\n    - {d: 3}\n\ne: 'x'\n", "x.yaml")
    assert root.plain == {"a": {"b": 1, "c": (2, {"d": 3})}, "e": "x"}
    places = [((), 1), (("a", "b"), 2), (("a", "c"), 3), (("a", "c", 1, "d"), 5), (("e",), 7)]
    assert [root.at(place).line for place, _ in places] == [line for _, line in places]
    assert root.at(("a", "gone", "c")).line == 3


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("a: 1\nb: &x 2", 2, "anchors and aliases"),
        ("a: 1\n*x : 2", 2, "anchors and aliases"),
        ("a: [*x]", 1, "anchors and aliases"),
        ("a: 1\nb: !!int 2", 2, "tags"),
        ("!!python/object/apply:os.system [true]", 1, "tags"),
        ("a: 1\n\na: 2", 3, "a is given twice, first in line 1"),
        ("a: 1\n---\nb: 2", 2, "a second document"),
        ("a:\n  ? [b]\n  : 1", 2, "a key that is no word"),
        ("a: 1\n" + "[" * 20, 2, "no YAML"),
        ("a:\n " + "[" * 20 + "]" * 20, 2, "more than 12 levels"),
        ("a: 1\nb: [", 2, "no YAML"),
        ("a: 1\n\tb: 2", 2, "no YAML"),
        ("a: 1\nb: \x07", 2, "cannot be printed"),
        ('a: 1\nb: "\\U00FFFFFF"', 2, "no YAML"),
        ('a: 1\nb: "\\ud800"', 2, "half a character"),
        ('a: 1\n"\\ud800": 2', 2, "half a character"),
    ],
)
def test_what_is_refused(text: str, line: int, what: str) -> None:
    with pytest.raises(UsageError) as raised:
        read(text, "x.yaml")
    assert str(raised.value).startswith(f"x.yaml, line {line}: ")
    assert what in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_bomb_of_aliases_is_refused_at_its_first_anchor() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 60))
    with pytest.raises(UsageError, match="line 1: anchors"):
        read(bomb, "x.yaml")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.sampled_from(["a", "b c", "é", "x: y"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from("abcd"), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=100, deadline=None)
@given(PLAIN, st.sampled_from([None, False, True]))
def test_agrees_with_pyyaml_where_both_read_the_same(value: object, flow: bool | None) -> None:
    text = yaml.safe_dump(value, default_flow_style=flow, allow_unicode=True)
    assert _lists(read(text, "x.yaml").plain) == yaml.safe_load(text)


def _lists(value: object) -> object:
    if isinstance(value, tuple):
        return [_lists(each) for each in value]
    return {name: _lists(each) for name, each in value.items()} if isinstance(value, dict) else value


@given(st.text() | st.floats() | st.lists(st.integers()))
def test_what_is_shown_is_one_short_line(value: object) -> None:
    assert len(shown(value)) <= 40
    assert shown(value).isprintable()
