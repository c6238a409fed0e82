"""A recipe by name or path → `Recipe`, and back to YAML. Whatever is wrong is one line."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import Any, TypeVar, cast, final

import yaml
from pydantic import ValidationError

from selfedit.config import Recipe
from selfedit.config.settings import Settings
from selfedit.config.streaming import StreamRecipe
from selfedit.edits import FORMATS, format_of, get_format
from selfedit.errors import EditError, UsageError
from selfedit.recipes.faults import Fault, choose, first
from selfedit.recipes.nodes import Node, read, scalar, shown
from selfedit.rewards import MEASURES, SOLVING

MOST_BYTES = 64_000
STREAM = "stream-"
"""How the names of those that ship for `stream` begin."""
Model = TypeVar("Model", bound=Settings)


def shipped() -> list[str]:
    """The names of the recipes that ship for `train` and `eval`."""
    return [name for name in _all_shipped() if not name.startswith(STREAM)]


def shipped_streams() -> list[str]:
    """The names of those that ship for `stream`."""
    return [name for name in _all_shipped() if name.startswith(STREAM)]


def _all_shipped() -> list[str]:
    names = (file.name for file in resources.files("selfedit.recipes").iterdir())
    return sorted(name.removesuffix(".yaml") for name in names if name.endswith(".yaml"))


def load_recipe(recipe: str | Path) -> Recipe:
    """A recipe that ships, by name, or a file: a `Path`, or a text with a suffix or a slash.

    Raises UsageError.
    """
    return parse_recipe(*_text_of(recipe, shipped()))


def load_stream(recipe: str | Path) -> StreamRecipe:
    """A recipe for `stream`, likewise."""
    return parse_stream(*_text_of(recipe, shipped_streams()))


def _text_of(recipe: str | Path, shipping: list[str]) -> tuple[str, str]:
    """What the recipe says, and what messages call it."""
    if isinstance(recipe, str) and recipe in shipping:
        file = resources.files("selfedit.recipes") / f"{recipe}.yaml"
        return file.read_text("utf-8"), recipe
    names = ", ".join(shipping)
    where = Path(recipe)
    if isinstance(recipe, str) and "/" not in recipe and not where.suffix:
        raise UsageError(f"no recipe {shown(recipe)}; choose among {names}, or name a file")
    called = str(recipe) if str(recipe).isprintable() else ascii(str(recipe))
    try:
        with where.open("rb") as file:
            data = file.read(MOST_BYTES + 1)
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UsageError(f"recipe {called}: no UTF-8 text; save it as UTF-8") from error
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"recipe {called}: {reason}; name a file, or one of {names}") from error
    if len(data) > MOST_BYTES:
        raise UsageError(f"recipe {called}: longer than {MOST_BYTES} bytes; a recipe is at most so long")
    return text, called


def parse_recipe(text: str, where: str) -> Recipe:
    """The recipe in the text; `where` is what messages call it. Raises UsageError."""
    recipe, root = _checked(Recipe, text, where, "rounds: 2")
    fault = _unknown_name(recipe)
    if fault is not None:
        raise fault.error(where, root)
    return recipe


def parse_stream(text: str, where: str) -> StreamRecipe:
    """The recipe for `stream` in the text, likewise."""
    recipe, root = _checked(StreamRecipe, text, where, "documents: 8")
    what = _unusable(recipe.write.format)
    if what is not None:
        raise Fault(("write", "format"), what).error(where, root)
    return recipe


def _checked(model: type[Model], text: str, where: str, such_as: str) -> tuple[Model, Node]:
    """The text as these settings, and as it was read."""
    root = read(text, where)
    if not isinstance(root.value, dict):
        raise UsageError(f"{where}, line {root.line}: no recipe; it is keys with values, such as `{such_as}`")
    try:
        return model.model_validate(root.plain, strict=True), root
    except ValidationError as error:
        raise first(error, root, model).error(where, root) from error


def _unknown_name(recipe: Recipe) -> Fault | None:
    """The first format, template file, tool or reward that cannot be used."""
    passages = recipe.data.kind == "passages"
    for at, name in enumerate(recipe.write.formats if passages else ()):
        what = _unusable(name)
        if what is not None:
            return Fault(("write", "formats", at), what)
    if recipe.data.kind != "passages":
        known = format_of(recipe.data.kind, paraphrases=recipe.few_shot.paraphrase).tools
        for at, setting in enumerate(recipe.few_shot.settings):
            if other := next((tool for tool in setting.tools if tool not in known), None):
                return Fault(("few_shot", "settings", at, "tools"), choose(other, list(known)))
    measures = MEASURES if passages else SOLVING
    for at, each in enumerate(recipe.judge.rewards):
        if each.name not in measures:
            return Fault(("judge", "rewards", at, "name"), choose(each.name, list(measures)))
    if not any(recipe.judge.weights.values()):
        return Fault(("judge", "rewards"), "weights nothing; give one a weight other than 0")
    return None


def _unusable(name: str) -> str | None:
    """Why a format cannot be used, if so."""
    try:
        get_format(name)
    except EditError as error:
        is_path = "/" in name or Path(name).suffix or Path(name).exists()
        return str(error) if is_path else choose(name, [*FORMATS, "a template file"])
    except OSError as error:
        return f"is {shown(name)}; {error.strerror}: name a template file"
    return None


# -- back to text ---------------------------------------------------------------------------------------


def dump_recipe(recipe: Recipe | StreamRecipe) -> str:
    """YAML with every key, that gives the same recipe again."""
    held = _plain(recipe.model_dump())
    return yaml.dump(
        held, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=100, default_flow_style=None
    )


def _plain(value: Any) -> Any:
    """Lists for tuples, and 16 for 16.0, as people write them."""
    match value:
        case dict():
            return {name: _plain(each) for name, each in cast(dict[str, Any], value).items()}
        case tuple():
            return [_plain(each) for each in cast(tuple[Any, ...], value)]
        case float() if value.is_integer() and abs(value) < 1e6:
            return int(value)
        case _:
            return value


@final
class _Dumper(yaml.SafeDumper):
    """Quotes the texts that our reader would take for something else."""


def _text(dumper: Any, value: str) -> yaml.ScalarNode:
    plain = isinstance(scalar(value), str) and value.isascii()
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=None if plain else '"')


_Dumper.add_representer(str, _text)
