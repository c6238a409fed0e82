"""What the machine is and can do: its name, GEMM rate and peak memory, and the arithmetic of a token."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import torch

DTYPES = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float64": torch.float64}


def resolve(device: str, dtype: str) -> tuple[str, str]:
    """`auto` made plain, so that both sides run on the same device in the same precision."""
    device = device if device != "auto" else "cuda" if torch.cuda.is_available() else "cpu"
    return device, dtype if dtype != "auto" else "bfloat16" if device.startswith("cuda") else "float32"


def name(device: str, dtype: str) -> str:
    """One line for a table: processor or accelerator, cores, torch, precision."""
    what = torch.cuda.get_device_name(device) if device.startswith("cuda") else _processor()
    return f"{what}, {cores()} cores, torch {torch.__version__}, {dtype}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), "CPU")


def cores() -> int:
    """Cores that this process may run on."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts(given: tuple[int, ...], device: str) -> list[int]:
    """Thread counts worth a probe: powers of two, and all cores. On an accelerator one is left."""
    if given:
        return sorted(set(given))
    if device.startswith("cuda"):
        return [min(cores(), 8)]
    powers = [1 << i for i in range(cores().bit_length()) if 1 << i <= cores()]
    return sorted({*powers, cores()})


def wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)


def seconds(work: Callable[[], Any], device: str) -> float:
    """Wall-clock seconds of `work`, with everything that it queued on the device."""
    wait(device)
    start = time.perf_counter()
    work()
    wait(device)
    return time.perf_counter() - start


def best_threads(work: Callable[[], Any], counts: list[int], device: str) -> tuple[int, dict[str, float]]:
    """Set the thread count under which `work` is fastest (one unmeasured run first); seconds of each.

    Each count has two tries, in turns, and its better one counts: other work on the machine is no part of it.
    """
    torch.set_num_threads(counts[0])
    work()
    if len(counts) == 1:
        return counts[0], {}
    took = dict.fromkeys(counts, float("inf"))
    for count in counts * 2:
        torch.set_num_threads(count)
        took[count] = min(took[count], seconds(work, device))
    best = min(took, key=took.__getitem__)
    torch.set_num_threads(best)
    return best, {str(count): round(value, 4) for count, value in took.items()}


def gemm_gflops(shape: Shape, device: str, dtype: str, counts: list[int]) -> float:
    """The best rate of one matmul of the model's MLP shape over many tokens, in GFLOP/s."""
    before = torch.get_num_threads()
    tokens = 8192 if device.startswith("cuda") else 512
    left = torch.randn(tokens, shape.hidden, device=device, dtype=DTYPES[dtype])
    right = torch.randn(shape.hidden, shape.wide, device=device, dtype=DTYPES[dtype])
    rates = []
    for count in counts:
        torch.set_num_threads(count)
        torch.mm(left, right)
        repeats = max(3, int(2e10 / (2 * tokens * shape.hidden * shape.wide)))
        for _ in range(3):
            took = seconds(partial(_multiply, left, right, repeats), device)
            rates.append(2 * tokens * shape.hidden * shape.wide * repeats / took / 1e9)
    torch.set_num_threads(before)
    return max(rates)


def _multiply(left: torch.Tensor, right: torch.Tensor, repeats: int) -> None:
    for _ in range(repeats):
        torch.mm(left, right)


@dataclass(frozen=True)
class Shape:
    """What the arithmetic of a token depends on."""

    hidden: int
    wide: int
    linear: int
    """Weights in the linear layers under the head."""
    head: int
    """Weights of the output head."""

    def training_flops(self, lora: int, loss_share: float) -> float:
        """A trained token: forward and the gradient of activations through every layer; the head only where
        there is loss; the adapter forward and backward, weights' gradient included."""
        return 4 * (self.linear + loss_share * self.head) + 6 * lora

    def forward_flops(self, lora: int) -> float:
        return 2 * (self.linear + self.head + lora)


def shape_of(config: Any) -> Shape:
    """The shape of a decoder from its config, counted on a model without storage."""
    from transformers import AutoModelForCausalLM

    with torch.device("meta"):
        model = AutoModelForCausalLM.from_config(config)
    head = model.get_output_embeddings().weight.numel()
    embeddings = model.get_input_embeddings().weight.numel()
    tied = model.get_output_embeddings().weight is model.get_input_embeddings().weight
    total = sum(parameter.numel() for parameter in model.parameters() if parameter.dim() > 1)
    text = config.get_text_config()
    wide = getattr(text, "intermediate_size", None) or 4 * text.hidden_size
    return Shape(text.hidden_size, wide, total - embeddings - (0 if tied else head), head)


def peak_memory_mb(device: str) -> dict[str, float]:
    """High-water marks in MiB: resident memory of this process and its live children, and of the device.

    Pages shared between processes count once for each of them.
    """
    found = {"host": _high_water(os.getpid()) / 1024}
    if device.startswith("cuda"):
        found["device"] = torch.cuda.max_memory_allocated(device) / 2**20
    return {key: round(value, 1) for key, value in found.items()}


def _high_water(pid: int) -> float:
    """KiB of a process tree; without /proc, of this process alone."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return _own_high_water() if pid == os.getpid() else 0.0
    mark = next((float(line.split()[1]) for line in lines if line.startswith("VmHWM")), 0.0)
    return mark + sum(_high_water(int(child)) for child in children)


def _own_high_water() -> float:
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1024 if platform.system() == "Darwin" else float(used)
