"""What is learned: passages with probes, and demonstrations."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar, cast

from selfedit.types.hashing import content_hash


@dataclass(frozen=True, slots=True)
class Probe:
    """A question with its expected answer, asked without the passage in the prompt."""

    question: str
    answer: str
    topic: str = ""
    origin: str = "user"
    """Who wrote it: `user`, `gold` (a benchmark), `model`, or `cloze` (by rule)."""

    @property
    def id(self) -> str:
        return content_hash(["probe", self.topic, self.question, self.answer])


@dataclass(frozen=True, slots=True)
class Task:
    """One passage that is new, and the probes that tell whether it was learned."""

    title: str
    passage: str
    probes: tuple[Probe, ...] = ()
    source: str = ""
    """The document as the user named it; empty where there is none."""

    @property
    def id(self) -> str:
        return content_hash(["task", self.title, self.passage])


Grid = tuple[tuple[int, ...], ...]
"""A picture of ARC: rows of colours 0 to 9."""
MOST_SIDE = 30
"""Rows and columns that a grid of ARC has at most."""

Value = TypeVar("Value", Grid, str)


def grid_fault(value: object) -> str:
    """What keeps rows of numbers, in tuples or lists, from being a grid of ARC; "" where nothing does."""
    if not isinstance(value, list | tuple):
        return "not a list of rows"
    rows = cast("Items[object]", value)
    if not 1 <= len(rows) <= MOST_SIDE:
        return f"{len(rows)} rows; 1 to {MOST_SIDE} are wanted"
    for number, row in enumerate(rows, 1):
        if fault := _row_fault(row):
            return f"row {number}: {fault}"
    widths = [len(cast("Items[object]", row)) for row in rows]
    odd = next((number for number, width in enumerate(widths, 1) if width != widths[0]), 0)
    return f"row {odd} has {widths[odd - 1]} cells where row 1 has {widths[0]}" if odd else ""


def _row_fault(row: object) -> str:
    if not isinstance(row, list | tuple):
        return "not a list of colours"
    cells = cast("Items[object]", row)
    if not 1 <= len(cells) <= MOST_SIDE:
        return f"{len(cells)} cells; 1 to {MOST_SIDE} are wanted"
    wrong = [cell for cell in cells if type(cell) is not int or not 0 <= cell <= 9]
    return f"{str(wrong[0])[:20]!r} is no colour; colours are 0 to 9" if wrong else ""


@dataclass(frozen=True, slots=True)
class Example(Generic[Value]):
    """An input with its output: two grids, or two texts."""

    input: Value
    output: Value


@dataclass(frozen=True, slots=True)
class FewShot(Generic[Value]):
    """A task of demonstrations: what turns inputs into outputs is shown, and tested on other inputs."""

    name: str
    demonstrations: tuple[Example[Value], ...]
    tests: tuple[Example[Value], ...]
    source: str = ""
    """Where it is from: a file, a data set or a generator; no part of what it is."""
    paraphrases: tuple[tuple[str, str], ...] = ()
    """Inputs, each with the same in other words, where somebody wrote some; no part of what it is."""

    @property
    def kind(self) -> Literal["arc", "text"]:
        """Whether its inputs and outputs are grids or texts."""
        first = (*self.demonstrations, *self.tests)[:1]
        return "text" if all(isinstance(example.input, str) for example in first) else "arc"

    @property
    def id(self) -> str:
        shown, asked = ([[e.input, e.output] for e in part] for part in (self.demonstrations, self.tests))
        return content_hash(["few-shot", self.name, shown, asked])
