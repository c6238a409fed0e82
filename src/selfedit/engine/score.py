"""Teacher-forced log-probabilities of given completions, many rows and adapters in one pass. No decoding.

Completions of one prompt (the answers among which a question chooses) share it: the prompt is read once, and
they go on from what the cache holds of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import final

import torch
from torch import Tensor

from selfedit.engine.attention import Cache, Pass
from selfedit.engine.layout import Rows
from selfedit.engine.loss import log_probabilities
from selfedit.engine.model import Model
from selfedit.engine.scarcity import Room
from selfedit.engine.table import AdapterTable
from selfedit.types import AdapterLike, Score

Item = tuple[int, AdapterLike | None, list[int], list[int]]
"""(index, adapter, prompt ids, completion ids)"""
Group = list[Item]
"""Items of one adapter and one prompt."""
SHARED = 16
"""Completions that are read beside one another after their prompt; more of them read it again."""


@final
@dataclass(frozen=True)
class Row:
    """Tokens that are read one after another, some of them after `start` cached ones."""

    slot: int
    ids: list[int]
    start: int = 0


@final
class Scorer:
    """Scores items that stand on one head."""

    def __init__(self, model: Model, items: list[Item], room: Room) -> None:
        self.model, self.tokens = model, room.tokens
        self.groups = list(_groups(items))
        self.table = AdapterTable(model, [item[1] for item in items], room.slots)

    @torch.inference_mode()
    def run(self) -> Iterator[tuple[int, Score]]:
        """Yield each item's score with its index."""
        part: list[tuple[int, Group]] = []
        held = 0
        for group in self.groups:
            size = _size(group)
            slot = self.table.take(group[0][1])
            if slot is None or (part and held + size > self.tokens):
                yield from self._score(part)
                for used, _ in part:
                    self.table.release(used)
                part, held = [], 0
                slot = self.table.take(group[0][1]) if slot is None else slot
            assert slot is not None
            part.append((slot, group))
            held += size
        yield from self._score(part)

    def _score(self, part: list[tuple[int, Group]]) -> Iterator[tuple[int, Score]]:
        alone = [(slot, group[0]) for slot, group in part if len(group) == 1]
        shared = [(slot, group) for slot, group in part if len(group) > 1]
        if alone:
            yield from self._alone(alone)
        if shared:
            yield from self._shared(shared)

    def _alone(self, part: list[tuple[int, Item]]) -> Iterator[tuple[int, Score]]:
        """Prompt and completion in one row."""
        hidden_NH = self._read([Row(slot, [*item[2], *item[3]]) for slot, item in part])
        at: list[int] = []
        begin = 0
        for _, (_, _, prompt, completion) in part:
            end = begin + len(prompt) + len(completion)
            at += range(begin + max(1, len(prompt)) - 1, end - 1)
            begin = end
        targets = [i for _, (_, _, prompt, completion) in part for i in completion[not prompt :]]
        values = self._values(hidden_NH[torch.tensor(at, dtype=torch.long, device=hidden_NH.device)], targets)
        for _, (index, _, prompt, completion) in part:
            yield index, _taken(values, len(completion) - (not prompt))

    def _shared(self, part: list[tuple[int, Group]]) -> Iterator[tuple[int, Score]]:
        """The prompts, then what comes after each: the last token of a completion is never read."""
        stems = [Row(slot, group[0][2]) for slot, group in part]
        leaves = [
            Row(s, item[3][:-1], len(item[2])) for s, group in part for item in group if len(item[3]) > 1
        ]
        longest = max(len(item[2]) + len(item[3]) for _, group in part for item in group)
        cache = Cache(len(leaves) + len(stems), longest)
        stem_NH = self._read(stems, cache, len(leaves))
        ends = torch.tensor([len(row.ids) for row in stems], device=stem_NH.device).cumsum(0) - 1
        self._copy(cache, part, len(leaves))
        leaf_NH = self._read(leaves, cache) if leaves else stem_NH[:0]
        hidden: list[Tensor] = []
        begin = 0
        for at, (_, group) in enumerate(part):
            for _, _, _, completion in group:
                more = max(0, len(completion) - 1)
                hidden += [stem_NH[ends[at]][None], leaf_NH[begin : begin + more]] if completion else []
                begin += more
        targets = [i for _, group in part for item in group for i in item[3]]
        values = self._values(torch.cat(hidden) if hidden else stem_NH[:0], targets)
        for _, group in part:
            for index, _, _, completion in group:
                yield index, _taken(values, len(completion))

    def _copy(self, cache: Cache, part: list[tuple[int, Group]], leaves: int) -> None:
        """What the cache holds of each prompt, to the rows of its completions."""
        begin = 0
        for at, (_, group) in enumerate(part):
            count = sum(len(item[3]) > 1 for item in group)
            cache.copy(leaves + at, list(range(begin, begin + count)), len(group[0][2]))
            begin += count

    def _read(self, rows: list[Row], cache: Cache | None = None, first: int = 0) -> Tensor:
        """Hidden states [N, H] of rows; with a cache, of its rows from `first`."""
        device = self.model.device
        layout = Rows.of([len(row.ids) for row in rows], device, [row.start for row in rows])
        slot_N = [row.slot for row in rows for _ in row.ids]
        ids_N = torch.tensor([i for row in rows for i in row.ids], device=device)
        place_B = torch.arange(first, first + len(rows), device=device) if first else None
        self.model.run.use(self.table.bank, self.table.slots(slot_N, device))
        try:
            return self.model.hidden(ids_N, Pass(layout, cache, place_B))
        finally:
            self.model.run.use(None, None)

    def _values(self, hidden_LH: Tensor, targets: list[int]) -> list[float]:
        target_L = torch.tensor(targets, dtype=torch.long, device=hidden_LH.device)
        return log_probabilities(hidden_LH, self.model.head, target_L).tolist() if targets else []


def _groups(items: list[Item]) -> Iterator[Group]:
    """Items that share adapter and prompt, so many at a time; an empty prompt is not shared."""

    def key(item: Item) -> tuple[str, list[int]]:
        return (item[1].hash if item[1] else "", item[2])

    for (_, prompt), found in groupby(sorted(items, key=key), key):
        group = list(found)
        step = SHARED if prompt else 1
        yield from (group[at : at + step] for at in range(0, len(group), step))


def _size(group: Group) -> int:
    """Tokens that are read or cached for it."""
    if len(group) == 1:
        return len(group[0][2]) + len(group[0][3])
    return (len(group) + 1) * max(len(item[2]) + len(item[3]) for item in group)


def _taken(values: list[float], count: int) -> Score:
    """The next values, which are taken off the front."""
    own = values[: max(0, count)]
    del values[: max(0, count)]
    return Score(sum(own), tuple(own))
