"""What tells whether learning something has harmed everything else; all of our own making.

Canaries are short questions of general ability, of many kinds, each with one short answer. Which of them a
base answers right is measured on that base; the others say nothing about what was lost, and are left out
there. Unknowns are questions about people, places and things that we made up: whoever answers them invents.
General texts are plain prose of many kinds, to see whether a model still finds ordinary language likely.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from functools import cache
from pathlib import Path
from typing import Literal, final

from pydantic import BaseModel, ConfigDict, Field

from selfedit.canaries.reading import read
from selfedit.edits.questions import ask_prompt
from selfedit.types import Probe, ScoreRequest, rng_for

__all__ = [
    "FILE",
    "Canary",
    "General",
    "Part",
    "Unknown",
    "canaries",
    "demonstrated",
    "general",
    "read_canaries",
    "unknowns",
]

FOLDER = Path(__file__).parent
FILE = FOLDER / "canaries.jsonl"
SHOWN = 3
"""Answered questions of its own kind that a canary may be asked after."""

Part = Literal["choose", "report"]
"""Fixed halves of the unknowns: one to choose settings and judge candidates by, one to report."""


class _Shipped(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", str_strip_whitespace=True)

    kind: str = Field(min_length=1, max_length=40)


class _Asked(_Shipped):
    question: str = Field(min_length=8, max_length=120, pattern=r"[?.]$")

    @property
    def prompt(self) -> str:
        """As every question is asked; no topic, since none was learned."""
        return ask_prompt(self.question)


@final
class Canary(_Asked):
    """A question that a small model can answer, its answer, and the kind of ability that it shows."""

    answer: str = Field(min_length=1, max_length=40, pattern=r"^[^\n]+$")

    @property
    def probe(self) -> Probe:
        return Probe(self.question, self.answer, origin="canary")


@final
class Unknown(_Asked):
    """A question whose answer nobody can know, since what it asks about does not exist."""

    part: Part

    @property
    def probe(self) -> Probe:
        """Its answer is empty: there is none."""
        return Probe(self.question, "", origin="unknown")


@final
class General(_Shipped):
    """A short plain text."""

    text: str = Field(min_length=60, max_length=600)

    @property
    def request(self) -> ScoreRequest:
        """All but its first word, given that."""
        first, rest = self.text.split(" ", 1)
        return ScoreRequest(first, f" {rest}")


@cache
def canaries() -> tuple[Canary, ...]:
    """Those that come with the package."""
    return read_canaries(FILE)


@cache
def unknowns(part: Part | None = None) -> tuple[Unknown, ...]:
    """Those of one half, or all."""
    rows = read(FOLDER / "unknown.jsonl", Unknown, "unknowns")
    return tuple(row for row in rows if part in (None, row.part))


@cache
def general() -> tuple[General, ...]:
    """The texts that come with the package."""
    return read(FOLDER / "general.jsonl", General, "texts")


def read_canaries(path: Path) -> tuple[Canary, ...]:
    """The canaries of a JSON Lines file: kind, question, answer. Raises DocumentError with the line."""
    return read(path, Canary, "canaries")


def demonstrated(canary: Canary, among: Items[Canary]) -> str:
    """The prompt with some answered questions of its kind before it, so that the form of asking is clear.

    A base that has learned nothing ends its answer before it has begun, whatever it knows. They are drawn by
    the question alone, from those of another answer.
    """
    own = canary.answer.lower()
    others = [each for each in among if each.kind == canary.kind and each.answer.lower() != own]
    shown = rng_for("demonstrations", canary.question).sample(others, min(SHOWN, len(others)))
    return "".join(f"{each.prompt} {each.answer}\n\n" for each in shown) + canary.prompt
