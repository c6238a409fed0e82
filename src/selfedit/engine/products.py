"""Products of packed tokens with the matrices of their own adapter slots, in three ways.

`Padded` lays the tokens of each slot on a grid and multiplies it as one batch. `Grouped` leaves them packed
and lets one kernel go from slot to slot (accelerators). `Cells` is a grid told by tensors alone, so that a
step can be recorded once and replayed while rows come and go (decoding). Knows nothing of layers.
"""

from __future__ import annotations

from typing import final

import torch
import torch.nn.functional as F
from torch import Tensor

from selfedit.engine.bank import Bank, Spec
from selfedit.engine.layout import Slots

ALIGNED = 8
"""Grouped products want strides of 16 bytes: widths and ranks are multiples of this many numbers."""


def can_group(like: Tensor, specs: list[Spec]) -> bool:
    """Whether grouped products of weights like these run here, by a kernel of the device's own."""
    if like.device.type != "cuda" or like.dtype != torch.bfloat16 or not hasattr(F, "grouped_mm"):
        return False
    return torch.cuda.get_device_capability(like.device) >= (8, 0) and aligned(specs)


def aligned(specs: list[Spec]) -> bool:
    return all(spec.inputs % ALIGNED == 0 and spec.outputs % ALIGNED == 0 for spec in specs)


@final
class Padded:
    """A grid [A, S, ...] with zeros where a slot has fewer tokens."""

    def __init__(self, bank: Bank, slots: Slots, first: int = 0) -> None:
        self.bank, self.slots = bank, slots
        self.used = slice(first, first + len(slots.counts))
        """The bank's slots that these tokens belong to."""

    def gather(self, x_NI: Tensor) -> Tensor:
        """The tokens that have an adapter, slot by slot."""
        return self.slots.spread(x_NI)

    def times(self, x_ASI: Tensor, w_AIO: Tensor) -> Tensor:
        """Each slot's tokens times its matrix."""
        return torch.bmm(x_ASI, w_AIO)

    def scaled(self, h_ASR: Tensor) -> Tensor:
        """Each slot's tokens times its scale, in place."""
        return h_ASR.mul_(self.bank.scale_A[self.used, None, None])

    def add(self, y_NO: Tensor, h_ASR: Tensor, w_ARO: Tensor) -> None:
        """y += h @ w for the tokens that have an adapter, in place."""
        self.slots.add(y_NO, h_ASR, w_ARO)

    def outer(self, grad_AXY: Tensor, left_ASX: Tensor, right_ASY: Tensor) -> None:
        """grad += leftᵀ @ right for each slot, in the gradient's own type."""
        if grad_AXY.dtype == left_ASX.dtype:
            grad_AXY.baddbmm_(left_ASX.transpose(1, 2), right_ASY)
        else:
            grad_AXY.add_(torch.bmm(left_ASX.transpose(1, 2), right_ASY))

    def put(self, y_NO: Tensor, x_ASO: Tensor) -> None:
        """y += x, where every token has an adapter."""
        y_NO += x_ASO.reshape(-1, x_ASO.shape[-1])[self.slots.cell_M]


@final
class Grouped:
    """Tokens packed in slot order, here [S, ...]. The slots' ends lie on the device: nothing waits for it."""

    def __init__(self, bank: Bank, slots: Slots, first: int = 0) -> None:
        self.bank, self.slots = bank, slots
        self.used = slice(first, first + len(slots.counts))
        self.scale_S1 = bank.scale_A[self.used].index_select(0, slots.slot_M)[:, None]

    def gather(self, x_NI: Tensor) -> Tensor:
        return x_NI if self.slots.token_M is None else x_NI.index_select(0, self.slots.token_M)

    def times(self, x_SI: Tensor, w_AIO: Tensor) -> Tensor:
        return F.grouped_mm(x_SI, w_AIO, offs=self.slots.end_A)

    def scaled(self, h_SR: Tensor) -> Tensor:
        return h_SR.mul_(self.scale_S1)

    def add(self, y_NO: Tensor, h_SR: Tensor, w_ARO: Tensor) -> None:
        part = self.times(h_SR, w_ARO)
        if self.slots.token_M is None:
            y_NO.add_(part)
        else:
            y_NO.index_add_(0, self.slots.token_M, part)

    def outer(self, grad_AXY: Tensor, left_SX: Tensor, right_SY: Tensor) -> None:
        """Tokens are the strided axis of both sides, so that a slot may have any number of them."""
        grad_AXY.add_(F.grouped_mm(left_SX.t(), right_SY, offs=self.slots.end_A))


@final
class Cells:
    """A grid whose every cell names a row, for one-token rows: only the tensors' shapes shape the work.

    Cells that stand for no row have scale 0, and so has the cell of a row without an adapter.
    """

    def __init__(self, bank: Bank, row_C: Tensor, scale_AS1: Tensor, cell_B: Tensor) -> None:
        self.bank, self.row_C, self.scale_AS1, self.cell_B = bank, row_C, scale_AS1, cell_B
        self.used = slice(0, scale_AS1.shape[0])

    def gather(self, x_BI: Tensor) -> Tensor:
        return x_BI.index_select(0, self.row_C).view(*self.scale_AS1.shape[:2], -1)

    def times(self, x_ASI: Tensor, w_AIO: Tensor) -> Tensor:
        return torch.bmm(x_ASI, w_AIO)

    def scaled(self, h_ASR: Tensor) -> Tensor:
        return h_ASR.mul_(self.scale_AS1)

    def add(self, y_BO: Tensor, h_ASR: Tensor, w_ARO: Tensor) -> None:
        y_BO.add_(torch.bmm(h_ASR, w_ARO).view(-1, y_BO.shape[-1]).index_select(0, self.cell_B))


def chosen(bank: Bank, slots: Slots, first: int, group: bool) -> Padded | Grouped:
    """Grouped where it may be and tokens are uneven: even slots are a grid already.

    Gradients of a slot without tokens are left to the grid, where they are zero by construction.
    """
    if group and not slots.even and (bank.grads is None or all(slots.counts)):
        return Grouped(bank, slots, first)
    return Padded(bank, slots, first)
