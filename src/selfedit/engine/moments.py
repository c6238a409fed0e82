"""Second moments of what linear layers read over given texts, by a sketch that does not grow with them.

For each input x that layers share, the sum over tokens S = Σ x xᵀ [I, I] is kept as Y = S Ω [I, L], with
random signs Ω that depend on the layer alone. Y is linear in S, so that moments of more texts are simply
added. Leading directions come from it by Nyström's approximation Y (Ωᵀ Y)⁺ Yᵀ (Tropp et al. 2017, arXiv
1706.05736), which never exceeds S, and is S itself where its rank is at most L. Knows nothing of plans.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

import numpy as np
import safetensors
import safetensors.torch
import torch
from torch import Tensor

from selfedit.engine.attention import Pass
from selfedit.engine.layout import Rows, passes
from selfedit.engine.model import Model, TokenRow
from selfedit.engine.scarcity import SMALLEST, out_of_memory, release
from selfedit.errors import EngineError
from selfedit.types import MomentsLike, content_hash, rng_for

FORMAT = "selfedit moments 1"
SKETCH, TRACE = ".sketch", ".trace"
GIB = 1 << 30


@final
@dataclass(frozen=True, eq=False)
class Leading:
    """A layer's leading directions [K, I], orthonormal, and how much E (x·v)² each of them holds [K]."""

    vectors_KI: Tensor
    values_K: Tensor
    total: float
    """E‖x‖²: what all directions hold, known ones or not."""

    def holding(self, energy: float) -> Tensor:
        """The fewest of the directions [K, I] that hold this share of the total; all, where they do not."""
        reached = torch.cumsum(self.values_K, 0) >= energy * self.total * (1 - 1e-12)
        count = int(reached.int().argmax()) + 1 if bool(reached.any()) else len(reached)
        return self.vectors_KI[:count]


@final
class Moments:
    """What linear layers of one base read over some texts. Immutable; in float32 (float64 of such an engine).

    `rank` is how many leading directions are told of each input.
    """

    def __init__(
        self, base: str, rank: int, tokens: int, sketches: Mapping[str, Tensor], totals: Mapping[str, float]
    ) -> None:
        self.base, self.rank, self.tokens = base, rank, tokens
        self._sketches, self._totals = dict(sketches), dict(totals)
        self.hash = self._hash()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The inputs that it knows, each by the first of the layers that read it."""
        return tuple(sorted(self._sketches))

    @property
    def bytes(self) -> int:
        return sum(y_IL.numel() * y_IL.element_size() for y_IL in self._sketches.values())

    def width(self, name: str) -> int:
        """Features of an input; 0 where it is not known."""
        return len(self._sketches[name]) if name in self._sketches else 0

    def leading(self, name: str) -> Leading:
        """At most `rank` directions of an input, in float64; what rounding alone would fill is left out."""
        y_IL = self._sketches[name].double() / self.tokens
        noise = torch.finfo(self._sketches[name].dtype).eps * y_IL.shape[1]
        sign_IL = signs(name, *y_IL.shape).double()
        core_LL = sign_IL.t() @ y_IL
        part_L, turn_LL = torch.linalg.eigh((core_LL + core_LL.t()) / 2)
        known = part_L > noise * part_L.max().clamp(min=0)
        root_IL = y_IL @ (turn_LL[:, known] / part_L[known].sqrt())
        vectors_IL, roots_L, _ = torch.linalg.svd(root_IL, full_matrices=False)
        values_L = roots_L.square()
        count = min(self.rank, int((values_L > noise * values_L.sum()).sum()))
        total = self._totals[name] / self.tokens
        return Leading(vectors_IL[:, :count].t().contiguous(), values_L[:count], total)

    def plus(self, other: Moments) -> Moments:
        """The moments of both texts in one. Raises EngineError where base or rank are not the same."""
        if (self.base, self.rank, self.inputs) != (other.base, other.rank, other.inputs):
            raise EngineError("these moments are of another base or rank; make both with the same")
        sketches = {name: y_IL + other._sketches[name] for name, y_IL in self._sketches.items()}
        totals = {name: total + other._totals[name] for name, total in self._totals.items()}
        return Moments(self.base, self.rank, self.tokens + other.tokens, sketches, totals)

    def save(self, path: str | Path) -> Path:
        """Write one safetensors file."""
        target = Path(path)
        tensors = {f"{name}{SKETCH}": y_IL.contiguous() for name, y_IL in self._sketches.items()}
        for name, total in self._totals.items():
            tensors[f"{name}{TRACE}"] = torch.tensor(total, dtype=torch.float64)
        told = {"format": FORMAT, "base": self.base, "rank": str(self.rank), "tokens": str(self.tokens)}
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            safetensors.torch.save_file(tensors, target, metadata=told)
        except (OSError, safetensors.SafetensorError) as error:
            raise EngineError(
                f"{target}: cannot write moments ({error}); free space, or choose another place"
            ) from error
        return target

    @staticmethod
    def load(path: str | Path) -> Moments:
        """Read a file that `save` wrote. Raises EngineError for anything else."""
        source = Path(path)
        try:
            with safetensors.safe_open(source, framework="pt") as file:
                told = file.metadata() or {}
            if told.get("format") != FORMAT:
                raise EngineError(f"{source}: no moments; give a file that moments were saved to")
            tensors = safetensors.torch.load_file(source)
            names = [name.removesuffix(SKETCH) for name in tensors if name.endswith(SKETCH)]
            totals = {name: float(tensors[name + TRACE]) for name in names}
            sketches = {name: tensors[name + SKETCH] for name in names}
            return Moments(told["base"], int(told["rank"]), int(told["tokens"]), sketches, totals)
        except (OSError, ValueError, KeyError, safetensors.SafetensorError) as error:
            raise EngineError(f"{source}: moments cannot be read ({error}); make them again") from error

    def _hash(self) -> str:
        digest = hashlib.sha256(content_hash(["moments", self.base, self.rank, self.tokens]).encode())
        for name in self.inputs:
            y_IL = self._sketches[name].contiguous()
            digest.update(f"{name}{list(y_IL.shape)}{y_IL.dtype}{self._totals[name]!r}".encode())
            digest.update(y_IL.view(torch.uint8).numpy().data)
        return digest.hexdigest()


def engine_moments(moments: MomentsLike) -> Moments:
    if not isinstance(moments, Moments):
        raise EngineError(
            f"moments {moments.hash[:12]} are only a name; load them with selfedit.engine.Moments.load"
        )
    return moments


def columns(rank: int, inputs: int) -> int:
    """Columns of a sketch that tells of `rank` directions: twice as many, but never more than there are."""
    return min(inputs, 2 * rank)


def signs(name: str, inputs: int, width: int) -> Tensor:
    """Ω: ±1 by chance [I, L], the same everywhere; the identity where the sketch is as wide as the input."""
    if width == inputs:
        return torch.eye(inputs)
    count = inputs * width
    drawn = rng_for("moments", name, inputs, width).getrandbits(count).to_bytes(-(-count // 8), "little")
    bits = np.unpackbits(np.frombuffer(drawn, np.uint8), count=count, bitorder="little")
    return torch.from_numpy(bits.astype(np.float32) * 2 - 1).view(inputs, width)


# -- reading ----------------------------------------------------------------------------------------------


@final
class Sketch:
    """The sums in the making, on the model's device."""

    def __init__(self, model: Model, rank: int) -> None:
        self.wide = torch.promote_types(model.dtype, torch.float32)
        shapes = {name: (inputs, columns(rank, inputs)) for name, inputs in _inputs(model).items()}
        self.signs = {name: signs(name, *shape).to(model.device, self.wide) for name, shape in shapes.items()}
        self.sums = {name: torch.zeros_like(each) for name, each in self.signs.items()}
        self.totals = {name: torch.zeros((), dtype=torch.float64, device=model.device) for name in self.signs}

    def add(self, name: str, x_NI: Tensor) -> None:
        x_NI = x_NI.to(self.wide)
        self.sums[name].addmm_(x_NI.t(), x_NI @ self.signs[name])
        self.totals[name] += x_NI.square().sum(dtype=torch.float64)


