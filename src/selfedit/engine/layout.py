"""How rows of text lie in memory: packed, one after another, without padding.

Axes, for every file of this room:
A adapter slot, B row, T token of a row, N packed token (all rows end to end), S token of a slot,
H hidden, I input features, O output features, R rank, V vocabulary, K cached token, D head size.

Knows nothing of models, adapters' values or losses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar, final

import torch
from torch import Tensor

Item = TypeVar("Item")


def passes(work: Sequence[Item], length: Callable[[Item], int], tokens: int) -> Iterator[list[Item]]:
    """Rows of like length together, at most `tokens` of them in a pass; a longer row goes alone."""
    part: list[Item] = []
    held = 0
    for item in sorted(work, key=length):
        if part and held + length(item) > tokens:
            yield part
            part, held = [], 0
        part.append(item)
        held += length(item)
    if part:
        yield part


@final
@dataclass(frozen=True)
class Rows:
    """B rows packed into N tokens. `starts` counts the tokens that each row already has in a cache."""

    lengths: tuple[int, ...]
    starts: tuple[int, ...]
    device: torch.device

    @staticmethod
    def of(lengths: Sequence[int], device: torch.device, starts: Sequence[int] | None = None) -> Rows:
        return Rows(tuple(lengths), tuple(starts or [0] * len(lengths)), device)

    @property
    def batch(self) -> int:
        return len(self.lengths)

    @cached_property
    def total(self) -> int:
        """Tokens of the longest row, cached ones counted."""
        return max(start + n for start, n in zip(self.starts, self.lengths, strict=True))

    @cached_property
    def longest(self) -> int:
        return max(self.lengths)

    @cached_property
    def even(self) -> bool:
        """All rows are of one length, so that packing is a view."""
        return len(set(self.lengths)) == 1

    @cached_property
    def fresh(self) -> bool:
        """No row has anything in a cache."""
        return not any(self.starts)

    @cached_property
    def start_B(self) -> Tensor:
        return torch.tensor(self.starts, device=self.device)

    @cached_property
    def position_N(self) -> Tensor:
        """Position of each packed token within its own row, cached tokens counted."""
        spans = [torch.arange(start, start + n) for start, n in zip(self.starts, self.lengths, strict=True)]
        return torch.cat(spans).to(self.device)

    @cached_property
    def cell_N(self) -> Tensor:
        """Where each packed token lies in a padded [B·T] grid."""
        spans = [torch.arange(n) + row * self.longest for row, n in enumerate(self.lengths)]
        return torch.cat(spans).to(self.device)

    @cached_property
    def row_N(self) -> Tensor:
        return torch.repeat_interleave(torch.arange(len(self.lengths)), torch.tensor(self.lengths)).to(
            self.device
        )

    @cached_property
    def last_B(self) -> Tensor:
        """Index of each row's last packed token."""
        return (torch.tensor(self.lengths).cumsum(0) - 1).to(self.device)

    def pad(self, x_Nx: Tensor) -> Tensor:
        """[N, ...] → [B, T, ...], zeros where a row has no token (never another row's values)."""
        shape = (len(self.lengths), self.longest, *x_Nx.shape[1:])
        if self.even:
            return x_Nx.reshape(shape)
        grid = x_Nx.new_zeros(shape[0] * shape[1], *shape[2:])
        return grid.index_copy(0, self.cell_N, x_Nx).reshape(shape)

    def pack(self, x_BTx: Tensor) -> Tensor:
        """[B, T, ...] → [N, ...]."""
        flat = x_BTx.reshape(-1, *x_BTx.shape[2:])
        return flat if self.even else flat.index_select(0, self.cell_N)


@final
@dataclass(frozen=True)
class Steps:
    """B rows of one token each, with the face of `Rows`. Their positions are told by a tensor alone, which is
    written anew for every step: only B and `total` shape the work."""

    position_N: Tensor
    row_N: Tensor
    total: int
    """No position is as large as this."""

    longest = 1
    fresh = False

    @property
    def device(self) -> torch.device:
        return self.position_N.device

    @property
    def batch(self) -> int:
        return len(self.position_N)

    @property
    def start_B(self) -> Tensor:
        return self.position_N

    def pad(self, x_Nx: Tensor) -> Tensor:
        """[N, ...] → [B, 1, ...]"""
        return x_Nx.unsqueeze(1)

    def pack(self, x_BTx: Tensor) -> Tensor:
        """[B, 1, ...] → [N, ...]"""
        return x_BTx.squeeze(1)


@final
@dataclass(frozen=True)
class Slots:
    """Which packed tokens belong to which adapter slot: `counts[a]` tokens of slot a, in slot order.

    With `token_M` only those M packed tokens (in slot order) have an adapter at all; None: all of them do,
    and they lie in slot order already.
    """

    counts: tuple[int, ...]
    device: torch.device
    token_M: Tensor | None = None

    @cached_property
    def longest(self) -> int:
        return max(self.counts)

    @cached_property
    def even(self) -> bool:
        return len(set(self.counts)) == 1

    @cached_property
    def cell_M(self) -> Tensor:
        spans = [torch.arange(n) + slot * self.longest for slot, n in enumerate(self.counts)]
        return torch.cat(spans).to(self.device)

    @cached_property
    def slot_M(self) -> Tensor:
        """The slot of each token that has one."""
        each = torch.repeat_interleave(torch.arange(len(self.counts)), torch.tensor(self.counts))
        return each.to(self.device)

    @cached_property
    def end_A(self) -> Tensor:
        """Where each slot's tokens end."""
        return torch.tensor(self.counts).cumsum(0).to(self.device, torch.int32)

    def spread(self, x_Nx: Tensor) -> Tensor:
        """[N, X] → [A, S, X], zeros where a slot has fewer tokens."""
        x_Mx = x_Nx if self.token_M is None else x_Nx.index_select(0, self.token_M)
        shape = (len(self.counts), self.longest, x_Nx.shape[-1])
        if self.even:
            return x_Mx.reshape(shape)
        grid = x_Mx.new_zeros(shape[0] * shape[1], shape[2])
        return grid.index_copy_(0, self.cell_M, x_Mx).reshape(shape)

    def add(self, y_NX: Tensor, h_ASR: Tensor, w_ARX: Tensor) -> None:
        """y += h @ w for the tokens that have an adapter, in place."""
        if self.even and self.token_M is None:
            y_NX.view(len(self.counts), self.longest, -1).baddbmm_(h_ASR, w_ARX)
            return
        flat = torch.bmm(h_ASR, w_ARX).reshape(-1, y_NX.shape[-1])
        part = flat if self.even else flat.index_select(0, self.cell_M)
        if self.token_M is None:
            y_NX.add_(part)
        else:
            y_NX.index_add_(0, self.token_M, part)
