"""LoRA adapters: one alone (PEFT's layout on disk), many stacked in a bank, and the layer that uses them.

Knows nothing of losses, optimisers' rules, text or rewards.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import math
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

from selfedit.engine.frozen import FrozenMatrix
from selfedit.engine.layout import Slots
from selfedit.errors import AdapterError, UsageError
from selfedit.types import TrainingPlan, content_hash, rng_for

PREFIX = "base_model.model."
WEIGHTS, CONFIG = "adapter_model.safetensors", "adapter_config.json"


@final
class Adapter:
    """LoRA weights that a plan produced: for each module, A [R, I] and B [O, R] in float32. Immutable.

    The weights lie in memory or in a safetensors file, from which they are read when they are needed.
    """

    def __init__(
        self, rank: int, alpha: float, weights: Mapping[str, Tensor] | Path, meta: AdapterMeta
    ) -> None:
        self.rank, self.alpha, self.meta = rank, alpha, meta
        self._weights = weights
        self.hash = meta.hash or _hash(rank, alpha, self.tensors())

    @property
    def scale(self) -> float:
        return self.alpha / self.rank

    @property
    def modules(self) -> tuple[str, ...]:
        return self.meta.modules

    @property
    def losses(self) -> tuple[float, ...]:
        """Loss of each optimiser step, where it was trained in this process."""
        return self.meta.losses

    def tensors(self) -> dict[str, Tensor]:
        """`{module}.lora_A.weight` and `{module}.lora_B.weight`, without PEFT's prefix."""
        if isinstance(self._weights, Path):
            stored = safetensors.torch.load_file(self._weights)
            return {name.removeprefix(PREFIX): t.float() for name, t in stored.items()}
        return dict(self._weights)

    def save(self, folder: str | Path) -> Path:
        """Write PEFT's layout into `folder` (made if missing); `peft.PeftModel.from_pretrained` reads it."""
        target = Path(folder)
        try:
            target.mkdir(parents=True, exist_ok=True)
            if isinstance(self._weights, Path):
                shutil.copyfile(self._weights, target / WEIGHTS)
            else:
                named = {PREFIX + name: t.contiguous() for name, t in self.tensors().items()}
                safetensors.torch.save_file(named, target / WEIGHTS, metadata={"format": "pt"})
            (target / CONFIG).write_text(json.dumps(self.peft_config(), indent=2) + "\n")
        except (OSError, safetensors.SafetensorError) as error:
            raise AdapterError(
                f"{target}: cannot write the adapter ({error}); free space, or choose another folder"
            ) from error
        return target

    def peft_config(self) -> dict[str, Any]:
        """The content of `adapter_config.json`."""
        return {
            "peft_type": "LORA",
            "task_type": "CAUSAL_LM",
            "base_model_name_or_path": self.meta.base,
            "r": self.rank,
            "lora_alpha": self.alpha,
            "lora_dropout": self.meta.dropout,
            "bias": "none",
            "target_modules": sorted(self.modules),
            "fan_in_fan_out": self.meta.transposed,
            "inference_mode": True,
            "init_lora_weights": True,
        }

    def at(self, folder: Path) -> Adapter:
        """This adapter, its weights read from `folder` (to which it was saved) when they are needed."""
        return Adapter(self.rank, self.alpha, folder / WEIGHTS, replace(self.meta, hash=self.hash))

    @staticmethod
    def load(folder: str | Path) -> Adapter:
        """Read PEFT's layout. Raises AdapterError for what is missing, broken or not a plain LoRA."""
        source = Path(folder)
        return Adapter.from_file(source / WEIGHTS, _read_config(source))

    @staticmethod
    def from_file(source: Path, config: Mapping[str, Any]) -> Adapter:
        """An adapter of one safetensors file and PEFT's configuration. Raises AdapterError."""
        try:
            with safetensors.safe_open(source, framework="pt") as file:
                names = list(file.keys())
        except (OSError, safetensors.SafetensorError) as error:
            raise AdapterError(f"{source}: cannot be read ({error}); save the adapter again") from error
        modules = {name.removeprefix(PREFIX).rsplit(".lora_", 1)[0] for name in names if ".lora_" in name}
        if not modules or len(names) != 2 * len(modules):
            raise AdapterError(
                f"{source}: not a plain LoRA; only pairs of lora_A and lora_B weights are supported"
            )
        meta = AdapterMeta(
            modules=tuple(sorted(modules)),
            base=config.get("base_model_name_or_path") or "",
            dropout=float(config.get("lora_dropout") or 0),
            transposed=bool(config.get("fan_in_fan_out")),
        )
        return Adapter(int(config["r"]), float(config["lora_alpha"]), source, meta)


