"""Cross-entropy over the tokens that bear loss, in chunks: no logits are kept, none made where it is masked.

The output head is frozen, so the gradient for the hidden states is made in the same visit as the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

CHUNK_NUMBERS = 1 << 24
"""Logits held at once: 64 MiB in float32."""


class _TokenLoss(torch.autograd.Function):
    """(hidden_NH, head, target_N, weight_N) → negative log-likelihood of each token, times its weight."""

    @staticmethod
    def forward(ctx: Any, hidden_NH: Tensor, head: OutputHead, target_N: Tensor, weight_N: Tensor) -> Tensor:
        loss_N = torch.empty(
            len(target_N), dtype=torch.promote_types(hidden_NH.dtype, torch.float32), device=hidden_NH.device
        )
        grad_NH = torch.empty_like(hidden_NH)
        for part in head.chunks(len(target_N)):
            logits_CV = head.logits(hidden_NH[part])
            log_norm_C = torch.logsumexp(logits_CV, -1)
            target_C1 = target_N[part, None]
            loss_N[part] = (log_norm_C - logits_CV.gather(1, target_C1)[:, 0]) * weight_N[part]
            slope_CV = logits_CV.sub_(log_norm_C[:, None]).exp_()
            slope_CV.scatter_add_(1, target_C1, -torch.ones_like(target_C1, dtype=slope_CV.dtype))
            slope_CV.mul_(weight_N[part, None])
            grad_NH[part] = head.backward(slope_CV, hidden_NH[part])
        ctx.save_for_backward(grad_NH)
        return loss_N

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad_NH,) = ctx.saved_tensors
        return grad_NH * grads[0][:, None].to(grad_NH.dtype), None, None, None


class OutputHead:
    """The frozen projection from hidden states to logits, with the soft-capping that some models have."""

    def __init__(self, weight_VH: Tensor, bias_V: Tensor | None, softcap: float | None) -> None:
        self.weight_VH, self.bias_V, self.softcap = weight_VH, bias_V, softcap

    def chunks(self, count: int) -> list[slice]:
        size = max(1, CHUNK_NUMBERS // self.weight_VH.shape[0])
        return [slice(i, min(i + size, count)) for i in range(0, count, size)]

    def logits(self, hidden_CH: Tensor) -> Tensor:
        """[C, H] → [C, V], in float32 or better."""
        logits = torch.nn.functional.linear(hidden_CH, self.weight_VH, self.bias_V)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    def backward(self, slope_CV: Tensor, hidden_CH: Tensor) -> Tensor:
        """Gradient for the hidden states, given that for the (soft-capped) logits."""
        if self.softcap is not None:
            raw = torch.nn.functional.linear(hidden_CH, self.weight_VH, self.bias_V).to(slope_CV.dtype)
            slope_CV = slope_CV * (1 - torch.tanh(raw / self.softcap).square())
        return slope_CV.to(self.weight_VH.dtype) @ self.weight_VH


def token_losses(hidden_NH: Tensor, head: OutputHead, target_N: Tensor, weight_N: Tensor) -> Tensor:
    """Weighted negative log-likelihood of each target [N], differentiable in the hidden states."""
    return _TokenLoss.apply(hidden_NH, head, target_N, weight_N)  # type: ignore[no-any-return]


@torch.no_grad()
def log_probabilities(hidden_NH: Tensor, head: OutputHead, target_N: Tensor) -> Tensor:
    """Log-probability of each target [N] in nats."""
    parts = []
    for part in head.chunks(len(target_N)):
        logits_CV = head.logits(hidden_NH[part])
        parts.append(logits_CV.gather(1, target_N[part, None])[:, 0] - torch.logsumexp(logits_CV, -1))
    return torch.cat(parts)
