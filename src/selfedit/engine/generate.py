"""Decoding many rows at once, each with its own adapter, over one key-value cache.

Rows that finish free their place for the next request. A prompt that several rows share is computed once, and
so is a beginning that prompts of one adapter have in common. Knows nothing of probes, edits or rewards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import final

import torch
from torch import Tensor

from selfedit.engine.attention import Cache, Pass
from selfedit.engine.layout import Rows, Slots
from selfedit.engine.model import Model, Tokens
from selfedit.engine.sampling import Grammar, choose
from selfedit.engine.scarcity import Room
from selfedit.engine.step import Recorder, StaticStep
from selfedit.engine.table import AdapterTable
from selfedit.types import Completion, FinishReason, GenerationRequest

Prompted = tuple[int, GenerationRequest, list[int]]
"""(index, request, prompt ids)"""

SHARED = 16
"""A common beginning shorter than this is not worth a pass of its own."""


@final
@dataclass
class Row:
    """A request being decoded. Its place in the decoder's list is its row of the cache."""

    index: int
    request: GenerationRequest
    prompt: list[int]
    slot: int
    grammar: Grammar | None
    written: list[int] = field(default_factory=list[int])
    logprob: float = 0.0
    text: str = ""
    finish: FinishReason | None = None

    @property
    def cached(self) -> int:
        """Tokens in the cache: the prompt, and all that was written but the last."""
        return len(self.prompt) + max(0, len(self.written) - 1)

    @property
    def key(self) -> tuple[int, tuple[int, ...]]:
        return self.slot, tuple(self.prompt)


