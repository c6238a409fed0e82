"""Directive: JSON in which the model picks augmentation tools and hyper-parameters for its own training."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, cast

from selfedit.edits.base import Format, Parsed
from selfedit.edits.parsing import MOST_TEXT, json_objects
from selfedit.edits.sentences import sentences
from selfedit.edits.spans import best_spans
from selfedit.edits.tools import cloze, orders
from selfedit.types import Failure, Sequence, Task

TOOLS = ("split", "restate", "cloze", "reorder", "ask-and-answer")
"""In the order of the grammar. `restate` and `ask-and-answer` need a model and are left to the caller."""
BOUNDS: Mapping[str, tuple[float, float]] = {
    "learning_rate": (1e-5, 5e-3),
    "epochs": (1, 30),
    "rank": (1, 128),
    "batch_size": (1, 16),
}
CLOZE_ROWS = 14

_CHOICES = "|".join(
    f'"{tool}"' + "".join(f'(?:, "{later}")?' for later in TOOLS[i + 1 :]) for i, tool in enumerate(TOOLS)
)
GRAMMAR = (
    rf'\{{"tools": \[(?:{_CHOICES})\], '
    r'"learning_rate": (?:0\.0000[1-9]|0\.000[1-9]|0\.00[1-4]|0\.005), '
    r'"epochs": (?:[1-9]|[12][0-9]|30), "rank": (?:4|8|16|32|64|128), "batch_size": (?:1|2|4|8|16)\}'
)
"""Matches valid directives only, whole; for the `regex` module, which can tell a partial match."""


def parse_directive(task: Task, text: str, echoes: tuple[str, ...]) -> Parsed | Failure:
    """The first JSON object that names a tool or a hyper-parameter, wherever it stands in the text.

    Unknown keys are ignored. A number out of bounds is clamped; what is no finite number (NaN, true, "fast")
    is left out, so that the default stands. The lines are those of the tools that need no model.
    """
    chosen = _first_object(text[:MOST_TEXT])
    if chosen is None:
        return Failure("parse", f"no JSON object with tools or hyper-parameters in {text.strip()[:60]!r}")
    tools = _tools(chosen)
    settings: dict[str, Any] = {"tools": tools} if tools else {}
    for name, bounds in BOUNDS.items():
        value = finite(chosen.get(name))
        if value is not None:
            clamped = min(max(value, bounds[0]), bounds[1])
            settings[name] = clamped if name == "learning_rate" else round(clamped)
    if not settings:
        return Failure("parse", "the JSON object names no known tool and no usable hyper-parameter")
    return Parsed(apply_tools(task, tools), settings)


def apply_tools(task: Task, tools: tuple[str, ...]) -> tuple[str | Sequence, ...]:
    """The lines of the tools that need no model, without the title at their head."""
    lines: list[str | Sequence] = []
    if "split" in tools:
        lines += sentences(task.passage)
    if "cloze" in tools:
        lines += cloze(task, best_spans(task.passage, CLOZE_ROWS, title=task.title))
    if "reorder" in tools:
        lines += orders(task)
    return tuple(lines)


def _first_object(text: str) -> Mapping[str, Any] | None:
    wanted = {"tools", *TOOLS, *BOUNDS}
    return next((found for found in json_objects(text) if found.keys() & wanted), None)


def _tools(chosen: Mapping[str, Any]) -> tuple[str, ...]:
    """From a list of names, one name, or switches (`{"split": true}`), inside `tools` or beside it."""
    named = chosen.get("tools")
    names: set[str] = {name for name in TOOLS if chosen.get(name) is True}
    if isinstance(named, str):
        names.add(named)
    elif isinstance(named, list):
        names |= {name for name in cast("list[Any]", named) if isinstance(name, str)}
    elif isinstance(named, dict):
        names |= {name for name, switch in cast("dict[str, Any]", named).items() if switch is True}
    known = {name.strip().lower().replace("_", "-").replace(" ", "-") for name in names}
    return tuple(tool for tool in TOOLS if tool in known)


def finite(value: Any) -> float | None:
    """The number that a JSON value is, also in quotes; None where it is no finite one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


_SHAPE = '{"tools": ["split", "cloze"], "learning_rate": 0.001, "epochs": 10, "rank": 16, "batch_size": 1}'

FORMAT = Format(
    name="directive",
    instruction=(
        "A language model will be trained on this passage about {title}, to answer questions without it.\n\n"
        "{passage}\n\nChoose how. Tools: split (each sentence by itself), restate (each sentence in other "
        "words), cloze (questions made by rule), reorder (sentences in other orders), ask-and-answer "
        "(questions written by the model). Numbers: learning_rate 0.00001 to 0.005, epochs 1 to 30, "
        "rank 1 to 128, batch_size 1 to 16. Reply with one JSON object of this shape and nothing else:\n"
        + _SHAPE
    ),
    opening=(
        "Training plan\n\nText to be learned, about {title}:\n{passage}\n\n"
        "Tools: split, restate, cloze, reorder, ask-and-answer.\n"
        f"Plan for another text:\n{_SHAPE}\nPlan for this text:\n"
    ),
    parser=parse_directive,
    max_tokens=120,
    grammar=GRAMMAR,
)
