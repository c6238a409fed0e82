"""What is wrong with a recipe, in one line: which line and key, what it is, and what to choose."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, cast, final

from pydantic import BaseModel, ValidationError

from selfedit.config import Recipe
from selfedit.errors import UsageError
from selfedit.recipes.nodes import Node, shown

Place = tuple[str | int, ...]
"""Keys and indices from the top of a recipe down."""

KINDS = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "string_type": "a text (in quotes where it looks like something else)",
    "string_unicode": "a text",
    "tuple_type": "a list, as in [a, b]",
    "model_type": "a group of keys, as in {a: 1, b: 2}",
    "dict_type": "a group of keys, as in {a: 1, b: 2}",
}
"""pydantic's name for a wrong type → what was wanted."""

BOUNDS = {
    "greater_than_equal": ("ge", "at least {}"),
    "greater_than": ("gt", "more than {}"),
    "less_than_equal": ("le", "at most {}"),
    "less_than": ("lt", "less than {}"),
    "too_short": ("min_length", "at least {} of them"),
    "too_long": ("max_length", "at most {} of them"),
    "string_too_short": ("min_length", "at least {} character"),
    "string_too_long": ("max_length", "at most {} characters"),
}
"""pydantic's name for a bound → where its error holds the bound, and what to choose."""


@final
@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place."""

    place: Place
    what: str

    def error(self, where: str, root: Node) -> UsageError:
        """The one line for the recipe that was read as `root`."""
        return UsageError(f"{where}, line {root.at(self.place).line}: {path(self.place)}{self.what}")


def path(place: Place) -> str:
    """A place as it is written, with a colon: `judge.seeds[1]: `; nothing for the recipe itself."""
    text = ""
    for part in place:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            text += f".{shown(part)}" if text else shown(part)
    return f"{text}: " if text else ""


def first(error: ValidationError, root: Node, model: type[BaseModel] = Recipe) -> Fault:
    """Of all that is wrong, what stands first in the text; a misspelt key before a missing one.

    `model` is what the recipe was to be.
    """
    wrong = sorted(error.errors(include_url=False), key=lambda each: each["type"] == "missing")
    # A list whose items are wrong is also called too short: whatever has faults below it is left out.
    above = {each["loc"][:depth] for each in wrong for depth in range(len(each["loc"]))}
    faults = [_fault(dict(each), model) for each in wrong if each["loc"] not in above]
    return min(faults, key=lambda fault: root.at(fault.place).line)


def _fault(error: Mapping[str, Any], model: type[BaseModel]) -> Fault:
    place: Place = tuple(error["loc"])
    kind, value, context = error["type"], error["input"], error.get("ctx", {})
    if kind == "contradiction":
        return Fault(tuple(str(context["key"]).split(".")), str(context["remedy"]))
    if kind == "extra_forbidden":
        return Fault(place, _unknown(place, model))
    if kind == "missing":
        return Fault(place, "is missing; give it")
    if kind == "literal_error":
        return Fault(place, choose(value, _quoted(context["expected"])))
    if kind == "choice":
        return Fault(place, choose(value, context["choices"]))
    return Fault(place, f"is {shown(value)}; {_remedy(kind, context, error['msg'])}")


def _remedy(kind: str, context: Mapping[str, Any], message: str) -> str:
    if kind in BOUNDS:
        name, words = BOUNDS[kind]
        return f"choose {words.format(_short(context[name]))}"
    return f"give {KINDS[kind]}" if kind in KINDS else message


def _short(bound: float) -> float:
    """2 for 2.0."""
    return int(bound) if bound == int(bound) else bound


def choose(value: Any, choices: Items[str]) -> str:
    """For a value that is none of the choices."""
    return f"is {shown(value)}; {_nearest(value, choices) or 'choose among ' + ', '.join(choices)}"


def _quoted(expected: str) -> list[str]:
    """pydantic's `'a', 'b' or 'c'` as a list."""
    return expected.split("'")[1::2]


def _unknown(place: Place, model: type[BaseModel]) -> str:
    """For a key that there is not: the nearest one beside it, else the nearest anywhere."""
    key, beside = place[-1], list(_fields(place[:-1], model))
    near = _nearest(key, beside)
    if near is None:
        homes = [each for each in _everywhere(model) if each.rsplit(".", 1)[-1] == key]
        near = f"did you mean {homes[0]}?" if homes else f"choose among {', '.join(beside)}"
    return f"no such key; {near}"


def _nearest(value: Any, choices: Iterable[str]) -> str | None:
    near = difflib.get_close_matches(value, list(choices), 1) if isinstance(value, str) else []
    return f"did you mean {near[0]}?" if near else None


def _fields(place: Place, model: type[BaseModel]) -> Iterable[str]:
    """The keys of the group at a place, or of the items of the list of groups at it."""
    for part in place:
        if isinstance(part, int):
            continue
        model = group(model, part) or model
    return model.model_fields


def group(model: type[BaseModel], key: str) -> type[BaseModel] | None:
    """The model of the group under a key, or of the groups that it lists; None for a plain value."""
    default: Any = model.model_fields[key].default
    if isinstance(default, tuple) and default:
        default = cast(tuple[Any, ...], default)[0]
    return type(default) if isinstance(default, BaseModel) else None


def _everywhere(model: type[BaseModel], above: str = "") -> Iterable[str]:
    """Every key with a dotted path, groups as well."""
    for key in model.model_fields:
        yield f"{above}{key}"
        inner = group(model, key)
        if inner is not None:
            yield from _everywhere(inner, f"{above}{key}.")
