"""Attention over packed rows, with or without a key-value cache; plugged into any transformers decoder.

Registered as the attention implementation `selfedit`: a model that is loaded with it hands us its packed
queries, keys and values [1, heads, N, D] and, among its keyword arguments, the `Pass` that says which rows
these are. Knows nothing of adapters, tokens or losses.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, final

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers.modeling_utils import AttentionInterface

from selfedit.engine.layout import Rows, Steps
from selfedit.errors import EngineError

NAME = "selfedit"
SHORT = 64
"""Rows up to this length are attended to by plain batched products on a processor: they fit its cache."""


@final
class Cache:
    """Keys and values [cache row, heads, K, D] of every layer, which never move. Rows can be copied."""

    def __init__(self, rows: int, capacity: int) -> None:
        self.rows, self.capacity = rows, capacity
        self.layers: dict[int, tuple[Tensor, Tensor]] = {}

    def layer(self, index: int, like: Tensor) -> tuple[Tensor, Tensor]:
        if index not in self.layers:
            shape = (self.rows, like.shape[1], self.capacity, like.shape[2])
            self.layers[index] = (like.new_zeros(shape), like.new_zeros(shape))
        return self.layers[index]

    def copy(self, source: int, targets: list[int], length: int) -> None:
        """Copy the first `length` tokens of one cache row to others."""
        for pair in self.layers.values():
            for t in pair:
                t[targets, :, :length] = t[source, :, :length]


@final
@dataclass(frozen=True)
class Pass:
    """One forward pass: its packed rows, and where they lie in a cache (none: rows stand alone)."""

    rows: Rows | Steps
    cache: Cache | None = None
    cache_row_B: Tensor | None = None
    """Cache row of each row; None: row b is cache row b."""
    masks: dict[int | None, Tensor] = field(default_factory=dict[int | None, Tensor])
    """Masks made during this pass, by window; every layer of a kind shares one."""

    barriers: dict[int | None, Tensor] = field(default_factory=dict[int | None, Tensor])
    """The same for fresh short rows, to be added to their scores."""

    def mask(self, window: int | None) -> Tensor:
        """[B, 1, T, K] booleans: what each query may see."""
        if window not in self.masks:
            self.masks[window] = _mask(self.rows, window)
        return self.masks[window]

    def barrier(self, window: int | None) -> Tensor:
        """[T, T]: minus infinity where a fresh row's query may not see."""
        if window not in self.barriers:
            longest, device = self.rows.longest, self.rows.device
            seen = torch.ones(longest, longest, dtype=torch.bool, device=device).tril()
            if window is not None:
                seen = seen.triu(1 - window)
            self.barriers[window] = torch.zeros(longest, longest, device=device).masked_fill(
                ~seen, -torch.inf
            )
        return self.barriers[window]


def attend(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Any = None, **kwargs: Any
) -> Any:
    """The attention function: [1, heads, N, D] → [1, N, heads, D]. Causal within each row."""
    work: Pass = kwargs["selfedit_pass"]
    if kwargs.get("softcap") is not None or kwargs.get("s_aux") is not None:
        raise EngineError(f"{type(module).__name__}: attention with soft-capping or sinks is not supported")
    q, k, v = (t[0].transpose(0, 1) for t in (query, key, value))
    window = kwargs.get("sliding_window")
    layer = module.layer_idx
    if work.cache is not None:
        _remember(work, layer, k, v)
    if work.rows.fresh:
        out = _alone(work, (q, k, v), kwargs.get("scaling"), window)
    else:
        out = _with_cache(work, layer, q, kwargs.get("scaling"), window)
    return out.unsqueeze(0), None


def _remember(work: Pass, layer: int, k_NhD: Tensor, v_NhD: Tensor) -> None:
    assert work.cache is not None
    keys, values = work.cache.layer(layer, k_NhD)
    row_N = work.rows.row_N if work.cache_row_B is None else work.cache_row_B[work.rows.row_N]
    keys[row_N, :, work.rows.position_N] = k_NhD
    values[row_N, :, work.rows.position_N] = v_NhD


