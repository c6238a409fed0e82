"""Cross-entropy with a divergence from a frozen reference, over the tokens that bear both, in chunks.

Of the reference only its last hidden states are held. No head changes the output projection, so its logits
are made anew of them beside the model's own, chunk by chunk, and gone again. The gradient for the model's
hidden states is made in the same visit. Knows nothing of plans, heads or rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, final

import torch
from torch import Tensor

from selfedit.engine.loss import OutputHead
from selfedit.types import Divergence


@final
@dataclass(frozen=True, eq=False)
class Pull:
    """What draws a row towards a reference: for each token, `weight` × the divergence from it."""

    divergence: Divergence
    weight: float
    states_LH: Tensor
    """The reference's last hidden states where the row bears loss, in main memory."""
    home: bool
    """The reference is the very head that the row is trained on."""


@final
@dataclass(frozen=True, eq=False)
class Pulls:
    """The same for N tokens of many rows."""

    divergence: Divergence
    weight_N: Tensor
    states_NH: Tensor


class _PulledLoss(torch.autograd.Function):
    """(hidden_NH, head, target_N, weight_N, pulls) → loss of each token."""

    @staticmethod
    def forward(
        ctx: Any, hidden_NH: Tensor, head: OutputHead, target_N: Tensor, weight_N: Tensor, pulls: Pulls
    ) -> Tensor:
        visit = {"reverse": _reverse, "forward": _forward}[pulls.divergence]
        loss_N = torch.empty(
            len(target_N), dtype=torch.promote_types(hidden_NH.dtype, torch.float32), device=hidden_NH.device
        )
        grad_NH = torch.empty_like(hidden_NH)
        for part in head.chunks(len(target_N), blocks=2):
            mine_CV, theirs_CV = (_normalised(head.logits(t[part])) for t in (hidden_NH, pulls.states_NH))
            target_C1 = target_N[part, None]
            weight_C1, pull_C1 = (t[part, None].to(mine_CV.dtype) for t in (weight_N, pulls.weight_N))
            nll_C1 = -mine_CV.gather(1, target_C1)
            apart_C1, slope_CV = visit(mine_CV, theirs_CV, weight_C1, pull_C1)
            loss_N[part] = (weight_C1 * nll_C1 + pull_C1 * apart_C1)[:, 0]
            slope_CV.scatter_add_(1, target_C1, -weight_C1)
            grad_NH[part] = head.backward(slope_CV, hidden_NH[part])
        ctx.save_for_backward(grad_NH)
        return loss_N

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        (grad_NH,) = ctx.saved_tensors
        return grad_NH * grads[0][:, None].to(grad_NH.dtype), None, None, None, None


def _normalised(logits_CV: Tensor) -> Tensor:
    """Log-probabilities, in place."""
    return logits_CV.sub_(torch.logsumexp(logits_CV, -1, keepdim=True))


def _reverse(mine_CV: Tensor, theirs_CV: Tensor, weight_C1: Tensor, pull_C1: Tensor) -> tuple[Tensor, Tensor]:
    """KL(p ‖ q) and the slope w p + pull p (log p - log q - KL), of log p and log q; both are used up."""
    ratio_CV = torch.sub(mine_CV, theirs_CV, out=theirs_CV)
    p_CV = mine_CV.exp_()
    apart_C1 = torch.linalg.vecdot(p_CV, ratio_CV)[:, None]
    slope_CV = ratio_CV.sub_(apart_C1).mul_(pull_C1).add_(weight_C1).mul_(p_CV)
    return apart_C1, slope_CV


def _forward(mine_CV: Tensor, theirs_CV: Tensor, weight_C1: Tensor, pull_C1: Tensor) -> tuple[Tensor, Tensor]:
    """KL(q ‖ p) and the slope (w + pull) p - pull q, of log p and log q; both are used up."""
    ratio_CV = theirs_CV - mine_CV
    q_CV, p_CV = theirs_CV.exp_(), mine_CV.exp_()
    apart_C1 = torch.linalg.vecdot(q_CV, ratio_CV)[:, None]
    slope_CV = p_CV.mul_(weight_C1 + pull_C1).sub_(q_CV.mul_(pull_C1))
    return apart_C1, slope_CV


def pulled_losses(
    hidden_NH: Tensor, head: OutputHead, target_N: Tensor, weight_N: Tensor, pulls: Pulls
) -> Tensor:
    """Weighted negative log-likelihood of each target [N] and what pulls it, differentiable in the hidden
    states."""
    return _PulledLoss.apply(hidden_NH, head, target_N, weight_N, pulls)  # type: ignore[no-any-return]
