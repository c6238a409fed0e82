"""Adapters that requests name, made resident in a bank. Knows nothing of decoding or scoring."""

from __future__ import annotations

from collections.abc import Iterable
from typing import final

import torch
from torch import Tensor

from selfedit.engine.bank import Bank
from selfedit.engine.layout import Slots
from selfedit.engine.lora import Adapter
from selfedit.engine.model import Model
from selfedit.errors import AdapterError
from selfedit.types import AdapterLike


@final
class AdapterTable:
    """A bank whose slots hold the adapters now in use. Slots in use are counted by `take` and `release`."""

    def __init__(self, model: Model, adapters: Iterable[AdapterLike | None], limit: int) -> None:
        found = {a.hash: engine_adapter(a) for a in adapters if a is not None}
        self.adapters = found
        self.bank: Bank | None = None
        self.slot_of: dict[str, int] = {}
        self.users: list[int] = []
        if found:
            named = {name for adapter in found.values() for name in adapter.modules}
            missing = sorted(named - set(model.layers))
            if missing:
                raise AdapterError(
                    f"an adapter names the layer {missing[0]}, which this base lacks; use its own base"
                )
            names = [name for name in model.layers if name in named]
            rank = max(adapter.rank for adapter in found.values())
            self.users = [0] * min(limit, len(found))
            self.bank = model.bank(names, len(self.users), rank)

    def take(self, adapter: AdapterLike | None) -> int | None:
        """The slot of an adapter, loaded if need be; -1 for no adapter; None while all slots are used."""
        if adapter is None:
            return -1
        slot = self.slot_of.get(adapter.hash)
        if slot is None:
            slot = next((s for s, users in enumerate(self.users) if users == 0), None)
            if slot is None:
                return None
            self._load(slot, adapter)
        self.users[slot] += 1
        return slot

    def _load(self, slot: int, adapter: AdapterLike) -> None:
        assert self.bank is not None
        self.slot_of = {name: s for name, s in self.slot_of.items() if s != slot}
        self.bank.write(slot, self.adapters[adapter.hash])
        self.slot_of[adapter.hash] = slot

    def release(self, slot: int) -> None:
        if slot >= 0:
            self.users[slot] -= 1

    def slots(self, slot_N: list[int], device: torch.device) -> Slots | None:
        """How packed tokens map to slots, given each token's slot (-1: none)."""
        if self.bank is None or all(slot < 0 for slot in slot_N):
            return None
        order = sorted((n for n, slot in enumerate(slot_N) if slot >= 0), key=lambda n: slot_N[n])
        counts = [0] * (max(slot_N) + 1)
        for slot in slot_N:
            if slot >= 0:
                counts[slot] += 1
        in_place = order == list(range(len(slot_N)))
        token_M: Tensor | None = None if in_place else torch.tensor(order, device=device)
        return Slots(tuple(counts), device, token_M)


def engine_adapter(adapter: AdapterLike) -> Adapter:
    if not isinstance(adapter, Adapter):
        raise AdapterError(
            f"adapter {adapter.hash[:12]} is only a name; load it with selfedit.engine.Adapter.load"
        )
    return adapter
