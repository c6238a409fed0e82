"""The canaries: short questions of general ability, to see whether learning something else has harmed it.

All of our own making, of many kinds, each with one short answer. Which of them a base answers right is
measured on that base; the others say nothing about what was lost, and are left out there.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from pathlib import Path
from typing import final

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from selfedit.edits.questions import ask_prompt
from selfedit.errors import DocumentError
from selfedit.types import Probe

__all__ = ["FILE", "Canary", "canaries", "read_canaries"]

FILE = Path(__file__).parent / "canaries.jsonl"


@final
class Canary(BaseModel):
    """A question that a small model can answer, its answer, and the kind of ability that it shows."""

    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    kind: str = Field(min_length=1, max_length=40)
    question: str = Field(min_length=8, max_length=120, pattern=r"[?.]$")
    answer: str = Field(min_length=1, max_length=40, pattern=r"^[^\n]+$")

    @property
    def prompt(self) -> str:
        """As every question is asked; no topic, since none was learned."""
        return ask_prompt(self.question)

    @property
    def probe(self) -> Probe:
        return Probe(self.question, self.answer, origin="canary")


@cache
def canaries() -> tuple[Canary, ...]:
    """Those that come with the package."""
    return read_canaries(FILE)


def read_canaries(path: Path) -> tuple[Canary, ...]:
    """The canaries of a JSON Lines file: kind, question, answer. Raises DocumentError with the line."""
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DocumentError(f"{path}: cannot be read ({type(error).__name__}); check the path") from error
    found = tuple(
        _canary(line, f"{path}, line {number}") for number, line in enumerate(lines, 1) if line.strip()
    )
    if not found:
        raise DocumentError(f"{path}: no canaries; a line wants kind, question and answer")
    twice = [question for question, count in Counter(each.question for each in found).items() if count > 1]
    if twice:
        raise DocumentError(f"{path}: {twice[0]!r} is asked twice; take one out")
    return found


def _canary(line: str, where: str) -> Canary:
    try:
        return Canary.model_validate_json(line)
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(map(str, first["loc"])) or "the line"
        message = f"{where}: {name}: {first['msg'].lower()}; a canary is kind, question and answer, all short"
        raise DocumentError(message) from error
