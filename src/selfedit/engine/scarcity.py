"""When memory runs out: how that is told from other errors, and going on with less at a time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, final

import torch

from selfedit.errors import EngineError

SMALLEST = 32
"""Tokens of a pass that is not halved any more."""
SIGNS = ("allocate memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""What errors that are no memory errors by type say when memory ran out."""

Item = TypeVar("Item", bound=tuple[Any, ...])
Found = TypeVar("Found")


@final
@dataclass(frozen=True)
class Room:
    """What a run may hold: rows, adapter slots, and tokens through the base in one pass."""

    rows: int
    slots: int
    tokens: int

    def smaller(self, rows: int) -> Room:
        """Half of it, with no more than `rows` left to do. Raises EngineError where it cannot be less."""
        rows = min(self.rows, rows)
        if rows == 1 and self.tokens <= SMALLEST:
            raise EngineError("memory ran out with a single row; shorten it or free memory")
        return Room(max(1, rows // 2), max(1, self.slots // 2), max(SMALLEST, self.tokens // 2))


def out_of_memory(error: Exception) -> bool:
    """Whether an error says that memory ran out, on whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(sign in str(error) for sign in SIGNS)


def release() -> None:
    """Give back what the device's allocator keeps for later."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def shrinking(
    work: Sequence[Item],
    room: Room,
    run: Callable[[list[Item], Room], Iterator[tuple[int, Found]]],
    told: Callable[[Room], None],
) -> Iterator[tuple[int, Found]]:
    """All that `run(work, room)` yields, begun again in half the room when memory runs out.

    An item begins with its index, and so does what `run` yields; what was yielded is not done again. `told`
    hears of each smaller room before it is tried.
    """
    left = list(work)
    while left:
        done: set[int] = set()
        try:
            for index, found in run(left, room):
                done.add(index)
                yield index, found
            return
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        left = [item for item in left if item[0] not in done]
        release()
        if left:
            room = room.smaller(len(left))
            told(room)
