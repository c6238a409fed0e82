"""The reference page says what the settings say."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from selfedit.config import Recipe
from selfedit.recipes import load_recipe, parse_recipe, shipped

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "recipes.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def maker() -> ModuleType:
    spec = importlib.util.spec_from_file_location("made", ROOT / "scripts" / "recipe_reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_tables_are_those_of_the_settings(maker: ModuleType) -> None:
    assert maker.rewritten(PAGE) == PAGE, "say: python scripts/recipe_reference.py"


def test_another_default_would_be_seen(maker: ModuleType) -> None:
    changed = PAGE.replace("| `samples` | `5` |", "| `samples` | `6` |")
    assert changed != PAGE
    assert maker.rewritten(changed) == PAGE


def test_every_key_is_there(maker: ModuleType) -> None:
    lines = set(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE))
    for name, value in maker.groups():
        inner = type(value).model_fields
        assert {key for key in inner if key != "training"} <= lines, name
    assert set(Recipe.model_fields) - dict(maker.groups()).keys() <= lines


@pytest.mark.parametrize("text", re.findall(r"^```yaml\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL))
def test_the_recipes_on_the_page_are_recipes(text: str) -> None:
    assert parse_recipe(text, "the page") != Recipe()


def test_those_that_ship_are_on_the_page() -> None:
    named = re.findall(r"^\| `((?:knowledge|arc|text)-[\w.-]+)` \|", PAGE, re.MULTILINE)
    assert sorted(named) == shipped()


def test_the_page_says_what_the_published_recipe_is() -> None:
    recipe = load_recipe("knowledge-qwen2.5-7b")
    passages, edits, seeds = recipe.data.passages, recipe.write.samples, len(recipe.judge.seeds)
    assert f"{passages} passages × {edits} self-edits × {seeds} seeds" in PAGE
