"""How much fits: slots, rows, tokens and threads, chosen from the memory there is and a short probe."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from statistics import median
from typing import final

import torch

from selfedit.engine import machine
from selfedit.engine.constraint import hold_bytes
from selfedit.engine.lora import Adapter
from selfedit.engine.machine import GEMM_SHAPE, gemm_rate
from selfedit.engine.model import Model
from selfedit.engine.scarcity import Room
from selfedit.engine.table import engine_adapter
from selfedit.engine.train import Budget
from selfedit.errors import EngineError
from selfedit.types import AdapterLike, GenerationRequest, TrainingPlan

SHARE = 0.6
"""Part of the free memory that one run may plan with; the rest is for what cannot be counted."""
GIB = 1 << 30
REFERENCES = 0.25
"""Part of the usable main memory that references of plans may take at once."""
CONSTRAINTS = 0.25
"""Part of the usable memory that constraints of plans may take at once."""
PROBE_SECONDS, PROBES = 0.05, 5
DOUBTS, PAUSE = 2, 0.5
"""How often one thread is doubted where there are several cores, and after how many seconds each."""


@final
@dataclass(frozen=True)
class Limits:
    """Free bytes, and the sizes beyond which more gives no speed on this device."""

    free: int
    most_slots: int
    most_tokens: int
    most_rows: int

    @property
    def usable(self) -> int:
        return int(self.free * SHARE)

    def training(
        self, model: Model, names: Sequence[str], plans: Sequence[TrainingPlan], held: int = 0
    ) -> Budget:
        """Slots and tokens for these plans beside their constraints, and `held` bytes of main memory. Raises
        EngineError if not even one adapter fits."""
        rank = max(plan.rank for plan in plans)
        slot = slot_bytes(model, names, rank)
        token = token_bytes(model)
        usable = self.usable - (held if model.device.type == "cpu" else 0)
        usable -= hold_bytes((plan.constraint for plan in plans), model, names)
        if usable < slot + 64 * token:
            need = (slot + 64 * token) / SHARE / GIB
            raise EngineError(
                f"an adapter of rank {rank} needs {need:.1f} GiB to train and {self.free / GIB:.1f} GiB is "
                "free; lower the rank or free memory"
            )
        slots = max(1, min(self.most_slots, len(plans), int(usable * 0.6) // slot))
        tokens = max(64, min(self.most_tokens, (usable - slots * slot) // token))
        return Budget(slots, int(tokens))

    def references(self, model: Model) -> int:
        """Bytes of main memory that the hidden states of references may take at once."""
        main = self.usable if model.device.type == "cpu" else int(free_memory() * SHARE)
        return int(main * REFERENCES)

    @property
    def constraints(self) -> int:
        """Bytes that the constraints of plans may take at once."""
        return int(self.usable * CONSTRAINTS)

    def room(self, model: Model, work: Sequence[tuple[int, GenerationRequest, list[int]]]) -> Room:
        """Rows, adapter slots and prefill tokens for these requests."""
        longest = max(len(prompt) + request.max_tokens for _, request, prompt in work)
        row = longest * cache_bytes(model)
        rows = max(1, min(self.most_rows, len(work), int(self.usable * 0.5) // row))
        slots = self._slots(model, [request.adapter for _, request, _ in work])
        return Room(int(rows), slots, self.most_tokens)

    def scoring(self, model: Model, adapters: Sequence[AdapterLike | None]) -> Room:
        """Adapter slots and tokens of one scoring pass."""
        return Room(len(adapters), self._slots(model, adapters), self.most_tokens)

    def _slots(self, model: Model, adapters: Sequence[AdapterLike | None]) -> int:
        named = {a.hash: engine_adapter(a) for a in adapters if a is not None}
        if not named:
            return 1
        largest = max(sum(t.numel() for t in _shapes(adapter)) for adapter in list(named.values())[:1])
        rank = max(adapter.rank for adapter in named.values())
        size = 4 * largest * rank // max(1, next(iter(named.values())).rank)
        return max(1, min(self.most_rows, len(named), int(self.usable * 0.3) // max(1, size)))

    def kept(self, adapter: Adapter) -> int:
        """How many adapters of this size may stay in memory."""
        return max(1, int(self.usable * 0.25) // (4 * sum(t.numel() for t in _shapes(adapter))))


def _shapes(adapter: Adapter) -> list[torch.Tensor]:
    return list(adapter.tensors().values())


def slot_bytes(model: Model, names: Sequence[str], rank: int) -> int:
    """Weights, gradient and two Adam moments of one adapter, in float32, and its copy in the compute type."""
    width = sum(model.run.rounded(rank) * (spec.inputs + spec.outputs) for spec in model.specs(names))
    copy = 0 if model.dtype in (torch.float32, torch.float64) else 2
    return width * (16 + copy) * (2 if model.dtype == torch.float64 else 1)


def token_bytes(model: Model) -> int:
    """Activations kept for the backward pass by one token, by estimate: what enters and leaves each layer."""
    wide = sum(layer.spec.inputs + layer.spec.outputs for layer in model.layers.values())
    return int(1.6 * wide * model.head.weight_VH.element_size())


def cache_bytes(model: Model) -> int:
    """Keys and values of one token, by estimate from the widths of the layers that make them."""
    made = sum(
        layer.spec.outputs
        for name, layer in model.layers.items()
        if name.endswith((".k_proj", ".v_proj", ".c_attn"))
    )
    return max(1, made) * model.head.weight_VH.element_size()


def limits(model: Model) -> Limits:
    """Limits on the model's device at this moment."""
    if model.device.type == "cuda":
        free, _ = torch.cuda.mem_get_info(model.device)
        cached = torch.cuda.memory_reserved(model.device) - torch.cuda.memory_allocated(model.device)
        return Limits(free + cached, most_slots=64, most_tokens=16384, most_rows=256)
    return Limits(free_memory(), most_slots=16, most_tokens=512, most_rows=64)


