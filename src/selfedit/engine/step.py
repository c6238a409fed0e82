"""One decoding step in buffers that stay where they are, so that a device can record it once and replay it.

What changes from step to step (tokens, positions, which row has which adapter) is written into the buffers.
What shapes the work (rows, keys looked at, the grid of adapters) is rounded up, and each such shape is
recorded when it has come up a few times. Knows nothing of requests, sampling or text.
"""

from __future__ import annotations

import weakref
from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol, final

import torch
from torch import Tensor

from selfedit.engine.attention import Cache, Pass
from selfedit.engine.bank import Bank
from selfedit.engine.layout import Steps
from selfedit.engine.model import Model
from selfedit.engine.products import Cells

KEYS = 64
"""The fewest keys that a recorded step looks at."""
AFTER = 3
"""A shape is recorded when it comes up after so many steps."""
WASTE = 4
"""Cells for each row beyond which a grid of adapters does not pay: rows are then too unevenly shared."""

Work = Callable[[], Tensor]
Shape = tuple[int, int, int]
"""Rows, and the grid of adapters: slots and cells a slot (both 0 where no row has an adapter)."""


class Recorder(Protocol):
    """Turns work on fixed buffers into a replay of it."""

    def record(self, work: Work) -> Work:
        """Do the work's operations again on the same memory, whenever the result is called.

        `work` may be run more than once. Raises RuntimeError for what cannot be recorded.
        """
        ...