def _alone(work: Pass, qkv: tuple[Tensor, Tensor, Tensor], scale: float | None, window: int | None) -> Tensor:
    """Rows that attend to themselves only. Right padding is never seen by a causal query."""
    rows = work.rows
    if qkv[0].device.type == "cpu" and qkv[0].dtype != torch.bfloat16 and rows.longest <= SHORT:
        short_q, short_k, short_v = (rows.pad(t) for t in qkv)
        return rows.pack(_short(short_q, short_k, short_v, work.barrier(window), scale))
    q, k, v = (rows.pad(t).transpose(1, 2) for t in qkv)
    mask = work.mask(window) if window is not None and rows.longest > window else None
    grouped = q.shape[1] != k.shape[1]
    kind = q.dtype
    if q.device.type == "cpu" and kind == torch.bfloat16:
        q, k, v = q.float(), k.float(), v.float()  # the processor's bfloat16 backward is 7 times slower
    out = F.scaled_dot_product_attention(
        q, k, v, attn_mask=mask, is_causal=mask is None, scale=scale, enable_gqa=grouped
    )
    return rows.pack(out.to(kind).transpose(1, 2))


class _Short(torch.autograd.Function):
    """Attention of short rows as batched products: q [B, M, D] and k, v [B, T, D], M queries a key head."""

    @staticmethod
    def forward(ctx: Any, q: Tensor, k: Tensor, v: Tensor, barrier_MT: Tensor, scale: float) -> Tensor:
        weight_BMT = torch.baddbmm(barrier_MT, q, k.transpose(1, 2), alpha=scale).softmax(-1)
        ctx.save_for_backward(q, k, v, weight_BMT)
        ctx.scale = scale
        return torch.bmm(weight_BMT, v)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        q, k, v, weight_BMT = ctx.saved_tensors
        slope = torch.bmm(grads[0], v.transpose(1, 2))
        slope = torch.ops.aten._softmax_backward_data(slope, weight_BMT, -1, slope.dtype).mul_(ctx.scale)
        dv = torch.bmm(weight_BMT.transpose(1, 2), grads[0])
        return torch.bmm(slope, k), torch.bmm(slope.transpose(1, 2), q), dv, None, None


def _short(q_BThD: Tensor, k_BTgD: Tensor, v_BTgD: Tensor, barrier_TT: Tensor, scale: float | None) -> Tensor:
    rows, tokens, heads, size = q_BThD.shape
    groups = k_BTgD.shape[2]
    share = heads // groups
    q = q_BThD.view(rows, tokens, groups, share, size).permute(0, 2, 3, 1, 4).reshape(rows * groups, -1, size)
    k, v = (t.transpose(1, 2).reshape(rows * groups, tokens, size) for t in (k_BTgD, v_BTgD))
    barrier = barrier_TT.to(q.dtype).repeat(share, 1)
    out = _Short.apply(q, k, v, barrier, size**-0.5 if scale is None else scale)
    out = out.view(rows, groups, share, tokens, size).permute(0, 3, 1, 2, 4)
    return out.reshape(rows, tokens, heads, size)


def _with_cache(work: Pass, layer: int, q_NhD: Tensor, scale: float | None, window: int | None) -> Tensor:
    """Rows that also attend to what the cache holds of them."""
    assert work.cache is not None
    rows, count, total = work.rows, work.rows.batch, work.rows.total
    keys, values = work.cache.layer(layer, q_NhD)
    if work.cache_row_B is None:
        k, v = keys[:count, :, :total], values[:count, :, :total]
    else:
        k, v = keys[work.cache_row_B, :, :total], values[work.cache_row_B, :, :total]
    q = rows.pad(q_NhD)
    return rows.pack(_grouped(q, k, v, work.mask(window), scale))


def _grouped(
    q_BThD: Tensor, k_BgKD: Tensor, v_BgKD: Tensor, mask_B1TK: Tensor, scale: float | None
) -> Tensor:
    """Queries of heads that share a key head are folded into its query axis: keys are not repeated."""
    rows, tokens, heads, size = q_BThD.shape
    groups = k_BgKD.shape[1]
    share = heads // groups
    q = q_BThD.view(rows, tokens, groups, share, size).permute(0, 2, 3, 1, 4).reshape(rows, groups, -1, size)
    mask = mask_B1TK.repeat(1, 1, share, 1)
    out = F.scaled_dot_product_attention(q, k_BgKD, v_BgKD, attn_mask=mask, scale=scale)
    out = out.view(rows, groups, share, tokens, size).permute(0, 3, 1, 2, 4)
    return out.reshape(rows, tokens, heads, size)


def _mask(rows: Rows | Steps, window: int | None) -> Tensor:
    query_BT = rows.start_B[:, None] + torch.arange(rows.longest, device=rows.device)
    key_K = torch.arange(rows.total, device=rows.device)
    seen = key_K <= query_BT[..., None]
    if window is not None:
        seen &= key_K > query_BT[..., None] - window
    return seen.unsqueeze(1)


AttentionInterface.register(NAME, attend)
