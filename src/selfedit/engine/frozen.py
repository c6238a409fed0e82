"""Products with a frozen matrix, laid out once for the processor's widest kernel where that pays.

On float32 processors oneDNN's packed layout runs some 1.3 to 1.6 times faster than a plain product. It costs
a second copy of the weights for forward passes and a third for backward ones, made when first needed. Knows
nothing of adapters or models.
"""

from __future__ import annotations

from typing import Any, final

import torch
from torch import Tensor

SMALLEST = 1 << 14
"""A matrix of fewer weights is not worth packing."""
TOKENS = 32
"""The count of tokens that a packed layout is asked for; it serves all others nearly as well."""


def can_pack(like: Tensor) -> bool:
    """Whether weights of this kind have a packed layout here."""
    return like.device.type == "cpu" and like.dtype == torch.float32 and torch.backends.mkldnn.is_available()


@final
class FrozenMatrix:
    """A frozen W [O, I] with its bias: x Wᵀ + b, and dy W for the gradient of x."""

    def __init__(self, weight_OI: Tensor, bias_O: Tensor | None, pack: bool) -> None:
        self.weight_OI, self.bias_O = weight_OI.detach(), None if bias_O is None else bias_O.detach()
        self.asked = pack
        self.packs = pack and can_pack(weight_OI) and weight_OI.numel() >= SMALLEST
        self._forward: Tensor | None = None
        self._backward: Tensor | None = None

    def times(self, x_NI: Tensor) -> Tensor:
        """[N, I] → [N, O]"""
        if not self.packs:
            return torch.nn.functional.linear(x_NI, self.weight_OI, self.bias_O)
        if self._forward is None:
            self._forward = _packed(self.weight_OI)
        return _linear(x_NI, self._forward, self.bias_O)

    def back(self, dy_NO: Tensor, onto_NI: Tensor | None = None) -> Tensor:
        """[N, O] → [N, I], added to `onto` where given (a new tensor all the same)."""
        if not self.packs:
            return dy_NO @ self.weight_OI if onto_NI is None else torch.addmm(onto_NI, dy_NO, self.weight_OI)
        if self._backward is None:
            self._backward = _packed(self.weight_OI.t())
        if onto_NI is None:
            return _linear(dy_NO, self._backward, None)
        return torch.ops.mkldnn._linear_pointwise.binary(dy_NO, onto_NI, self._backward, None, "add")


def _packed(weight_OI: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.no_grad():
        plain = weight_OI.clone(memory_format=torch.contiguous_format)
        return torch.ops.mkldnn._reorder_linear_weight(plain, TOKENS)


def _linear(x_NI: Tensor, packed: Tensor, bias_O: Tensor | None) -> Any:
    return torch.ops.mkldnn._linear_pointwise.default(x_NI, packed, bias_O, "none", [], "")
