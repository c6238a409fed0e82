"""Constraints of training plans, in force: where an adapter's A may lie, and what it costs to move far.

Each binds any number of a bank's slots at once, layer by layer, and none notices the others. Knows nothing of
losses of tokens, of optimisers, or of how plans are grouped.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol, final

import torch
from torch import Tensor

from selfedit.engine.bank import Bank, Spec
from selfedit.engine.lora import Adapter
from selfedit.engine.model import Model
from selfedit.engine.moments import Leading, Moments, engine_moments
from selfedit.engine.table import engine_adapter
from selfedit.errors import AdapterError, EngineError
from selfedit.types import AdapterLike, Constraint, Elastic, NullSpace, Orthogonal

Layers = tuple[str, ...]
"""Neighbours in a bank that read one input, whose A's are constrained by the same matrix."""
SAME = 1e-6
"""Part of the largest below which a direction counts as none: float32 weights tell no more."""


class Hold(Protocol):
    """A constraint on some layers; its matrices lie on the bank's device, in the type of its weights."""

    def keep(self, bank: Bank, slot_S: Tensor) -> None:
        """Put the A's of these slots back where they may be. The bank's compute copy is not brought up."""
        ...

    def pull(self, bank: Bank, slot_S: Tensor) -> Tensor:
        """Add a penalty's gradients to those of these slots; its value for each [S]."""
        ...


@final
class Projection:
    """A ← A − (A Q) Qᵀ for orthonormal columns Q [I, K] of each input."""

    def __init__(self, away: Mapping[Layers, Tensor]) -> None:
        self.away = away

    def keep(self, bank: Bank, slot_S: Tensor) -> None:
        for names, q_IK in self.away.items():
            every_ARI = bank.masters.stack(names)
            a_SRI = every_ARI[slot_S]
            every_ARI[slot_S] = a_SRI - (a_SRI @ q_IK) @ q_IK.t()

    def pull(self, bank: Bank, slot_S: Tensor) -> Tensor:
        return bank.scale_A.new_zeros(len(slot_S))


@final
class Overlap:
    """weight × Σ ‖A Fᵀ‖² for rows F [K, I] of each layer."""

    def __init__(self, rows: Mapping[Layers, Tensor], weight: float) -> None:
        self.rows, self.weight = rows, weight

    def keep(self, bank: Bank, slot_S: Tensor) -> None:
        """Nowhere is forbidden."""

    def pull(self, bank: Bank, slot_S: Tensor) -> Tensor:
        assert bank.grads is not None
        value_S = bank.scale_A.new_zeros(len(slot_S))
        for names, f_KI in self.rows.items():
            h_SRK = bank.masters.stack(names)[slot_S] @ f_KI.t()
            value_S += h_SRK.square().sum((1, 2))
            bank.grads.stack(names)[slot_S] += 2 * self.weight * (h_SRK @ f_KI)
        return self.weight * value_S


@final
class Stretch:
    """weight × Σ ‖s B A Fᵀ‖² for rows F [K, I] of each input: E‖ΔW x‖² where Fᵀ F is x's second moment."""

    def __init__(self, rows: Mapping[Layers, Tensor], weight: float) -> None:
        self.rows, self.weight = rows, weight

    def keep(self, bank: Bank, slot_S: Tensor) -> None:
        """Nowhere is forbidden."""

    def pull(self, bank: Bank, slot_S: Tensor) -> Tensor:
        value_S = bank.scale_A.new_zeros(len(slot_S))
        weight_S11 = self.weight * bank.scale_A[slot_S].square()[:, None, None]
        for names, f_KI in self.rows.items():
            for name in names:
                value_S += self._layer(bank, slot_S, name, f_KI, weight_S11)
        return value_S

    def _layer(self, bank: Bank, slot_S: Tensor, name: str, f_KI: Tensor, weight_S11: Tensor) -> Tensor:
        """Through [R, R] products: ‖B H‖² = tr(BᵀB · HHᵀ) for H = A Fᵀ."""
        assert bank.grads is not None
        b_SOR, h_SRK = bank.masters.b(name)[slot_S], bank.masters.a(name)[slot_S] @ f_KI.t()
        inner_SRR, outer_SRR = b_SOR.transpose(1, 2) @ b_SOR, h_SRK @ h_SRK.transpose(1, 2)
        bank.grads.a(name)[slot_S] += 2 * weight_S11 * ((inner_SRR @ h_SRK) @ f_KI)
        bank.grads.b(name)[slot_S] += 2 * weight_S11 * (b_SOR @ outer_SRR)
        return weight_S11[:, 0, 0] * (inner_SRR * outer_SRR).sum((1, 2))


# -- from nouns to matrices --------------------------------------------------------------------------------


def hold_bytes(constraints: Iterable[Constraint | None], model: Model, names: Sequence[str]) -> int:
    """Bytes that the matrices of these constraints take at most on the model's device."""
    distinct = {each.id: each for each in constraints if each is not None}
    size = torch.promote_types(model.dtype, torch.float32).itemsize
    return size * sum(_numbers(each, model.specs(names)) for each in distinct.values())


