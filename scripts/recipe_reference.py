"""Write the tables of docs/reference/recipes.md from the settings: keys, defaults, bounds, meanings.

python scripts/recipe_reference.py
"""

from __future__ import annotations

import ast
import inspect
import itertools
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from selfedit.config import (
    FEW_SHOT,
    ROWS,
    Configuration,
    Recipe,
    Reporting,
    Settings,
    Training,
    Weighted,
    Write,
)
from selfedit.edits import FORMATS
from selfedit.edits.few_shot import GRID_TOOLS, TEXT_TOOLS
from selfedit.rewards import MEASURES, SOLVING

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "recipes.md"
BEGIN, END = "<!-- keys: made by scripts/recipe_reference.py -->", "<!-- keys: end -->"

NAMES = {
    (Reporting, "rows"): [*ROWS],
    (Write, "formats"): [*FORMATS, FEW_SHOT],
    (Weighted, "name"): [*dict.fromkeys((*MEASURES, *SOLVING))],
    (Configuration, "tools"): [*GRID_TOOLS, *TEXT_TOOLS],
}
"""Texts of which only some will do, which their JSON schema does not say."""


def rewritten(page: str) -> str:
    """The page with its tables as they should be."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"


def tables() -> str:
    """A table for each group of keys, and one for the three groups that say how to train."""
    parts = [_table("Keys of the recipe itself", Recipe, "")]
    parts += [
        _table(f"`{name}`", type(value), f"{name}.") for name, value in groups() if name not in trainings()
    ]
    items = [
        _table("An item of `judge.rewards`", Weighted, "name."),
        _table("An item of `few_shot.settings`", Configuration, "settings."),
    ]
    return "\n".join([*parts, _training_table(), *items])


def groups() -> Iterator[tuple[str, Settings]]:
    for name, field in Recipe.model_fields.items():
        if isinstance(field.default, Settings):
            yield name, field.default


def trainings() -> dict[str, Training]:
    """Dotted path → the default, for each group that says how to train."""
    found = {name: value for name, value in groups() if isinstance(value, Training)}
    for name, value in groups():
        inner = {key: getattr(value, key) for key in type(value).model_fields}
        found |= {f"{name}.{key}": each for key, each in inner.items() if isinstance(each, Training)}
    return found


def _table(title: str, model: type[BaseModel], above: str) -> str:
    lines = [f"### {title}\n", "| key | default | may be | what it is |", "|---|---|---|---|"]
    for key, field in model.model_fields.items():
        if isinstance(field.default, Settings):
            continue
        default = "must be given" if field.is_required() else f"`{written(field.default)}`"
        lines.append(f"| `{key}` | {default} | {allowed(model, key)} | {meaning(model, key)} |")
    return "\n".join([*lines, ""])


def _training_table() -> str:
    columns = trainings()
    names = " | ".join(f"`{name}`" for name in columns)
    lines = [
        f"### {', '.join(f'`{name}`' for name in columns)}\n",
        f"| key | {names} | may be | what it is |",
        f"|---|{'---|' * len(columns)}---|---|",
    ]
    for key in Training.model_fields:
        values = " | ".join(f"`{written(getattr(each, key))}`" for each in columns.values())
        lines.append(f"| `{key}` | {values} | {allowed(Training, key)} | {meaning(Training, key)} |")
    return "\n".join([*lines, ""])


def written(value: Any) -> str:
    """A value as YAML has it on one line."""
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{name}: {written(each)}" for name, each in value) + "}"
    if isinstance(value, tuple):
        return "[" + ", ".join(map(written, value)) + "]"
    if isinstance(value, float):
        return f"{value:g}"
    return value if isinstance(value, str) else json.dumps(value)


def allowed(model: type[BaseModel], key: str) -> str:
    """What a key may be, in words, from its JSON schema."""
    words = _allowed(model.model_json_schema()["properties"][key])
    names = ", ".join(f"`{name}`" for name in NAMES.get((model, key), ()))
    return f"{words}: {names}" if names else words


def _allowed(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(_allowed(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{each}`" for each in schema["enum"])
    match schema.get("type"):
        case "array":
            return f"a list of {_count(schema)}{_allowed(schema['items'])}"
        case "integer":
            return f"a whole number{_range(schema)}"
        case "number":
            return f"a number{_range(schema)}"
        case "boolean":
            return "`true`, `false`"
        case "null":
            return "`null`"
        case "string":
            return f"a text{_length(schema)}"
        case _:
            return "a group of keys (below)"


def _count(schema: dict[str, Any]) -> str:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    return f"{least} to {most:,}: " if most else ""


def _length(schema: dict[str, Any]) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    return f" of {least} to {most:,} characters" if most else ""


def _range(schema: dict[str, Any]) -> str:
    bounds = [
        ("exclusiveMinimum", "above"),
        ("minimum", "from"),
        ("exclusiveMaximum", "below"),
        ("maximum", "to"),
    ]
    return "".join(f" {word} {_number(schema[name])}" for name, word in bounds if name in schema)


def _number(value: float) -> str:
    return f"{int(value):,}" if value == int(value) else f"{value:g}"


def meaning(model: type[BaseModel], key: str) -> str:
    """The text under a setting in the source. Fails where there is none."""
    body = ast.parse(inspect.getsource(model)).body[0].body  # type: ignore[attr-defined]
    for node, following in itertools.pairwise(body):
        if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == key:
            return " ".join(following.value.value.split()).rstrip(".")
    raise LookupError(f"{model.__name__}.{key} says nothing of itself")


def main() -> None:
    held = PAGE.read_text(encoding="utf-8")
    made = rewritten(held)
    PAGE.write_text(made, encoding="utf-8")
    print("unchanged" if made == held else f"wrote {PAGE}", file=sys.stderr)


if __name__ == "__main__":
    main()
