"""Many adapters stacked, so that one product serves them all. Knows nothing of losses, text or rewards."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from selfedit.engine.lora import Adapter
from selfedit.errors import AdapterError
from selfedit.types import TrainingPlan, rng_for


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


def initial_weights(spec: Spec, plan: TrainingPlan) -> tuple[Tensor, Tensor]:
    """LoRA's start as PEFT has it (A: Kaiming uniform with a = √5; B: zero), from (seed, layer) alone."""
    generator = torch.Generator().manual_seed(
        rng_for("init", plan.seed, spec.name, plan.rank).getrandbits(63)
    )
    bound = 1 / math.sqrt(spec.inputs)
    a_RI = torch.empty(plan.rank, spec.inputs).uniform_(-bound, bound, generator=generator)
    return a_RI, torch.zeros(spec.outputs, plan.rank)