@final
@dataclass(frozen=True)
class AdapterMeta:
    """What is known of an adapter beside its numbers."""

    modules: tuple[str, ...]
    base: str = ""
    dropout: float = 0.0
    transposed: bool = False
    losses: tuple[float, ...] = ()
    hash: str = ""
    plan: str = ""
    """Id of the plan that produced it, where known."""


def _read_config(folder: Path) -> dict[str, Any]:
    try:
        config = json.loads((folder / CONFIG).read_text())
    except OSError as error:
        raise AdapterError(
            f"{folder}: no adapter there ({CONFIG} cannot be read); give a PEFT folder"
        ) from error
    except ValueError as error:
        raise AdapterError(f"{folder / CONFIG}: not JSON ({error}); save the adapter again") from error
    unsupported = [
        key for key in ("use_dora", "use_rslora", "rank_pattern", "alpha_pattern") if config.get(key)
    ]
    if config.get("peft_type") != "LORA" or config.get("bias", "none") != "none":
        unsupported.append("peft_type" if config.get("peft_type") != "LORA" else "bias")
    if unsupported:
        raise AdapterError(
            f"{folder}: {', '.join(unsupported)} is not supported; use a plain LoRA without bias"
        )
    return config


def _hash(rank: int, alpha: float, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(content_hash(["adapter", rank, float(alpha)]).encode())
    for name in sorted(tensors):
        tensor = tensors[name].contiguous()
        digest.update(f"{name}{list(tensor.shape)}{tensor.dtype}".encode())
        digest.update(tensor.view(torch.uint8).numpy().data)
    return digest.hexdigest()


# -- many adapters -------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Spec:
    """One adapted linear layer: its path in the model and its shape."""

    name: str
    inputs: int
    outputs: int
    transposed: bool = False
    """Its weight is kept as [I, O] (GPT-2's Conv1D)."""
    group: str = ""
    """Layers of one group read one input; neighbours of a group have their A's side by side in a bank."""


@final
class Stack:
    """One flat row [P] of numbers for each of A slots, and views of it as the A's and B's of the layers."""

    def __init__(self, flat_AP: Tensor, specs: Iterable[Spec], rank: int) -> None:
        self.flat_AP, self.rank = flat_AP, rank
        self._at: dict[str, tuple[int, int]] = {}
        self._views: dict[str | tuple[str, ...], Tensor] = {}
        self.specs = {spec.name: spec for spec in specs}
        place = 0
        for _, group in itertools.groupby(self.specs.values(), key=lambda spec: spec.group or spec.name):
            members = list(group)
            begin = place + sum(rank * spec.inputs for spec in members)
            for spec in members:
                self._at[spec.name] = (place, begin)
                place, begin = place + rank * spec.inputs, begin + rank * spec.outputs
            place = begin

    def stack(self, names: tuple[str, ...]) -> Tensor:
        """The A's of neighbouring layers, one under the other: [A, kR, I]."""
        if names not in self._views:
            inputs, first = self.specs[names[0]].inputs, self._at[names[0]][0]
            rows = len(names) * self.rank
            flat = self.flat_AP[:, first : first + rows * inputs]
            self._views[names] = flat.view(-1, rows, inputs)
        return self._views[names]

    def a(self, name: str) -> Tensor:
        """[A, R, I]"""
        return self.stack((name,))

    def b(self, name: str) -> Tensor:
        """[A, O, R]"""
        if name not in self._views:
            outputs, first = self.specs[name].outputs, self._at[name][1]
            flat = self.flat_AP[:, first : first + outputs * self.rank]
            self._views[name] = flat.view(-1, outputs, self.rank)
        return self._views[name]


@final
class Bank:
    """A adapters stacked: one flat float32 row of weights a slot, and views [A, R, I] and [A, O, R] into it.

    Slots of smaller rank are padded with zeros, which stay zero: both gradients of a pair of zeros vanish.
    """

    def __init__(
        self, specs: Iterable[Spec], slots: int, rank: int, device: torch.device, compute: torch.dtype
    ) -> None:
        self.specs = {spec.name: spec for spec in specs}
        self.slots, self.rank = slots, rank
        self.width = sum(rank * (spec.inputs + spec.outputs) for spec in self.specs.values())
        master = compute if compute == torch.float64 else torch.float32
        self.masters = self._stack(torch.zeros(slots, self.width, dtype=master, device=device))
        self.values = self.masters if master == compute else self._stack(self.master_AP.to(compute))
        self.scale_A = torch.ones(slots, dtype=master, device=device)
        self.grads: Stack | None = None

    def _stack(self, flat_AP: Tensor) -> Stack:
        return Stack(flat_AP, self.specs.values(), self.rank)

    @property
    def master_AP(self) -> Tensor:
        """The weights that the optimiser changes."""
        return self.masters.flat_AP

    @property
    def compute_AP(self) -> Tensor:
        """The weights that products use."""
        return self.values.flat_AP

    @property
    def grad_AP(self) -> Tensor:
        assert self.grads is not None
        return self.grads.flat_AP

    def enable_gradients(self) -> None:
        self.grads = self._stack(torch.zeros_like(self.master_AP))

    def sync(self) -> None:
        """Bring the compute copy up to date with the float32 weights, where they differ in type."""
        if self.compute_AP is not self.master_AP:
            self.compute_AP.copy_(self.master_AP)

    def write(self, slot: int, adapter: Adapter) -> None:
        """Put an adapter into a slot; modules that it does not have become zero."""
        self.master_AP[slot].zero_()
        unknown = set(adapter.modules) - set(self.specs)
        if unknown:
            raise AdapterError(
                f"adapter {adapter.hash[:12]}: this base has no layer {min(unknown)}; use its own base"
            )
        tensors = adapter.tensors()
        for name in adapter.modules:
            a, b = tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"]
            view_a = self.masters.a(name)[slot, : adapter.rank]
            view_b = self.masters.b(name)[slot, :, : adapter.rank]
            if a.shape != view_a.shape or b.shape != view_b.shape:
                raise AdapterError(
                    f"adapter {adapter.hash[:12]}: {name} has another shape here; use its own base"
                )
            view_a.copy_(a)
            view_b.copy_(b)
        self.scale_A[slot] = adapter.scale
        if self.compute_AP is not self.master_AP:
            self.compute_AP[slot].copy_(self.master_AP[slot])

    def read(self, slot: int, rank: int) -> dict[str, Tensor]:
        """A slot's weights at its own rank, copied to main memory."""
        tensors: dict[str, Tensor] = {}
        for name in self.specs:
            a, b = self.masters.a(name), self.masters.b(name)
            tensors[f"{name}.lora_A.weight"] = a[slot, :rank].to("cpu", copy=True).contiguous()
            tensors[f"{name}.lora_B.weight"] = b[slot, :, :rank].to("cpu", copy=True).contiguous()
        return tensors


@final
class Run:
    """What the adapted layers apply at this moment; owned and changed by the engine alone."""

    def __init__(self, anchor: Tensor) -> None:
        self.bank: Bank | None = None
        self.slots: Slots | None = None
        self.first = 0
        """The bank's slot that slot 0 of `slots` stands for."""
        self.dropout: Dropout | None = None
        self.pack = False
        """Whether frozen weights may be kept in a second, faster layout."""
        self.anchor = anchor
        """Needs a gradient, so that layers whose input needs none are differentiated all the same."""

    def use(
        self, bank: Bank | None, slots: Slots | None, first: int = 0, dropout: Dropout | None = None
    ) -> None:
        self.bank, self.slots, self.first, self.dropout = bank, slots, first, dropout

    def adapted(self, layers: Iterable[AdaptedLinear]) -> tuple[int, ...]:
        """Which of the layers have an adapter now."""
        if self.bank is None or self.slots is None:
            return ()
        return tuple(at for at, layer in enumerate(layers) if layer.name in self.bank.specs)


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
            found = _outputs(x.reshape(-1, x.shape[-1]), self.layers, layer.run)
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
    """(y [N, O] of each layer, x as adapters saw it [A, S, I], s·x Aᵀ [A, S, kR] of the k adapted)."""
    found = [layer.frozen().times(x_NI) for layer in layers]
    adapted = run.adapted(layers)
    if not adapted:
        return found, None, None
    bank, slots = run.bank, run.slots
    assert bank is not None
    assert slots is not None
    used = slice(run.first, run.first + len(slots.counts))
    x_ASI = slots.spread(x_NI)
    if run.dropout is not None:
        x_ASI = run.dropout.drop(layers[0].name, x_ASI)
    a_ARI = bank.values.stack(tuple(layers[at].name for at in adapted))[used]
    h_ASR = torch.bmm(x_ASI, a_ARI.transpose(1, 2)).mul_(bank.scale_A[used, None, None])
    for at, h in zip(adapted, h_ASR.split(bank.rank, -1), strict=True):
        slots.add(found[at], h, bank.values.b(layers[at].name)[used].transpose(1, 2))
    return found, x_ASI, h_ASR


class _Adapted(torch.autograd.Function):
    """Sibling layers with gradients. Those of A and B go to the bank's buffer, never through autograd."""

    @staticmethod
    def forward(
        ctx: Any, x_NI: Tensor, anchor: Tensor, layers: tuple[AdaptedLinear, ...], run: Run
    ) -> tuple[Tensor, ...]:
        found, x_ASI, h_ASR = _apply(x_NI, layers, run)
        ctx.layers, ctx.run = layers, run
        if h_ASR is not None:
            ctx.save_for_backward(x_ASI, h_ASR)
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
    x_ASI, h_ASR = ctx.saved_tensors
    run: Run = ctx.run
    bank, slots = run.bank, run.slots
    assert bank is not None
    assert bank.grads is not None
    assert slots is not None
    used = slice(run.first, run.first + len(slots.counts))
    adapted = run.adapted(ctx.layers)
    names = tuple(ctx.layers[at].name for at in adapted)
    steps: list[Tensor] = []
    for name, at, h in zip(names, adapted, h_ASR.split(bank.rank, -1), strict=True):
        dy_ASO = slots.spread(dy[at])
        steps.append(torch.bmm(dy_ASO, bank.values.b(name)[used]))
        _accumulate(bank.grads.b(name)[used], dy_ASO.transpose(1, 2), h)
    t_ASR = (steps[0] if len(steps) == 1 else torch.cat(steps, -1)).mul_(bank.scale_A[used, None, None])
    _accumulate(bank.grads.stack(names)[used], t_ASR.transpose(1, 2), x_ASI)
    if dx_NI is None:
        return
    a_ARI = bank.values.stack(names)[used]
    if run.dropout is None:
        slots.add(dx_NI, t_ASR, a_ARI)
    else:
        dx_ASI = run.dropout.drop(names[0], torch.bmm(t_ASR, a_ARI))
        dx_NI += dx_ASI.reshape(-1, dx_ASI.shape[-1])[slots.cell_M]


def _accumulate(grad: Tensor, left: Tensor, right: Tensor) -> None:
    """grad += left @ right, in the gradient's own type."""
    if grad.dtype == left.dtype:
        grad.baddbmm_(left, right)
    else:
        grad.add_(torch.bmm(left, right))


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


def initial_weights(spec: Spec, plan: TrainingPlan) -> tuple[Tensor, Tensor]:
    """LoRA's start as PEFT has it (A: Kaiming uniform with a = √5; B: zero), from (seed, layer) alone."""
    generator = torch.Generator().manual_seed(
        rng_for("init", plan.seed, spec.name, plan.rank).getrandbits(63)
    )
    bound = 1 / math.sqrt(spec.inputs)
    a_RI = torch.empty(plan.rank, spec.inputs).uniform_(-bound, bound, generator=generator)
    return a_RI, torch.zeros(spec.outputs, plan.rank)


def matching(names: Iterable[str], target: str | tuple[str, ...]) -> tuple[str, ...]:
    """The linear layers that `target_modules` names: all, a regular expression, or endings of paths."""
    names = tuple(names)
    if target == "all-linear":
        return names
    if isinstance(target, str):
        try:
            found = tuple(name for name in names if re.fullmatch(target, name))
        except re.error as error:
            raise UsageError(f"target_modules {target!r}: not a regular expression ({error})") from error
    else:
        found = tuple(name for name in names if any(name == t or name.endswith("." + t) for t in target))
    if not found:
        last = sorted({name.rsplit(".", 1)[-1] for name in names})
        raise UsageError(f"target_modules {target!r}: no such layer; this model has {', '.join(last)}")
    return found