def _numbers(constraint: Constraint, specs: Sequence[Spec]) -> int:
    if isinstance(constraint, Orthogonal):
        adapters = list(map(engine_adapter, constraint.adapters))
        return sum(spec.inputs * sum(a.rank for a in adapters if spec.name in a.modules) for spec in specs)
    rank = engine_moments(constraint.moments).rank
    return sum(spec.inputs * min(rank, spec.inputs) for _, (spec, *_) in _neighbours(specs))


def hold(constraint: Constraint, model: Model, base: str, names: Sequence[str]) -> Hold:
    """The constraint in force on the named layers. Raises EngineError or AdapterError for what does not fit.

    Raises NothingLeftError where a projection leaves no direction of any layer.
    """
    specs = model.specs(names)
    match constraint:
        case Orthogonal(adapters, None):
            spans = {layers: _span(rows_KI) for layers, rows_KI in _rows(adapters, specs).items()}
            return Projection(_placed(_with_room(spans, specs, "fewer adapters"), model))
        case Orthogonal(adapters, float(penalty)):
            return Overlap(_placed(_rows(adapters, specs), model), penalty)
        case NullSpace(moments, energy):
            found = _leading(engine_moments(moments), base, specs)
            spans = {layers: each.holding(energy).t() for layers, each in found.items()}
            return Projection(_placed(_with_room(spans, specs, "less energy or moments of less rank"), model))
        case Elastic(moments, weight):
            found = _leading(engine_moments(moments), base, specs)
            rows = {layers: each.values_K.sqrt()[:, None] * each.vectors_KI for layers, each in found.items()}
            return Stretch(_placed(rows, model), weight)
        case _:
            raise EngineError(f"{constraint!r}: no constraint that the engine knows; use one of types")


class NothingLeftError(EngineError):
    """A plan whose constraint leaves its adapter nowhere to lie. Never leaves the engine."""


def _with_room(spans: dict[Layers, Tensor], specs: Sequence[Spec], remedy: str) -> dict[Layers, Tensor]:
    bound = {name for layers, q_IK in spans.items() if q_IK.shape[1] >= q_IK.shape[0] for name in layers}
    if len(bound) == len(specs):
        raise NothingLeftError(f"the constraint leaves no direction of any layer free; choose {remedy}")
    return spans


def _placed(matrices: Mapping[Layers, Tensor], model: Model) -> dict[Layers, Tensor]:
    wide = torch.promote_types(model.dtype, torch.float32)
    return {layers: each.to(model.device, wide).contiguous() for layers, each in matrices.items()}


def _rows(adapters: Iterable[AdapterLike], specs: Sequence[Spec]) -> dict[Layers, Tensor]:
    """Of each layer that earlier adapters change, their A's one under the other [K, I], in float64."""
    found: dict[str, list[Tensor]] = {}
    for adapter in map(engine_adapter, adapters):
        tensors = adapter.tensors()
        for spec in specs:
            if spec.name in adapter.modules:
                found.setdefault(spec.name, []).append(_factor(adapter, tensors, spec))
    return {(name,): torch.cat(rows) for name, rows in found.items()}


def _factor(adapter: Adapter, tensors: Mapping[str, Tensor], spec: Spec) -> Tensor:
    a_RI = tensors[f"{spec.name}.lora_A.weight"]
    if a_RI.shape[1] != spec.inputs:
        raise AdapterError(
            f"adapter {adapter.hash[:12]}: {spec.name} has another shape here; use its own base"
        )
    return a_RI.double()


def _span(rows_KI: Tensor) -> Tensor:
    """Orthonormal columns [I, K'] that span the rows. Near copies of others count for nothing."""
    q_IK, r_KK = torch.linalg.qr(rows_KI.t())
    sizes_K = r_KK.diagonal().abs()
    if bool((sizes_K > SAME * sizes_K.max()).all()) and len(r_KK) == r_KK.shape[1]:
        return q_IK
    turn_KK, sizes_K, _ = torch.linalg.svd(r_KK, full_matrices=False)
    return q_IK @ turn_KK[:, sizes_K > SAME * sizes_K.max()]


def _leading(moments: Moments, base: str, specs: Sequence[Spec]) -> dict[Layers, Leading]:
    if moments.base != base:
        raise EngineError(f"moments {moments.hash[:12]} are of another base; make them anew on this one")
    found: dict[Layers, Leading] = {}
    for group, members in _neighbours(specs):
        if moments.width(group) != members[0].inputs:
            raise EngineError(
                f"moments {moments.hash[:12]}: {group} has another shape here; make them anew on this base"
            )
        found[tuple(spec.name for spec in members)] = moments.leading(group)
    return found


def _neighbours(specs: Sequence[Spec]) -> list[tuple[str, list[Spec]]]:
    grouped = itertools.groupby(specs, key=lambda spec: spec.group or spec.name)
    return [(group, list(members)) for group, members in grouped]
