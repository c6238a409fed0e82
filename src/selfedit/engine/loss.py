"""Cross-entropy over the tokens that bear loss, in chunks: no logits are kept, none made where it is masked.

The output head is frozen, so the gradient for the hidden states is made in the same visit as the loss.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from selfedit.engine.frozen import FrozenMatrix

CHUNK_NUMBERS = 1 << 22
"""Logits held at once on a processor: 16 MiB in float32. Larger blocks are mapped anew each time."""
DEVICE_NUMBERS = 1 << 27
"""The same on an accelerator."""


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
            target_C1, weight_C1 = target_N[part, None], weight_N[part, None].to(logits_CV.dtype)
            chosen_C1 = logits_CV.gather(1, target_C1)
            peak_C1 = logits_CV.amax(-1, keepdim=True)
            slope_CV = logits_CV.sub_(peak_C1).exp_()
            sum_C1 = slope_CV.sum(-1, keepdim=True)
            loss_N[part] = ((sum_C1.log() + peak_C1 - chosen_C1) * weight_C1)[:, 0]
            slope_CV.mul_(weight_C1 / sum_C1).scatter_add_(1, target_C1, -weight_C1)
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
        self.matrix = FrozenMatrix(weight_VH, bias_V, pack=False)

    def pack(self) -> None:
        self.matrix = FrozenMatrix(self.weight_VH, self.bias_V, pack=True)

    def chunks(self, count: int, blocks: int = 1) -> list[slice]:
        """Parts of so many tokens that `blocks` of logits at once are no more than is meant to be held."""
        numbers = CHUNK_NUMBERS if self.weight_VH.device.type == "cpu" else DEVICE_NUMBERS
        size = max(1, numbers // (blocks * self.weight_VH.shape[0]))
        return [slice(i, min(i + size, count)) for i in range(0, count, size)]

    def logits(self, hidden_CH: Tensor) -> Tensor:
        """[C, H] → [C, V], in float32 or better."""
        logits = self.matrix.times(hidden_CH)
        logits = logits.to(torch.promote_types(logits.dtype, torch.float32))
        return logits if self.softcap is None else self.softcap * torch.tanh(logits / self.softcap)

    def backward(self, slope_CV: Tensor, hidden_CH: Tensor) -> Tensor:
        """Gradient for the hidden states, given that for the (soft-capped) logits."""
        if self.softcap is not None:
            raw = self.matrix.times(hidden_CH).to(slope_CV.dtype)
            slope_CV = slope_CV * (1 - torch.tanh(raw / self.softcap).square())
        return self.matrix.back(slope_CV.to(self.weight_VH.dtype))


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