@final
class CudaGraphs:
    """Recordings as CUDA graphs. Those alive share one pool of memory, since one is replayed at a time."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._last: weakref.ref[Replay] | None = None

    def record(self, work: Work) -> Work:
        with torch.cuda.device(self.device):
            return self._record(work)

    def _record(self, work: Work) -> Replay:
        """Once aside, so that libraries have set themselves up, then for the recording."""
        here, aside = torch.cuda.current_stream(), torch.cuda.Stream()
        aside.wait_stream(here)
        with torch.cuda.stream(aside):
            work()
        here.wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        last = None if self._last is None else self._last()
        pool = None if last is None else last.graph.pool()
        with torch.cuda.graph(graph, pool=pool, capture_error_mode="thread_local"):
            out = work()
        made = Replay(graph, out)
        self._last = weakref.ref(made)
        return made


@final
class Replay:
    """A CUDA graph, and where its result lies after each replay."""

    def __init__(self, graph: Any, out: Tensor) -> None:
        self.graph, self.out = graph, out

    def __call__(self) -> Tensor:
        self.graph.replay()
        return self.out


@final
class StaticStep:
    """Decodes one token for each row of a cache, by recordings where there are any."""

    def __init__(self, model: Model, bank: Bank | None, cache: Cache, recorder: Recorder) -> None:
        self.model, self.bank, self.cache, self.recorder = model, bank, cache, recorder
        self.broken = ""
        """Why nothing can be recorded here; steps are then not taken at all."""
        self._shape: Shape | None = None
        self._seen: Counter[tuple[int, ...]] = Counter()
        self._recorded: dict[tuple[int, ...], Work] = {}
        device, rows = model.device, cache.rows
        self._told_2B = torch.zeros(2, rows, dtype=torch.long, device=device)
        self._row_B = torch.arange(rows, device=device)
        self._cell_B = torch.zeros(rows, dtype=torch.long, device=device)
        cells = WASTE * rows + (0 if bank is None else bank.slots)
        self._row_C = torch.zeros(cells, dtype=torch.long, device=device)
        self._scale_C = None if bank is None else bank.scale_A.new_zeros(cells)

    def arrange(self, slot_B: list[int]) -> None:
        """Tell which adapter slot each row has (-1: none), whenever rows or the bank's slots have changed."""
        rows = rounded(len(slot_B), self.cache.rows)
        if self.bank is None or max(slot_B) < 0:
            self._shape = (rows, 0, 0)
            return
        grid = _grid(slot_B, self.bank.slots)
        if grid[0] * grid[1] > len(self._row_C):
            self._shape = None
            return
        self._shape = (rows, *grid)
        self._fill(_cells(slot_B, *grid), slot_B)

    def _fill(self, cell_of_row: list[int], slot_B: list[int]) -> None:
        assert self.bank is not None
        assert self._scale_C is not None
        cell_B = torch.tensor(cell_of_row, device=self.model.device)
        has_B = torch.tensor([slot >= 0 for slot in slot_B], device=self.model.device)
        slot = torch.tensor([max(0, slot) for slot in slot_B], device=self.model.device)
        self._cell_B.zero_()[: len(cell_of_row)] = cell_B
        self._row_C.zero_()[cell_B] = self._row_B[: len(cell_of_row)]
        self._scale_C.zero_()[cell_B] = self.bank.scale_A[slot] * has_B

    def logits(self, tokens: list[int], positions: list[int]) -> Tensor | None:
        """Logits [B, V] after each row's token; None where the step has to be taken in another way.

        They are overwritten by the next call.
        """
        if self._shape is None or self.broken:
            return None
        rows = self._shape[0]
        more = [0] * (rows - len(tokens))
        self._told_2B[:, :rows] = torch.tensor([tokens + more, positions + more], device=self.model.device)
        keys = rounded(max(positions) + 1, self.cache.capacity, KEYS)
        found = self._play((*self._shape, keys))
        return None if found is None else found[: len(tokens)]

    def _play(self, key: tuple[int, ...]) -> Tensor | None:
        if key not in self._recorded:
            work = partial(self._forward, *key)
            self._seen[key] += 1
            if self._seen[key] <= AFTER:
                return work()
            try:
                self._recorded[key] = self.recorder.record(work)
            except RuntimeError as error:  # a retry that is named as such: the ordinary step takes over
                self.broken = " ".join(str(error).split())[:200] or type(error).__name__
                self._recorded.clear()
                return None
        return self._recorded[key]()

    def _forward(self, rows: int, slots: int, cells: int, keys: int) -> Tensor:
        ids_B, position_B = self._told_2B[0, :rows], self._told_2B[1, :rows]
        steps = Steps(position_B, self._row_B[:rows], keys)
        self.model.run.place(self._placed(rows, slots, cells))
        try:
            hidden_BH = self.model.hidden(ids_B, Pass(steps, self.cache))
        finally:
            self.model.run.place(None)
        return self.model.head.logits(hidden_BH)

    def _placed(self, rows: int, slots: int, cells: int) -> Cells | None:
        if self.bank is None or self._scale_C is None or not slots:
            return None
        count = slots * cells
        scale_AS1 = self._scale_C[:count].view(slots, cells, 1)
        return Cells(self.bank, self._row_C[:count], scale_AS1, self._cell_B[:rows])


def rounded(count: int, most: int, least: int = 1) -> int:
    """`count` rounded up to 2ᵏ or 3·2ᵏ, so that few different sizes come up; at most `most`."""
    size = least
    while size < count:
        half = size * 3 // 2
        size = half if half >= count and half * 2 == size * 3 else size * 2
    return min(size, most)


def _grid(slot_B: list[int], slots: int) -> tuple[int, int]:
    """(slots, cells a slot) of the smallest rounded grid that holds these rows."""
    used = [slot for slot in slot_B if slot >= 0]
    wide = rounded(max(used) + 1, slots)
    cells = rounded(max(Counter(used).values()), len(slot_B))
    while wide * cells < len(slot_B):
        cells = rounded(cells + 1, len(slot_B))
    return wide, cells


def _cells(slot_B: list[int], slots: int, cells: int) -> list[int]:
    """The cell of each row: one of its slot's; rows without an adapter take what is left over."""
    free = {slot: iter(range(slot * cells, (slot + 1) * cells)) for slot in range(slots)}
    found = {row: next(free[slot]) for row, slot in enumerate(slot_B) if slot >= 0}
    left = (cell for slot in range(slots) for cell in free[slot])
    return [found[row] if row in found else next(left) for row in range(len(slot_B))]
