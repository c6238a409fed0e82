"""Many adapters summed up in one: the nearest of a given rank, or one that loses nothing.

A sum of adapters has at most the sum of their ranks, so its singular values come from QR of the stacked
factors; the full matrix is formed only where the factors together are as large. All in float64 on one
thread. Knows nothing of heads, bases or files.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from selfedit.engine.lora import Adapter, AdapterMeta
from selfedit.engine.streaming import parts

EXACT = 1e-9
"""A share of an update that float32 cannot tell from nothing."""
BUFFER = 64 << 20
"""Bytes of factors that are read at once."""

Progress = Callable[[int, int], None]


@final
@dataclass(frozen=True)
class Summed:
    """One adapter in the place of several, and how far it is from their sum."""

    adapter: Adapter
    full_rank: int
    """The rank from which on nothing is lost."""
    overall: float
    """‖sum − adapter‖ / ‖sum‖ (Frobenius) over all layers together, measured on the float32 factors."""
    errors: Mapping[str, float]
    """The same of each layer."""

    @property
    def worst(self) -> tuple[str, float]:
        """The layer that is furthest off."""
        return max(self.errors.items(), key=lambda item: item[1])


@torch.no_grad()
def summed(
    adapters: Items[Adapter],
    *,
    rank: int | None = None,
    error: float | None = None,
    base: str = "",
    progress: Progress = lambda done, total: None,
) -> Summed:
    """The adapters' sum as one adapter, which names `base` as its own.

    Of at most `rank`; or of the least rank with which no layer is further off than `error`; without either
    of the sum's own rank. All layers get the same rank, as serving engines want it. Raises AdapterError for
    files that are damaged.
    """
    names = tuple(dict.fromkeys(name for adapter in adapters for name in adapter.modules))
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        found: dict[str, _Parts] = {}
        for name, update in _updates(adapters):
            found[name] = _parts(update, rank)
            progress(len(found), 2 * len(names))
        needed = max(1, *(part.needed(EXACT if error is None else error) for part in found.values()))
        made = needed if rank is None else min(rank, needed)
        lost: dict[str, _Loss] = {}
        for name, update in _updates(adapters):
            found[name] = found[name].cut(made)
            lost[name] = _Loss(update.norm(), update.distance(found[name]))
            progress(len(names) + len(lost), 2 * len(names))
    finally:
        torch.set_num_threads(before)
    meta = AdapterMeta(names, base=base, transposed=any(each.meta.transposed for each in adapters))
    return Summed(
        adapter=_adapter(found, made, meta),
        full_rank=max(1, *(part.full for part in found.values())),
        overall=_Loss(_root(each.norm for each in lost.values()), _root(e.gap for e in lost.values())).share,
        errors={name: each.share for name, each in lost.items()},
    )


def _root(values: Iterable[float]) -> float:
    return math.sqrt(sum(value * value for value in values))


def _adapter(parts: Mapping[str, _Parts], rank: int, meta: AdapterMeta) -> Adapter:
    weights: dict[str, Tensor] = {}
    for name, part in parts.items():
        spare = rank - part.a_RI.shape[0]
        weights[f"{name}.lora_A.weight"] = torch.nn.functional.pad(part.a_RI, (0, 0, 0, spare))
        weights[f"{name}.lora_B.weight"] = torch.nn.functional.pad(part.b_OR, (0, spare))
    return Adapter(rank, rank, weights, meta)


# -- one layer ---------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class _Parts:
    """A layer's update as B [O, R] A [R, I] in float32, its largest singular values first."""

    b_OR: Tensor
    a_RI: Tensor
    tails: Tensor
    """For each rank from 0: the norm of what is lost with it."""

    def needed(self, error: float) -> int:
        """The least rank that loses no more than `error` of the update."""
        return int((self.tails > error * self.tails[0]).sum())

    @property
    def full(self) -> int:
        return self.needed(EXACT)

    def cut(self, rank: int) -> _Parts:
        """The first `rank` singular values alone."""
        return _Parts(self.b_OR[:, :rank].contiguous(), self.a_RI[:rank].contiguous(), self.tails)


