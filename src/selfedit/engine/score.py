"""Teacher-forced log-probabilities of given completions, many rows and adapters in one pass. No decoding."""

from __future__ import annotations

from collections.abc import Iterator
from typing import final

import torch

from selfedit.engine.attention import Pass
from selfedit.engine.layout import Rows
from selfedit.engine.loss import log_probabilities
from selfedit.engine.model import Model
from selfedit.engine.scarcity import Room
from selfedit.engine.table import AdapterTable
from selfedit.types import AdapterLike, Score

Item = tuple[int, AdapterLike | None, list[int], list[int]]
"""(index, adapter, prompt ids, completion ids)"""


@final
class Scorer:
    """Scores items that stand on one head."""

    def __init__(self, model: Model, items: list[Item], room: Room) -> None:
        self.model, self.tokens = model, room.tokens
        self.items = sorted(items, key=lambda item: item[1].hash if item[1] else "")
        self.table = AdapterTable(model, [item[1] for item in items], room.slots)

    @torch.inference_mode()
    def run(self) -> Iterator[tuple[int, Score]]:
        """Yield each item's score with its index."""
        part: list[Item] = []
        slots: list[int] = []
        held = 0
        for item in self.items:
            size = len(item[2]) + len(item[3])
            slot = self.table.take(item[1])
            if slot is None or (part and held + size > self.tokens):
                yield from self._score(part, slots)
                for used in slots:
                    self.table.release(used)
                part, slots, held = [], [], 0
                slot = self.table.take(item[1]) if slot is None else slot
            assert slot is not None
            part.append(item)
            slots.append(slot)
            held += size
        yield from self._score(part, slots)

    def _score(self, part: list[Item], slots: list[int]) -> Iterator[tuple[int, Score]]:
        if not part:
            return
        device = self.model.device
        rows = [prompt + completion for _, _, prompt, completion in part]
        layout = Rows.of([len(row) for row in rows], device)
        slot_N = [slot for slot, row in zip(slots, rows, strict=True) for _ in row]
        ids_N = torch.tensor([i for row in rows for i in row], device=device)
        self.model.run.use(self.table.bank, self.table.slots(slot_N, device))
        hidden_NH = self.model.hidden(ids_N, Pass(layout))
        self.model.run.use(None, None)
        starts = [0]
        for row in rows:
            starts.append(starts[-1] + len(row))
        at = [n - 1 for s, (_, _, prompt, completion) in zip(starts, part, strict=False)
              for n in range(s + max(1, len(prompt)), s + len(prompt) + len(completion))]  # fmt: skip
        at_L = torch.tensor(at, device=device, dtype=torch.long)
        values = log_probabilities(hidden_NH[at_L], self.model.head, ids_N[at_L + 1]).tolist() if at else []
        for index, _, prompt, completion in part:
            count = len(completion) if prompt else max(0, len(completion) - 1)
            own, values = values[:count], values[count:]
            yield index, Score(sum(own), tuple(own))
