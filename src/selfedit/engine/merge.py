"""Heads: a base with adapters merged into it, as a left fold in float32 with one cast at the end.

Always from the pristine base and on one thread, so that the same history gives bit-identical weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import final

import torch
from torch import Tensor, nn

from selfedit.engine.lora import Adapter
from selfedit.engine.model import Model
from selfedit.errors import EngineError
from selfedit.types import Head


@torch.no_grad()
def merged(weight: Tensor, transposed: bool, pairs: Sequence[tuple[float, Tensor, Tensor]]) -> Tensor:
    """`weight` plus s·B A for each (s, A [R, I], B [O, R]) in order; float32 or better, cast at the end."""
    wide = torch.promote_types(weight.dtype, torch.float32)
    total = weight.to(wide, copy=True)
    matrix_OI = total.t() if transposed else total
    for scale, a_RI, b_OR in pairs:
        matrix_OI.addmm_(b_OR.to(total), a_RI.to(total), alpha=scale)
    return total.to(weight.dtype)


@final
class Heads:
    """The pristine base, and at most one head materialised beside it."""

    def __init__(self, model: Model, base: str) -> None:
        self.model, self.base = model, base
        self.pristine = {name: layer.weight for name, layer in model.layers.items()}
        self.active: str | None = None

    def activate(self, head: Head | None) -> None:
        """Make the model's weights those of `head` (None: the base)."""
        wanted = head.id if head is not None and head.adapters else None
        if wanted == self.active:
            return
        for name, weight in self.pristine.items():
            self.model.layers[name].weight = weight
        self.active = None
        if head is not None and wanted is not None:
            self._merge(head)
            self.active = wanted

    def _merge(self, head: Head) -> None:
        if head.base != self.base:
            raise EngineError(
                f"head {head.id[:12]} stands on another base; load the base that it was made on"
            )
        adapters = [adapter for adapter in head.adapters if isinstance(adapter, Adapter)]
        if len(adapters) != len(head.adapters):
            raise EngineError(f"head {head.id[:12]}: its adapters must be the engine's; load them first")
        before = torch.get_num_threads()
        torch.set_num_threads(1)
        try:
            self._fold([(adapter, adapter.tensors()) for adapter in adapters])
        finally:
            torch.set_num_threads(before)

    def _fold(self, loaded: list[tuple[Adapter, dict[str, Tensor]]]) -> None:
        for name, weight in self.pristine.items():
            a, b = f"{name}.lora_A.weight", f"{name}.lora_B.weight"
            pairs = [(adapter.scale, tensors[a], tensors[b]) for adapter, tensors in loaded if a in tensors]
            if pairs:
                layer = self.model.layers[name]
                layer.weight = nn.Parameter(merged(weight, layer.transposed, pairs), requires_grad=False)
