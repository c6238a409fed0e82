"""Which canaries the built-in base answers: asked once by `scripts/ship_known.py`, not once a store."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from pydantic import BaseModel, ConfigDict, TypeAdapter

from selfedit.abilities.asking import queries
from selfedit.canaries import canaries
from selfedit.types import content_hash

FILE = Path(__file__).with_name("known.json")


class Known(BaseModel):
    """What one base answers at one precision."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    base: str
    """Hash of its weights."""
    dtype: str
    asked: str
    right: tuple[int, ...]
    """Places of the canaries."""


def shipped(base: str, dtype: str) -> frozenset[str] | None:
    """Ids of the probes of those canaries that a base (its hash) answers right.

    None where that was not found out: for another base, precision, set of canaries or way of asking.
    """
    wanted = base, dtype, asked()
    found = next((row for row in read() if (row.base, row.dtype, row.asked) == wanted), None)
    return None if found is None else frozenset(canaries()[place].probe.id for place in found.right)


@cache
def read() -> tuple[Known, ...]:
    """The rows of the file."""
    return TypeAdapter(tuple[Known, ...]).validate_json(FILE.read_bytes())


@cache
def asked() -> str:
    """Hash of all that the canaries are asked with and checked against."""
    return content_hash([[each.prompt, each.probe.answer] for each in queries(canaries())])
