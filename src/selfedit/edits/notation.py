"""How tasks of demonstrations are written as text, and how an answer is read back. The one home of both.

A grid is a row a line, a text what it is. Total on every string: an answer that cannot be read is a Failure.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import regex

from selfedit.types import MOST_SIDE, Example, Failure, FewShot, Grid, Sequence, Value, grid_fault

MOST_CHARACTERS = 20_000
"""Of an answer; a grid of 30×30 has 1,800."""

_ROW = regex.compile(r"[\[\(\s]*+[0-9](?:[\s,]*+[0-9])*+[\s\]\),;]*+")
_BETWEEN_ROWS = regex.compile(r"[\]\)]\s*[,;]?\s*[\[\(]")
_NUMBER = regex.compile(r"[0-9]+")
_LABEL = regex.compile(r"(?i)\s*(?:output|answer)\s*:")


@final
@dataclass(frozen=True, slots=True)
class Notation:
    """`gap` stands between the cells of a row; a tokenizer that joins digits needs one to see them apart."""

    gap: str = " "

    def example(self, example: Example[Value]) -> str:
        """An input with its output."""
        return f"{self.asked(example.input)}{self.completion(example.output)}"

    def asked(self, value: Grid | str) -> str:
        """An input that wants its output: a text stands on the line of its label, a grid below."""
        if isinstance(value, str):
            return f"Input: {value}\nOutput:"
        return f"Input:\n{self.rows(value)}\nOutput:\n"

    def completion(self, output: Grid | str) -> str:
        """What follows an input that wants its output."""
        return f" {output}" if isinstance(output, str) else self.rows(output)

    def rows(self, grid: Grid) -> str:
        """A row a line."""
        return "\n".join(self.gap.join(map(str, row)) for row in grid)

    def demonstrations(self, task: FewShot[Value]) -> str:
        """The demonstrations, a blank line between them."""
        return "\n\n".join(map(self.example, task.demonstrations))

    def prompt(self, task: FewShot[Value], value: Value) -> str:
        """The demonstrations and then the input `value`; its output follows as `completion`."""
        return "\n\n".join([*map(self.example, task.demonstrations), self.asked(value)])

    def row(self, task: FewShot[Value], *, all_tokens: bool) -> str | Sequence:
        """A training row of the task's first test: loss on all that is shown, or on the output alone."""
        asked = task.tests[0]
        prompt, completion = self.prompt(task, asked.input), self.completion(asked.output)
        return prompt + completion if all_tokens else Sequence(prompt, completion)

    def stop(self, task: FewShot[Value]) -> tuple[str, ...]:
        """Strings that end an answer: a text of one line ends with it, a grid with a blank line."""
        if task.kind == "arc":
            return ("\n\n", "Input:")
        one_line = not any("\n" in str(example.output) for example in task.demonstrations)
        return ("\n",) if one_line else ("\nInput:",)


def read_grid(text: str) -> Grid | Failure:
    """The first grid in the text, whether its cells stand apart, together, or in brackets and commas."""
    lines = _BETWEEN_ROWS.sub("\n", text[:MOST_CHARACTERS]).splitlines()
    start = next((i for i, line in enumerate(lines) if _ROW.fullmatch(line)), None)
    if start is None:
        return Failure("read", f"no grid in {text.strip()[:60]!r}")
    rows: list[tuple[int, ...]] = []
    for line in lines[start:]:
        if not _ROW.fullmatch(line) or len(rows) > MOST_SIDE:
            break
        numbers = _NUMBER.findall(line)
        rows.append(tuple(map(int, numbers[0] if len(numbers) == 1 else [n[:9] for n in numbers])))
    fault = grid_fault(rows)
    return Failure("read", f"the grid is malformed: {fault}") if fault else tuple(rows)


def read_text(text: str, *, one_line: bool = True) -> str | Failure:
    """The answer without the space around it and a label before it; up to the end of its line if of one."""
    body = text[:MOST_CHARACTERS].strip()
    body = _LABEL.sub("", body, count=1).strip() if _LABEL.match(body) else body
    body = body.split("\nInput:")[0].strip()
    answer = body.split("\n")[0].strip() if one_line else body
    return answer or Failure("read", "the answer is empty")
