"""What goes through the base in one pass: rows of several slots packed end to end, and how steps are cut.

Knows nothing of optimisers, banks or what a plan is.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import final

from torch import Tensor

from selfedit.engine.model import TokenRow
from selfedit.types import Divergence


@final
@dataclass(frozen=True)
class Bearing:
    """The packed tokens whose next one bears one kind of loss, with what each weighs and its slot."""

    divergence: Divergence | None
    at: list[int] = field(default_factory=list[int])
    weights: list[float] = field(default_factory=list[float])
    slots: list[int] = field(default_factory=list[int])
    pulls: list[float] = field(default_factory=list[float])
    """What the divergence weighs, where there is one; and row by row the reference's states."""
    states: list[Tensor] = field(default_factory=list[Tensor])

    def add(self, row: TokenRow, begin: int, slot: int, total: int) -> None:
        """Take in a row that begins at the packed token `begin`."""
        at = [begin + place for place, bears in enumerate(row.bears_loss) if bears]
        self.at.extend(at)
        self.weights.extend([row.weight / total] * len(at))
        self.slots.extend([slot] * len(at))
        if row.pull is not None:
            self.pulls.extend([row.pull.weight / total] * len(at))
            self.states.append(row.pull.states_LH)


@final
@dataclass(frozen=True)
class Packed:
    """What one pass is made of, as plain numbers."""

    ids: list[int]
    lengths: list[int]
    """Tokens of each row, pads included."""
    counts: tuple[int, ...]
    """Tokens of each slot."""
    bearing: dict[Divergence | None, Bearing]
    """By divergence, None where there is but cross-entropy."""


def packed(part: list[list[TokenRow]], totals: list[int], pad: bool = True) -> Packed:
    """Pack each slot's rows; `totals` counts the loss tokens of its whole batch.

    The loss of a step is Σ (weight · nll + pull · divergence) / (number of tokens that bear loss). With
    `pad`, slots are filled to one count of tokens where possible: a row's end is repeated, which nothing
    before it sees and no loss covers. All that is done slot by slot is then a view.
    """
    lengths = [[len(row.ids) for row in rows] for rows in part]
    pads = _pads(lengths) if pad else [[0] * len(rows) for rows in lengths]
    counts = [sum(len(row.ids) for row in rows) + sum(pad) for rows, pad in zip(part, pads, strict=True)]
    found = Packed([], [], tuple(counts), {})
    for slot, rows in enumerate(part):
        for row, more in zip(rows, pads[slot], strict=True):
            kind = row.pull.divergence if row.pull else None
            bearing = found.bearing.setdefault(kind, Bearing(kind))
            bearing.add(row, len(found.ids), slot, totals[slot])
            found.ids.extend([*row.ids, *row.ids[-1:] * more])
            found.lengths.append(len(row.ids) + more)
    return found


def _pads(lengths: list[list[int]]) -> list[list[int]]:
    """Tokens to add to each row, none made longer than the longest; zero if slots cannot be equal."""
    longest = max(length for rows in lengths for length in rows)
    wanted = max(sum(rows) for rows in lengths)
    pads: list[list[int]] = []
    for rows in lengths:
        left = wanted - sum(rows)
        own: list[int] = []
        for length in rows:
            own.append(min(left, longest - length))
            left -= own[-1]
        if left:
            return [[0] * len(rows) for rows in lengths]
        pads.append(own)
    return pads


def parts(
    batches: list[list[TokenRow]], budget: int, overhead: int, pad: bool
) -> Iterator[tuple[int, list[list[TokenRow]]]]:
    """Consecutive slots whose rows go through the base together; a slot too large for that comes in several.

    Cut where the sum of tokens (with `pad`: of each slot made as long as the longest), and of `overhead`
    tokens a pass, is least.
    """
    sizes = [sum(len(row.ids) for row in batch) for batch in batches]
    best: list[tuple[int, int]] = [(0, 0)]
    for end in range(1, len(sizes) + 1):
        widest, held, options = 0, 0, list[tuple[int, int]]()
        for begin in range(end - 1, -1, -1):
            widest, held = max(widest, sizes[begin]), held + sizes[begin]
            tokens = widest * (end - begin) if pad else held
            if options and tokens > budget:
                break
            options.append((best[begin][0] + tokens + overhead, begin))
        best.append(min(options))
    cuts, end = list[tuple[int, int]](), len(sizes)
    while end:
        cuts.append((best[end][1], end))
        end = best[end][1]
    for begin, end in reversed(cuts):
        if sizes[begin] > budget:
            yield from ((begin, [rows]) for rows in _split(batches[begin], budget))
        else:
            yield begin, batches[begin:end]


def _split(batch: list[TokenRow], budget: int) -> Iterator[list[TokenRow]]:
    part, held = list[TokenRow](), 0
    for row in batch:
        if part and held + len(row.ids) > budget:
            yield part
            part, held = [], 0
        part, held = [*part, row], held + len(row.ids)
    yield part