def _inputs(model: Model) -> dict[str, int]:
    """Features of every input, by the first of the layers that read it."""
    specs = model.specs(tuple(model.layers))
    return {spec.group or spec.name: spec.inputs for spec in specs}


def read_moments(
    model: Model, base: str, rows: Sequence[TokenRow], rank: int, room: tuple[int, int]
) -> tuple[Moments, int]:
    """The moments of rows on the model as it stands, within `room` (bytes, tokens a pass); and the tokens
    that a pass had in the end: where memory ran out, all was begun again with fewer. Raises EngineError."""
    need = 2 * sum(inputs * columns(rank, inputs) for inputs in _inputs(model).values())
    need *= torch.promote_types(model.dtype, torch.float32).itemsize
    if need > room[0]:
        raise EngineError(
            f"moments of rank {rank} need {need / GIB:.2f} GiB and {room[0] / GIB:.2f} GiB is to be had; "
            "lower the rank or free memory"
        )
    tokens = room[1]
    while True:
        try:
            return _read(model, base, rows, rank, tokens), tokens
        except (MemoryError, RuntimeError) as error:
            if not out_of_memory(error):
                raise
        if tokens <= SMALLEST:
            raise EngineError("memory ran out in the smallest pass of moments; lower the rank or free memory")
        release()
        tokens //= 2


@torch.no_grad()
def _read(model: Model, base: str, rows: Sequence[TokenRow], rank: int, tokens: int) -> Moments:
    sketch = Sketch(model, rank)
    model.run.use(None, None)
    model.run.watch = sketch.add
    try:
        for part in passes([row.ids for row in rows if row.ids], len, tokens):
            ids_N = torch.tensor([each for ids in part for each in ids], device=model.device)
            model.hidden(ids_N, Pass(Rows.of(list(map(len, part)), model.device)))
    finally:
        model.run.watch = None
    totals = {name: float(total) for name, total in sketch.totals.items()}
    if not np.isfinite(list(totals.values())).all():
        raise EngineError("moments are not finite: this head is broken; revert what was learned last")
    sketches = {name: y_IL.cpu() for name, y_IL in sketch.sums.items()}
    return Moments(base, rank, sum(len(row.ids) for row in rows), sketches, totals)
