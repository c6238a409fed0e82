"""Recipes for `stream`: those that ship, what they say, and every mistake in one line."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from selfedit.config import Training
from selfedit.config.streaming import StreamRecipe
from selfedit.errors import UsageError
from selfedit.recipes import dump_recipe, load_stream, parse_stream, shipped, shipped_streams


def test_those_that_ship_are_kept_apart_from_the_others() -> None:
    assert shipped_streams() == ["stream-long", "stream-screen", "stream-smollm2"]
    assert not set(shipped_streams()) & set(shipped())


@pytest.mark.parametrize("name", shipped_streams())
def test_they_come_back_from_their_text(name: str) -> None:
    recipe = load_stream(name)
    assert parse_stream(dump_recipe(recipe), name) == recipe
    as_learned = recipe.training.model_copy(update={"epochs": Training().epochs})
    assert as_learned == Training(), "a document is learned as `learn` does; of fifty, each in fewer epochs"


def test_what_is_chosen_by_is_not_what_reports() -> None:
    assert load_stream("stream-screen").data == "squad/val_choose.json"
    assert load_stream("stream-smollm2").data == load_stream("stream-long").data == "squad/val_report.json"


def test_methods_and_sequences_are_no_part_of_what_a_table_is() -> None:
    recipe = parse_stream("documents: 4", "x")
    assert (
        parse_stream("{documents: 4, sequences: 3, methods: [{name: a}], joint: false}", "x").id == recipe.id
    )
    assert parse_stream("{documents: 4, seed: 1}", "x").id != recipe.id


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("documents: 0", "documents: is 0; choose at least 1"),
        ("documnts: 3", "documnts: no such key; did you mean documents?"),
        ("5", "no recipe; it is keys with values, such as `documents: 8`"),
        ("methods: []", "methods: is []; choose at least 1 of them"),
        ("methods: [{name: a}, {name: a}]", "methods: has two of the name a; give each a name of its own"),
        ("methods: [{name: joint}]", "methods: has one of the name joint, which is a row of its own"),
        ('methods: [{name: "a,b"}]', "methods[0].name: is 'a,b'; "),
        (
            "methods: [{name: a, retention: {strategies: [replai]}}]",
            "methods[0].retention.strategies[0]: is replai; did you mean replay?",
        ),
        ("methods: [{name: a, retention: {stratgies: []}}]", "did you mean strategies?"),
        ("methods: [{name: a, retention: {strategies: [router, bisection]}}]", "so leave one out"),
        ("methods: [{name: a, router: bm52}]", "methods[0].router: is bm52; did you mean bm25?"),
        ("write: {format: question-answers}", "write.format: is question-answers; did you mean"),
    ],
)
def test_a_mistake_is_named_with_its_remedy(text: str, what: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_stream(text, "mine.yaml")
    assert str(caught.value).startswith("mine.yaml, line 1: ")
    assert what in str(caught.value)


def test_every_key_and_every_recipe_is_on_the_page() -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "stream.md").read_text(encoding="utf-8")
    keys = set(re.findall(r"`([\w-]+)`", page))
    assert set(StreamRecipe.model_fields) <= keys
    assert set(shipped_streams()) <= keys