@final
class Decoder:
    """Decodes requests that stand on one head."""

    def __init__(
        self,
        model: Model,
        tokens: Tokens,
        work: list[Prompted],
        room: Room,
        recorder: Recorder | None = None,
    ) -> None:
        self.model, self.tokens, self.room = model, tokens, room
        self.waiting = sorted(work, key=lambda w: w[1].adapter.hash if w[1].adapter else "")
        self.table = AdapterTable(model, [request.adapter for _, request, _ in work], room.slots)
        capacity = max(len(prompt) + request.max_tokens for _, request, prompt in work)
        self.cache = Cache(min(room.rows, len(work)), capacity)
        self.active: list[Row] = []
        self.step = None if recorder is None else StaticStep(model, self.table.bank, self.cache, recorder)
        self.moved = True
        """Rows came or went since the last step."""
        self.decode_slots: Slots | None = None

    @torch.inference_mode()
    def run(self, on_done: Callable[[int], None]) -> Iterator[tuple[int, Completion]]:
        """Yield completions as they finish, with the request's index."""
        while self.waiting or self.active:
            free = self.cache.rows - len(self.active)
            if self.waiting and (not self.active or free >= max(1, self.cache.rows // 8)):
                self._admit(free)
            if self.active and not any(row.finish for row in self.active):
                self._decode()
            for row in self._leave():
                on_done(1)
                yield row.index, Completion(row.text, tuple(row.written), row.finish or "length", row.logprob)

    # -- rows come and go ----------------------------------------------------------------------------------

    def _admit(self, free: int) -> None:
        fresh: list[Row] = []
        left: list[Prompted] = []
        for at, (index, request, prompt) in enumerate(self.waiting):
            if len(fresh) == free:
                left += self.waiting[at:]
                break
            slot = self.table.take(request.adapter)
            if slot is None:
                left.append((index, request, prompt))
                continue
            fresh.append(Row(index, request, prompt, slot, self._grammar(request)))
        self.waiting = left
        if fresh:
            first = len(self.active)
            self.active += fresh
            self._append(fresh, self._prefill(fresh, first))
            self.moved = True

    def _grammar(self, request: GenerationRequest) -> Grammar | None:
        return (
            None if request.grammar is None else Grammar(request.grammar, self.tokens.ends, self.tokens.text)
        )

    def _leave(self) -> list[Row]:
        """Take finished rows out; the last rows move into their places."""
        gone = [row for row in self.active if row.finish]
        for row in gone:
            at = self.active.index(row)
            last = self.active.pop()
            if last is not row:
                self.cache.copy(len(self.active), [at], last.cached)
                self.active[at] = last
            self.table.release(row.slot)
        self.moved = self.moved or bool(gone)
        return gone

    # -- forward passes ------------------------------------------------------------------------------------

    def _prefill(self, rows: list[Row], first: int) -> Tensor:
        """Logits [B, V] after each prompt; equal prompts are computed once, and common beginnings too."""
        groups: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
        for at, row in enumerate(rows, first):
            groups[row.key].append(at)
        leaders = [members[0] for members in groups.values()]
        shared = self._beginnings(leaders)
        logits: dict[int, Tensor] = {}
        for with_beginning in (False, True):
            chosen = [at for at in leaders if (shared[at] > 0) == with_beginning]
            for part in self._parts(chosen, shared):
                spans = [(at, shared[at], self.active[at].prompt[shared[at] :]) for at in part]
                logits.update(zip(part, self._forward(spans), strict=True))
        for members in groups.values():
            if members[1:]:
                self.cache.copy(members[0], members[1:], len(self.active[members[0]].prompt))
                logits.update(dict.fromkeys(members[1:], logits[members[0]]))
        return torch.stack([logits[at] for at in range(first, first + len(rows))])

    def _beginnings(self, leaders: list[int]) -> dict[int, int]:
        """Compute what prompts of one adapter share; returns how many tokens each row now has cached."""
        shared = dict.fromkeys(leaders, 0)
        by_slot: dict[int, list[int]] = defaultdict(list)
        for at in leaders:
            by_slot[self.active[at].slot].append(at)
        found = [
            cluster
            for members in by_slot.values()
            for cluster in _clusters({at: self.active[at].prompt for at in members})
        ]
        lengths = {members[0]: length for members, length in found}
        for part in self._parts(
            list(lengths), {at: len(self.active[at].prompt) - n for at, n in lengths.items()}
        ):
            self._forward([(at, 0, self.active[at].prompt[: lengths[at]]) for at in part])
        for members, length in found:
            self.cache.copy(members[0], members[1:], length)
            shared.update(dict.fromkeys(members, length))
        return shared

    def _parts(self, chosen: list[int], shared: dict[int, int]) -> Iterator[list[int]]:
        part, held = list[int](), 0
        for at in chosen:
            size = len(self.active[at].prompt) - shared[at]
            if part and held + size > self.room.tokens:
                yield part
                part, held = [], 0
            part, held = [*part, at], held + size
        if part:
            yield part

    def _forward(self, spans: list[tuple[int, int, list[int]]]) -> Tensor:
        """Feed (cache row, tokens already cached, new tokens); logits [B, V] after the last of each."""
        device = self.model.device
        rows = Rows.of([len(ids) for _, _, ids in spans], device, [start for _, start, _ in spans])
        slot_N = [self.active[at].slot for at, _, ids in spans for _ in ids]
        cache_row_B = torch.tensor([at for at, _, _ in spans], device=device)
        ids_N = torch.tensor([i for _, _, ids in spans for i in ids], device=device)
        self.model.run.use(self.table.bank, self.table.slots(slot_N, device))
        hidden_NH = self.model.hidden(ids_N, Pass(rows, self.cache, cache_row_B))
        self.model.run.use(None, None)
        return self.model.head.logits(hidden_NH[rows.last_B])

    def _decode(self) -> None:
        """One token more for every active row."""
        if self.moved:
            slots = [row.slot for row in self.active]
            self.decode_slots = self.table.slots(slots, self.model.device)
            if self.step is not None:
                self.step.arrange(slots)
            self.moved = False
        tokens, positions = [row.written[-1] for row in self.active], [row.cached for row in self.active]
        logits_BV = None if self.step is None else self.step.logits(tokens, positions)
        self._append(self.active, self._plain(tokens, positions) if logits_BV is None else logits_BV)

    def _plain(self, tokens: list[int], positions: list[int]) -> Tensor:
        """A step that is laid out anew: logits [B, V]."""
        device = self.model.device
        rows = Rows.of([1] * len(tokens), device, positions)
        self.model.run.use(self.table.bank, self.decode_slots)
        hidden_BH = self.model.hidden(torch.tensor(tokens, device=device), Pass(rows, self.cache))
        self.model.run.use(None, None)
        return self.model.head.logits(hidden_BH)

    # -- tokens --------------------------------------------------------------------------------------------

    def _append(self, rows: list[Row], logits_BV: Tensor) -> None:
        positions = [len(row.written) for row in rows]
        picked = choose(logits_BV, [row.request for row in rows], positions, [row.grammar for row in rows])
        for row, choice in zip(rows, picked, strict=True):
            row.written.append(choice.token)
            row.logprob += choice.logprob
            if row.grammar is not None:
                row.grammar.push(choice.token)
            self._settle(row)

    def _settle(self, row: Row) -> None:
        """Decide whether a row is done, and its text if so."""
        if row.written[-1] in self.tokens.ends:
            row.finish, row.text = "stop", self.tokens.text(row.written[:-1])
        elif row.request.stop:
            text = self.tokens.text(row.written)
            cut = min((text.find(stop) for stop in row.request.stop if stop and stop in text), default=-1)
            if cut >= 0:
                row.finish, row.text = "stop", text[:cut]
        if row.finish is None and len(row.written) >= row.request.max_tokens:
            row.finish, row.text = "length", self.tokens.text(row.written)


def _clusters(prompts: dict[int, list[int]]) -> list[tuple[list[int], int]]:
    """Groups of prompts that begin alike, each with the length of what it shares; loners are left out.

    In sorted order neighbours share most. A prompt that would cost its group half of what it shares starts
    the next group.
    """
    found: list[tuple[list[int], int]] = []
    for at in sorted(prompts, key=prompts.__getitem__):
        members, length = found[-1] if found else ([], 0)
        both = _common([prompts[members[-1]], prompts[at]]) if members else 0
        room = both if len(members) == 1 else min(both, length)
        if room >= SHARED and 2 * room >= length:
            found[-1] = ([*members, at], room)
        else:
            found.append(([at], 0))
    return [(members, length) for members, length in found if len(members) > 1]


def _common(prompts: list[list[int]]) -> int:
    """Length of the longest common beginning that leaves every prompt at least one token of its own."""
    shortest = min(map(len, prompts)) - 1
    first, last = min(prompts), max(prompts)
    return next((i for i in range(shortest) if first[i] != last[i]), max(0, shortest))