def free_memory() -> int:
    """Bytes of main memory that can be had without swapping, the container's limit counted."""
    return machine.memory()[1]


@cache
def threads_of(device: torch.device, dtype: torch.dtype) -> tuple[int, float]:
    """What `choose_threads` said when this process first asked: its engines agree, and wait for it once."""
    return choose_threads(device, dtype)


def choose_threads(device: torch.device, dtype: torch.dtype) -> tuple[int, float]:
    """The fewest threads that come within a tenth of the best rate in short matrix-product probes, and
    their rate in GFLOP/s. Never more than OMP_NUM_THREADS, where that is set.

    On shared or throttled processors two threads can be slower than one, so the count of cores tells nothing.
    Nor does one moment, which should not choose for hours: all counts take turns, the median counts, and one
    thread is chosen only if it is chosen again a little later.
    """
    if device.type != "cpu":
        threads = torch.get_num_threads()
        return threads, gemm_rate(dtype, threads, PROBE_SECONDS, device=str(device))
    cores = min(_cores(), _allowed())
    counts = sorted({1, 2, 4, 8, cores // 2, cores} & set(range(1, cores + 1)))
    before = torch.get_num_threads()
    threads, rate = _fastest(counts, dtype)
    for _ in range(DOUBTS):
        if threads > 1 or cores == 1:
            break
        time.sleep(PAUSE)
        threads, rate = _fastest(counts, dtype)
    torch.set_num_threads(before)
    return threads, rate


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _allowed() -> int:
    """Threads that the user lets a process have; a list is for nested ones, of which there are none."""
    first = os.environ.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return max(1, int(first)) if first.isdecimal() else sys.maxsize


def _fastest(counts: Sequence[int], dtype: torch.dtype) -> tuple[int, float]:
    turns = [{count: _rate(count, dtype) for count in counts} for _ in range(PROBES)]
    rates = {count: median(turn[count] for turn in turns) for count in counts}
    threads = next(count for count in counts if rates[count] >= 0.9 * max(rates.values()))
    return threads, rates[threads]


def _rate(threads: int, dtype: torch.dtype) -> float:
    """The mean rate, not the median: what other processes take away is part of it."""
    torch.set_num_threads(threads)
    rows, inner, outer = GEMM_SHAPE
    left, right = torch.ones(rows, inner, dtype=dtype), torch.ones(outer, inner, dtype=dtype)
    torch.nn.functional.linear(left, right)
    count, began = 0, time.perf_counter()
    while time.perf_counter() - began < PROBE_SECONDS:
        torch.nn.functional.linear(left, right)
        count += 1
    return 2e-9 * rows * inner * outer * count / (time.perf_counter() - began)
