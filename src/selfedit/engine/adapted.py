"""The linear layer that adapters change, forward and backward.

Knows nothing of losses, optimisers' rules, text or rewards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, final

import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from selfedit.engine.bank import Bank, Spec
from selfedit.engine.frozen import FrozenMatrix
from selfedit.engine.layout import Slots
from selfedit.engine.products import ALIGNED, Cells, Grouped, Padded, chosen
from selfedit.types import rng_for


@final
class Run:
    """What the adapted layers apply at this moment; owned and changed by the engine alone."""

    def __init__(self, anchor: Tensor) -> None:
        self.products: Padded | Grouped | Cells | None = None
        self.dropout: Dropout | None = None
        self.pack = False
        """Whether frozen weights may be kept in a second, faster layout."""
        self.group = False
        """Whether adapters' products may be grouped; ranks are rounded up for it."""
        self.watch: Callable[[str, Tensor], None] | None = None
        """Told each input [N, I] that is read, by the name of the first of the layers that read it."""
        self.anchor = anchor
        """Needs a gradient, so that layers whose input needs none are differentiated all the same."""

    def use(
        self, bank: Bank | None, slots: Slots | None, first: int = 0, dropout: Dropout | None = None
    ) -> None:
        """Apply a bank's slots, from `first` on, to the packed tokens that `slots` tells; or nothing."""
        self.products, self.dropout = None, dropout
        if bank is not None and slots is not None:
            self.products = chosen(bank, slots, first, self.group and dropout is None)

    def place(self, cells: Cells | None) -> None:
        """Apply adapters to the rows that `cells` tells; or nothing."""
        self.products, self.dropout = cells, None

    def rounded(self, rank: int) -> int:
        """The rank that a bank has for adapters of up to `rank`."""
        return -(-rank // ALIGNED) * ALIGNED if self.group else rank

    def adapted(self, layers: Iterable[AdaptedLinear]) -> tuple[int, ...]:
        """Which of the layers have an adapter now."""
        if self.products is None:
            return ()
        return tuple(at for at, layer in enumerate(layers) if layer.name in self.products.bank.specs)


@final
class AdaptedLinear(nn.Module):
    """A frozen linear layer, plus what each token's adapter adds: y = x Wᵀ + b + s (x Aᵀ) Bᵀ."""

    def __init__(self, name: str, base: nn.Linear | Conv1D, run: Run) -> None:
        super().__init__()
        self.name, self.run = name, run
        self.transposed = isinstance(base, Conv1D)
        """The weight is [I, O] (GPT-2), not [O, I]."""
        self.weight = nn.Parameter(base.weight.detach(), requires_grad=False)
        bias: Tensor | None = getattr(base, "bias", None)
        self.bias = None if bias is None else nn.Parameter(bias.detach(), requires_grad=False)
        self.siblings = Siblings([self])
        self._frozen: tuple[Tensor, FrozenMatrix] | None = None

    @property
    def spec(self) -> Spec:
        shape = self.weight.shape
        inputs, outputs = shape if self.transposed else shape[::-1]
        return Spec(self.name, inputs, outputs, self.transposed, self.siblings.name)

    @property
    def in_features(self) -> int:
        return self.spec.inputs

    @property
    def out_features(self) -> int:
        return self.spec.outputs

    def use(self, weight: nn.Parameter) -> None:
        """Apply another weight from now on; layouts that were made of the old one are let go."""
        self.weight, self._frozen = weight, None

    def frozen(self) -> FrozenMatrix:
        """The weight as it is now (a head may have replaced it)."""
        if (
            self._frozen is None
            or self._frozen[0] is not self.weight
            or self._frozen[1].asked != self.run.pack
        ):
            matrix_OI = self.weight.t() if self.transposed else self.weight
            self._frozen = (self.weight, FrozenMatrix(matrix_OI, self.bias, self.run.pack))
        return self._frozen[1]

    def forward(self, x: Tensor) -> Tensor:
        return self.siblings.output(self, x)


@final
class Siblings:
    """Layers that read one input, such as query, key and value: the first one's call computes them all.

    The others pick their results up. What adapters do to the shared input is then done once.
    """

    def __init__(self, layers: Iterable[AdaptedLinear]) -> None:
        self.layers = tuple(layers)
        self.name = self.layers[0].name
        self._input: Tensor | None = None
        self._ready: dict[str, Tensor] = {}

    def output(self, layer: AdaptedLinear, x: Tensor) -> Tensor:
        if self._input is not x or layer.name not in self._ready:
            x_NI = x.reshape(-1, x.shape[-1])
            if layer.run.watch is not None:
                layer.run.watch(self.name, x_NI)
            found = _outputs(x_NI, self.layers, layer.run)
            self._input = x
            self._ready = {each.name: y_NO for each, y_NO in zip(self.layers, found, strict=True)}
        y_NO = self._ready.pop(layer.name)
        if not self._ready:
            self._input = None
        return y_NO.view(*x.shape[:-1], -1)


def _outputs(x_NI: Tensor, layers: tuple[AdaptedLinear, ...], run: Run) -> Sequence[Tensor]:
    if not torch.is_grad_enabled():
        return _apply(x_NI, layers, run)[0]
    if run.dropout is None:
        return _Adapted.apply(x_NI, run.anchor, layers, run)  # type: ignore[no-any-return]
    return [_Adapted.apply(x_NI, run.anchor, (layer,), run)[0] for layer in layers]


def _apply(
    x_NI: Tensor, layers: tuple[AdaptedLinear, ...], run: Run
) -> tuple[list[Tensor], Tensor | None, Tensor | None]:
    """(y [N, O] of each layer, x as adapters saw it [S, I], s·x Aᵀ [S, kR] of the k adapted)."""
    found = [layer.frozen().times(x_NI) for layer in layers]
    adapted, products = run.adapted(layers), run.products
    if not adapted or products is None:
        return found, None, None
    bank, used = products.bank, products.used
    x_SI = products.gather(x_NI)
    if run.dropout is not None:
        x_SI = run.dropout.drop(layers[0].name, x_SI)
    a_ARI = bank.values.stack(tuple(layers[at].name for at in adapted))[used]
    h_SR = products.scaled(products.times(x_SI, a_ARI.transpose(1, 2)))
    for at, h in zip(adapted, h_SR.split(bank.rank, -1), strict=True):
        products.add(found[at], h, bank.values.b(layers[at].name)[used].transpose(1, 2))
    return found, x_SI, h_SR


class _Adapted(torch.autograd.Function):
    """Sibling layers with gradients. Those of A and B go to the bank's buffer, never through autograd."""

    @staticmethod
    def forward(
        ctx: Any, x_NI: Tensor, anchor: Tensor, layers: tuple[AdaptedLinear, ...], run: Run
    ) -> tuple[Tensor, ...]:
        found, x_SI, h_SR = _apply(x_NI, layers, run)
        ctx.layers, ctx.run = layers, run
        if h_SR is not None:
            ctx.save_for_backward(x_SI, h_SR)
        return tuple(found)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        layers: tuple[AdaptedLinear, ...] = ctx.layers
        dy = [grad.contiguous() for grad in grads]
        dx_NI: Tensor | None = None
        if ctx.needs_input_grad[0]:
            for layer, dy_NO in zip(layers, dy, strict=True):
                dx_NI = layer.frozen().back(dy_NO, dx_NI)
        if ctx.saved_tensors:
            _backward(ctx, dy, dx_NI)
        return dx_NI, None, None, None


def _backward(ctx: Any, dy: list[Tensor], dx_NI: Tensor | None) -> None:
    """Gradients of A and B into the bank's buffer, and the adapters' part of the input's into `dx`."""
    x_SI, h_SR = ctx.saved_tensors
    run: Run = ctx.run
    products = run.products
    assert isinstance(products, Padded | Grouped)
    bank, used = products.bank, products.used
    assert bank.grads is not None
    adapted = run.adapted(ctx.layers)
    names = tuple(ctx.layers[at].name for at in adapted)
    steps: list[Tensor] = []
    for name, at, h in zip(names, adapted, h_SR.split(bank.rank, -1), strict=True):
        dy_SO = products.gather(dy[at])
        steps.append(products.times(dy_SO, bank.values.b(name)[used]))
        products.outer(bank.grads.b(name)[used], dy_SO, h)
    t_SR = products.scaled(steps[0] if len(steps) == 1 else torch.cat(steps, -1))
    products.outer(bank.grads.stack(names)[used], t_SR, x_SI)
    if dx_NI is None:
        return
    a_ARI = bank.values.stack(names)[used]
    if run.dropout is None:
        products.add(dx_NI, t_SR, a_ARI)
    else:
        assert isinstance(products, Padded)
        products.put(dx_NI, run.dropout.drop(names[0], products.times(t_SR, a_ARI)))


@final
class Dropout:
    """LoRA's input dropout, drawn per slot from (seed, step, layer) alone: company does not matter."""

    def __init__(self, rates: Iterable[float], streams: Iterable[str]) -> None:
        self.rates, self.streams = tuple(rates), tuple(streams)

    def drop(self, layer: str, x_ASI: Tensor) -> Tensor:
        """Drop inputs; called again in the backward pass, it drops the same ones."""
        kept = torch.ones_like(x_ASI)
        for slot, (rate, stream) in enumerate(zip(self.rates, self.streams, strict=True)):
            if rate:
                kept[slot] = self._mask(rate, f"{stream}/{layer}", x_ASI[slot])
        return x_ASI * kept

    def _mask(self, rate: float, stream: str, like_SI: Tensor) -> Tensor:
        """Token by token in order, so that a slot padded to another length keeps its own draws."""
        generator = torch.Generator().manual_seed(rng_for("dropout", stream).getrandbits(63))
        draws = torch.rand(like_SI.shape, generator=generator, dtype=torch.float32)
        return (draws >= rate).to(like_SI) / (1 - rate)
