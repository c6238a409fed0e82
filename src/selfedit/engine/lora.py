"""LoRA adapters: one alone (PEFT's layout on disk), many stacked in a bank, and the layer that uses them.

Knows nothing of losses, optimisers' rules, text or rewards.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, final

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn
from transformers.pytorch_utils import Conv1D

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
        except OSError as error:
            raise AdapterError(
                f"{target}: cannot write the adapter ({error}); choose another folder"
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
        self.master_AP = torch.zeros(slots, self.width, dtype=master, device=device)
        self.compute_AP = self.master_AP if master == compute else self.master_AP.to(compute)
        self.scale_A = torch.ones(slots, dtype=master, device=device)
        self.views = self._views(self.compute_AP)
        self.grad_AP: Tensor | None = None
        self.grads: dict[str, tuple[Tensor, Tensor]] = {}

    def _views(self, flat_AP: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
        views: dict[str, tuple[Tensor, Tensor]] = {}
        at = 0
        for spec in self.specs.values():
            n, m = self.rank * spec.inputs, self.rank * spec.outputs
            a = flat_AP[:, at : at + n].view(-1, self.rank, spec.inputs)
            b = flat_AP[:, at + n : at + n + m].view(-1, spec.outputs, self.rank)
            views[spec.name] = (a, b)
            at += n + m
        return views

    def enable_gradients(self) -> None:
        self.grad_AP = torch.zeros_like(self.master_AP)
        self.grads = self._views(self.grad_AP)

    def sync(self) -> None:
        """Bring the compute copy up to date with the float32 weights, where they differ in type."""
        if self.compute_AP is not self.master_AP:
            self.compute_AP.copy_(self.master_AP)

    def write(self, slot: int, adapter: Adapter) -> None:
        """Put an adapter into a slot; modules that it does not have become zero."""
        self.master_AP[slot].zero_()
        masters = self._views(self.master_AP)
        unknown = set(adapter.modules) - set(self.specs)
        if unknown:
            raise AdapterError(
                f"adapter {adapter.hash[:12]}: this base has no layer {min(unknown)}; use its own base"
            )
        tensors = adapter.tensors()
        for name in adapter.modules:
            a, b = tensors[f"{name}.lora_A.weight"], tensors[f"{name}.lora_B.weight"]
            view_a, view_b = masters[name][0][slot, : adapter.rank], masters[name][1][slot, :, : adapter.rank]
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
        for name, (a, b) in self._views(self.master_AP).items():
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
        self.anchor = anchor
        """Needs a gradient, so that layers whose input needs none are differentiated all the same."""

    def use(
        self, bank: Bank | None, slots: Slots | None, first: int = 0, dropout: Dropout | None = None
    ) -> None:
        self.bank, self.slots, self.first, self.dropout = bank, slots, first, dropout


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

    @property
    def spec(self) -> Spec:
        shape = self.weight.shape
        inputs, outputs = shape if self.transposed else shape[::-1]
        return Spec(self.name, inputs, outputs, self.transposed)

    @property
    def in_features(self) -> int:
        return self.spec.inputs

    @property
    def out_features(self) -> int:
        return self.spec.outputs

    def matrix(self) -> Tensor:
        """[O, I]"""
        return self.weight.t() if self.transposed else self.weight

    def forward(self, x: Tensor) -> Tensor:
        run = self.run
        flat_NI = x.reshape(-1, x.shape[-1])
        if run.bank is None or run.slots is None or self.name not in run.bank.specs:
            y_NO = nn.functional.linear(flat_NI, self.matrix(), self.bias)
        elif torch.is_grad_enabled():
            y_NO = _Adapted.apply(flat_NI, run.anchor, self, run.bank, run)
        else:
            y_NO, _, _ = _apply(flat_NI, self, run)
        return y_NO.view(*x.shape[:-1], -1)


def _pair(
    layer: AdaptedLinear, run: Run, views: Mapping[str, tuple[Tensor, Tensor]]
) -> tuple[Tensor, Tensor]:
    """A [A, R, I] and B [A, O, R] of the slots in use."""
    assert run.slots is not None
    last = run.first + len(run.slots.counts)
    a, b = views[layer.name]
    return a[run.first : last], b[run.first : last]


def _apply(x_NI: Tensor, layer: AdaptedLinear, run: Run) -> tuple[Tensor, Tensor, Tensor]:
    """(y [N, O], x as the adapters saw it [A, S, I], s·x Aᵀ [A, S, R])."""
    assert run.bank is not None
    assert run.slots is not None
    a_ARI, b_AOR = _pair(layer, run, run.bank.views)
    y_NO = nn.functional.linear(x_NI, layer.matrix(), layer.bias)
    x_ASI = run.slots.spread(x_NI)
    if run.dropout is not None:
        x_ASI = run.dropout.drop(layer.name, x_ASI)
    h_ASR = torch.bmm(x_ASI, a_ARI.transpose(1, 2))
    h_ASR.mul_(run.bank.scale_A[run.first : run.first + len(h_ASR), None, None])
    run.slots.add(y_NO, h_ASR, b_AOR.transpose(1, 2))
    return y_NO, x_ASI, h_ASR


class _Adapted(torch.autograd.Function):
    """The layer with gradients. Those of A and B go to the bank's buffer, never through autograd."""

    @staticmethod
    def forward(ctx: Any, x_NI: Tensor, anchor: Tensor, layer: AdaptedLinear, bank: Bank, run: Run) -> Tensor:
        y_NO, x_ASI, h_ASR = _apply(x_NI, layer, run)
        ctx.layer, ctx.run = layer, run
        ctx.save_for_backward(x_NI if run.dropout is None else x_ASI, h_ASR)
        return y_NO

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        layer: AdaptedLinear = ctx.layer
        run: Run = ctx.run
        x, h_ASR = ctx.saved_tensors
        bank, slots = run.bank, run.slots
        assert bank is not None
        assert slots is not None
        a_ARI, b_AOR = _pair(layer, run, bank.views)
        grad_a, grad_b = _pair(layer, run, bank.grads)
        dy_NO = grads[0].contiguous()
        dy_ASO = slots.spread(dy_NO)
        x_ASI = slots.spread(x) if run.dropout is None else x
        t_ASR = torch.bmm(dy_ASO, b_AOR)
        t_ASR.mul_(bank.scale_A[run.first : run.first + len(t_ASR), None, None])
        _accumulate(grad_a, t_ASR.transpose(1, 2), x_ASI)
        _accumulate(grad_b, dy_ASO.transpose(1, 2), h_ASR)
        if not ctx.needs_input_grad[0]:
            return None, None, None, None, None
        dx_NI = dy_NO @ layer.matrix()
        if run.dropout is None:
            slots.add(dx_NI, t_ASR, a_ARI)
        else:
            dx_ASI = run.dropout.drop(layer.name, torch.bmm(t_ASR, a_ARI))
            dx_NI += dx_ASI.reshape(-1, dx_ASI.shape[-1])[slots.cell_M]
        return dx_NI, None, None, None, None


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
