"""YAML text → plain values, each with its line. Stricter than YAML, so that nothing is guessed.

Scalars are those of YAML 1.2's core schema in decimals: `1e-3` is a number, `yes` and `12:30` are texts.
Refused are keys given twice, anchors and aliases (a few lines of which can stand for gigabytes), tags, and
more than one document. Knows nothing of recipes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast, final

import yaml

from selfedit.errors import UsageError

DEEPEST = 12
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BEYOND = re.compile(r"\\U(?!000[0-9A-Fa-f]|0010)[0-9A-Fa-f]{8}")
_WORDS: Mapping[str, bool | float | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
    **dict.fromkeys((".inf", "+.inf", ".Inf", ".INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
}

Scalar = str | int | float | bool | None


@final
@dataclass(frozen=True, slots=True)
class Node:
    """A value and the line where it begins; in a group, the line of its key. Lines count from 1."""

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    line: int

    @property
    def plain(self) -> Any:
        """The value without lines: dicts, tuples and scalars."""
        match self.value:
            case dict():
                return {key: node.plain for key, node in self.value.items()}
            case tuple():
                return tuple(node.plain for node in self.value)
            case _:
                return self.value

    def at(self, keys: tuple[str | int, ...]) -> Node:
        """The node below these keys, as far as they lead."""
        node = self
        for key in keys:
            if isinstance(node.value, dict) and key in node.value:
                node = node.value[str(key)]
            elif isinstance(node.value, tuple) and isinstance(key, int) and key < len(node.value):
                node = node.value[key]
        return node


def scalar(text: str) -> Scalar:
    """What a text without quotes stands for."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _FLOAT.fullmatch(text) else text


def read(text: str, where: str) -> Node:
    """The one document in the text. Raises UsageError, one line with `where` and the line."""
    try:
        return _Reader(where, cast(Any, yaml).parse(text, Loader=yaml.BaseLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        problem = " ".join((error.problem or error.context or "it breaks off").split())
        line = mark.line + 1 if mark else 1
        raise _fault(where, line, f"no YAML: {problem}; correct it") from error
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, int(error.position)) + 1
        raise _fault(where, line, "no YAML: a character that cannot be printed; take it out") from error
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        # PyYAML lets a \U escape beyond Unicode through to chr().
        beyond = _BEYOND.search(text)
        line = text.count("\n", 0, beyond.start()) + 1 if beyond else 1
        raise _fault(where, line, f"no YAML: {' '.join(str(error).split())}; correct it") from error


def _fault(where: str, line: int, what: str) -> UsageError:
    return UsageError(f"{where}, line {line}: {what}")


@final
class _Reader:
    """Takes a parser's events one by one, and gives nodes."""

    def __init__(self, where: str, events: Iterator[Any]) -> None:
        self._where = where
        self._events = events

    def document(self) -> Node:
        event = self._next(yaml.StreamStartEvent)
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return Node(None, 1)
        root = self._node(next(self._events), 0)
        self._next(yaml.DocumentEndEvent)
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            raise _fault(self._where, _line(event), "a second document begins; a recipe is one, so leave one")
        return root

    def _next(self, kind: type) -> Any:
        event = next(self._events)
        assert isinstance(event, kind)
        return event

    def _node(self, event: Any, depth: int) -> Node:
        self._check(event, depth)
        if isinstance(event, yaml.MappingStartEvent):
            return Node(self._group(depth + 1), _line(event))
        if isinstance(event, yaml.SequenceStartEvent):
            return Node(self._items(depth + 1), _line(event))
        return Node(scalar(event.value) if event.style is None else event.value, _line(event))

    def _check(self, event: Any, depth: int) -> None:
        wrong = None
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            wrong = "anchors and aliases (&, *) are not taken; write the value out, or in quotes"
        elif event.tag is not None:
            wrong = "tags (!) are not taken; leave it out, or write the value in quotes"
        elif depth > DEEPEST:
            wrong = f"more than {DEEPEST} levels; take some out"
        elif isinstance(event, yaml.ScalarEvent) and not _encodable(event.value):
            wrong = "half a character (a lone surrogate); take it out"
        if wrong:
            raise _fault(self._where, _line(event), wrong)

    def _items(self, depth: int) -> tuple[Node, ...]:
        found: list[Node] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            found.append(self._node(event, depth))
        return tuple(found)

    def _group(self, depth: int) -> dict[str, Node]:
        found: dict[str, Node] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            self._check(event, depth)
            line = _line(event)
            if not isinstance(event, yaml.ScalarEvent):
                raise _fault(self._where, line, "a key that is no word; a key is a name before a colon")
            key = event.value
            if key in found:
                first = found[key].line
                raise _fault(
                    self._where, line, f"{shown(key)} is given twice, first in line {first}; leave one"
                )
            found[key] = Node(self._node(next(self._events), depth).value, line)
        return found


def _line(event: Any) -> int:
    return event.start_mark.line + 1


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def shown(value: Any, most: int = 40) -> str:
    """A value of any size in a message: one line, cut where it is long; a plain name without quotes."""
    if isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w.:-]*", value, re.ASCII) and len(value) <= most:
        return value
    if isinstance(value, str):
        text = repr(value) if value.isprintable() else ascii(value)
    else:
        text = json.dumps(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"
