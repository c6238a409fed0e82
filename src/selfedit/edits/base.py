"""What a format of self-edits is: a prompt, a parser, and what the parsed edit comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import regex

from selfedit.edits.tools import headed
from selfedit.edits.words import squash
from selfedit.types import Failure, SelfEdit, Sequence, Task

_PLACEHOLDER = regex.compile(r"\{\{|\}\}|\{title\}|\{passage\}")


@dataclass(frozen=True, slots=True)
class Parsed:
    """What a parser found: training lines, and settings where the format has any."""

    lines: tuple[str | Sequence, ...]
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])


TaskT = TypeVar("TaskT", contravariant=True)


class EditFormat(Protocol[TaskT]):
    """What asking for self-edits needs of a format, whatever its tasks are: passages or demonstrations."""

    @property
    def name(self) -> str: ...
    @property
    def max_tokens(self) -> int: ...
    @property
    def grammar(self) -> str | None: ...

    def prompt(self, task: TaskT, *, chat: bool) -> str | list[dict[str, str]]:
        """Chat messages, or a plain text to be continued."""
        ...

    def parse(self, task: TaskT, text: str) -> SelfEdit | Failure:
        """The edit that the text comes to; any text gives one or the other."""
        ...

    def sequences(self, task: TaskT, edit: SelfEdit) -> tuple[str | Sequence, ...]:
        """What the edit is trained as."""
        ...


Parser = Callable[[Task, str, tuple[str, ...]], Parsed | Failure]
"""Task, what the model wrote, and the prompt's own lines (an echo of which is no note)."""


@dataclass(frozen=True, slots=True)
class Format:
    """A way of writing notes. Knows nothing of models; the same value serves base and instruct models.

    `instruction` is what an instruct model is told; `opening` is a document that breaks off where a base
    model goes on. In both, `{title}` and `{passage}` stand for the task's, and `{{` for a brace.
    """

    name: str
    instruction: str
    opening: str
    parser: Parser
    max_tokens: int = 512
    grammar: str | None = None
    """A regular expression (the `regex` module's) that all valid texts of a constrained sampler match."""

    def prompt(self, task: Task, *, chat: bool) -> str | list[dict[str, str]]:
        """Chat messages, or a plain text to be continued."""
        if chat:
            return [{"role": "user", "content": fill(self.instruction, task.title, task.passage)}]
        return fill(self.opening, task.title, task.passage)

    def parse(self, task: Task, text: str) -> SelfEdit | Failure:
        """The edit that the text comes to. Any text gives one or the other; none raises."""
        own = (fill(self.opening, task.title, task.passage), fill(self.instruction, task.title, task.passage))
        text = text.encode("utf-8", "replace").decode()  # half a surrogate pair has no hash
        body = text
        for prompt in own:
            body = body.removeprefix(prompt)
        found = self.parser(task, body, self._echoes(task))
        if isinstance(found, Failure):
            return Failure(found.where, f"{self.name}: {found.what}")
        return SelfEdit(task.id, self.name, text, found.lines, found.settings)

    def sequences(self, task: Task, edit: SelfEdit) -> tuple[str | Sequence, ...]:
        """The edit's lines and then the passage itself, each plain one headed by the title."""
        plain = (*edit.lines, task.passage) if task.passage.strip() else edit.lines
        return tuple(dict.fromkeys(headed(task.title, x) if isinstance(x, str) else x for x in plain))

    def _echoes(self, task: Task) -> tuple[str, ...]:
        lines = [*self.instruction.splitlines(), *self.opening.splitlines()]
        filled = (squash(fill(line, task.title, "")) for line in lines)
        return (*(line for line in filled if line), squash(task.passage))


def fill(template: str, title: str, passage: str) -> str:
    """The template with title and passage in their places, in one pass: neither is itself filled."""
    values = {"{title}": squash(title) or "this text", "{passage}": passage, "{{": "{", "}}": "}"}
    return _PLACEHOLDER.sub(lambda match: values[match.group()], template)