@final
@dataclass(frozen=True)
class _Loss:
    """The norm of an update, and of what is missing of it."""

    norm: float
    gap: float

    @property
    def share(self) -> float:
        return self.gap / self.norm if self.norm else 0.0


def _parts(update: _Factors | _Whole, rank: int | None) -> _Parts:
    u_OK, s_K, v_KI = update.svd()
    tails = s_K.flip(0).square().cumsum(0).flip(0).sqrt()
    root = s_K.sqrt()
    found = _Parts((u_OK * root).float(), (root[:, None] * v_KI).float(), tails)
    return found.cut(found.full if rank is None else min(rank, found.full))


def _updates(adapters: Items[Adapter]) -> Iterator[tuple[str, _Factors | _Whole]]:
    """Each layer with the sum of what the adapters add to it; of files only parts are in memory."""
    ranks: dict[str, int] = defaultdict(int)
    for adapter in adapters:
        for name in adapter.modules:
            ranks[name] += adapter.rank
    sums: dict[str, _Sum] = {}
    for part in parts(adapters, BUFFER):
        for number, pairs in enumerate(part.pairs, part.first):
            for name, (a_RI, b_OR) in pairs.items():
                held = sums.setdefault(name, _Sum(ranks[name]))
                held.add(adapters[number].scale, _wide(a_RI), _wide(b_OR))
        if part.last:
            yield from ((name, sums.pop(name).update()) for name in part.modules)


def _wide(factor: Tensor) -> Tensor:
    return factor.to("cpu", torch.float64, copy=True)


@final
class _Sum:
    """A layer's update as it grows: factors side by side, or one matrix where those would be larger."""

    def __init__(self, rank: int) -> None:
        self.rank = rank
        """Of all factors together."""
        self._factors: list[tuple[Tensor, Tensor]] = []
        self._whole: Tensor | None = None

    def add(self, scale: float, a_RI: Tensor, b_OR: Tensor) -> None:
        if self.rank < min(b_OR.shape[0], a_RI.shape[1]):
            self._factors.append((scale * b_OR, a_RI))
            return
        if self._whole is None:
            self._whole = b_OR.new_zeros(b_OR.shape[0], a_RI.shape[1])
        self._whole.addmm_(b_OR, a_RI, alpha=scale)

    def update(self) -> _Factors | _Whole:
        if self._whole is not None:
            return _Whole(self._whole)
        return _Factors(torch.cat([b for b, _ in self._factors], 1), torch.cat([a for _, a in self._factors]))


@final
@dataclass(frozen=True)
class _Factors:
    """An update as B [O, K] A [K, I], K less than O and I."""

    b_OK: Tensor
    a_KI: Tensor

    def svd(self) -> tuple[Tensor, Tensor, Tensor]:
        left, right = torch.linalg.qr(self.b_OK), torch.linalg.qr(self.a_KI.t())
        u_KK, s_K, v_KK = torch.linalg.svd(left.R @ right.R.t())
        return left.Q @ u_KK, s_K, v_KK @ right.Q.t()

    def norm(self) -> float:
        return _norm(self.b_OK, self.a_KI)

    def distance(self, parts: _Parts) -> float:
        b, a = parts.b_OR.double(), parts.a_RI.double()
        return _norm(torch.cat([self.b_OK, -b], 1), torch.cat([self.a_KI, a]))


@final
@dataclass(frozen=True)
class _Whole:
    """An update as a matrix [O, I]."""

    matrix_OI: Tensor

    def svd(self) -> tuple[Tensor, Tensor, Tensor]:
        return tuple(torch.linalg.svd(self.matrix_OI, full_matrices=False))

    def norm(self) -> float:
        return float(self.matrix_OI.norm())

    def distance(self, parts: _Parts) -> float:
        return float((self.matrix_OI - parts.b_OR.double() @ parts.a_RI.double()).norm())


def _norm(b_OK: Tensor, a_KI: Tensor) -> float:
    """The Frobenius norm of B A, without forming it."""
    return float((torch.linalg.qr(b_OK).R @ torch.linalg.qr(a_KI.t()).R.t()).norm())
