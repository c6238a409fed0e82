"""Orders to the model in words that no list holds: the base reads every sentence, a guard tells what it is.

What a middle layer of the base makes of a sentence shows whether somebody speaks to the model. The guard is a
line through that space, fitted on texts of our own; it ships for the built-in base, and without one the lists
of the screening decide alone. What a text that speaks of such orders quotes is not read; what it says in
disguise is. Refuses nothing itself.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, final

from selfedit.edits.sentences import sentences
from selfedit.lessons import Watch, unwatched
from selfedit.policies import guard_file
from selfedit.screening import Finding, discusses, order, undisguised, unquoted

if TYPE_CHECKING:
    from selfedit.workers import Worker

SURE, DOUBTFUL = 0.8, 0.4
"""How sure a finding is: of what is doubtful a policy only warns."""
AT_ONCE = 64
"""Pieces that are read together, between which progress is told."""
SHORTEST, LONGEST = 16, 700
"""Letters: what is shorter orders nothing by itself; of what is longer so much is read."""


@final
@dataclass(frozen=True)
class Line:
    """What tells orders from all else in the space of a layer: log-odds = weights · mean + bias, in nats."""

    layer: int
    weights: tuple[float, ...]
    bias: float
    least: float
    """Log-odds from which a piece is told of."""
    sure: float
    """Log-odds from which a document is refused for it."""

    def odds(self, mean: Items[float]) -> float:
        return sum(w * x for w, x in zip(self.weights, mean, strict=True)) + self.bias

    @staticmethod
    def read(path: Path) -> Line:
        held = json.loads(path.read_text(encoding="utf-8"))
        return Line(held["layer"], tuple(held["weights"]), held["bias"], held["least"], held["sure"])


@final
@dataclass(frozen=True)
class Guard:
    """A worker whose base reads, and the line that was fitted on what it makes of texts."""

    worker: Worker
    line: Line
    watch: Watch = unwatched

    def orders(self, texts: Items[str]) -> list[Finding | None]:
        """For each text the piece that is likeliest an order to the model; None where none counts as one.

        In a text that is about such orders it is doubtful at most.
        """
        return [
            order(text, piece, SURE if odds >= self.line.sure and not discusses(text) else DOUBTFUL)
            if odds >= self.line.least
            else None
            for text, (piece, odds) in zip(texts, self.likeliest(texts), strict=True)
        ]

    def likeliest(self, texts: Items[str]) -> list[tuple[str, float]]:
        """For each text the likeliest piece, and the log-odds in nats that it is an order; ("", -inf)."""
        found = [pieces(text) for text in texts]
        odds = self._odds(list(dict.fromkeys(piece for mine in found for piece in mine)))
        return [
            max(((piece, odds[piece]) for piece in mine), key=lambda each: each[1], default=("", -math.inf))
            for mine in found
        ]

    def _odds(self, found: Items[str]) -> dict[str, float]:
        odds: dict[str, float] = {}
        for at in range(0, len(found), AT_ONCE):
            self.watch("looking for orders to the model", at, len(found))
            some = found[at : at + AT_ONCE]
            means = self.worker.embed(some, self.line.layer)
            odds |= {piece: self.line.odds(mean) for piece, mean in zip(some, means, strict=True)}
        return odds


def guard(worker: Worker, watch: Watch = unwatched) -> Guard | None:
    """The guard that ships for the worker's base, or None."""
    path = guard_file(worker)
    return Guard(worker, Line.read(path), watch) if path else None


def pieces(text: str) -> tuple[str, ...]:
    """What is read of a text: every sentence, and every two in a row, as far as long enough; each once.

    An order often needs its neighbour: who is spoken to stands in one sentence, what to do in the next.
    """
    every = sentences(f"{unquoted(text)}\n{undisguised(text)}")
    pairs = (f"{one} {other}" for one, other in pairwise(every))
    return tuple(dict.fromkeys(_long_enough((*every, *pairs))))


def _long_enough(found: Iterable[str]) -> Iterable[str]:
    return (piece[:LONGEST] for piece in found if len(piece) >= SHORTEST)
