"""What machine this is: processor, memory, GPUs, versions; and how fast it multiplies.

Limits set by a container (control groups, affinity) count as the machine. Looks and measures, changes
nothing. Knows nothing of models or adapters.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import statistics
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

LIBRARIES = ("torch", "transformers", "peft", "safetensors", "tokenizers")
BFLOAT16_FLAGS = frozenset({"avx512_bf16", "amx_bf16", "bf16"})
"""As Linux names them in /proc/cpuinfo; the last is Arm's."""
GEMM_SHAPE = (512, 576, 1536)
"""Rows, inner and outer width: a batch through the built-in model's first MLP layer."""


@dataclass(frozen=True, slots=True)
class Gpu:
    """One CUDA device; memory in bytes, `memory_free` at the time of the probe."""

    name: str
    memory_total: int
    memory_free: int
    bfloat16: bool


@dataclass(frozen=True, slots=True)
class Machine:
    """What there is to work with; memory in bytes. Versions are empty where a library is missing."""

    processor: str
    cores: int
    """That this process may use, fewer than the machine has where a container says so."""
    memory_total: int
    memory_available: int
    bfloat16: bool
    """The processor multiplies bfloat16 natively."""
    compiler: str | None
    """Path of a C++ compiler, without which torch runs eager."""
    nvidia_driver: bool
    """Its tools are installed, whether torch can use the GPU or not."""
    system: str
    gpus: tuple[Gpu, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict[str, str])


def lacks_bfloat16(root: Path = Path("/")) -> bool:
    """Whether the processor is known to multiply no bfloat16 itself: then float32 is far faster."""
    info = _cpuinfo(root)
    flags = info.get("flags", info.get("Features"))
    return flags is not None and BFLOAT16_FLAGS.isdisjoint(flags.split())


def probe(root: Path = Path("/")) -> Machine:
    """Look at this machine; `root` is where /proc and /sys are found. Imports torch, to ask for GPUs."""
    info = _cpuinfo(root)
    total, available = memory(root)
    return Machine(
        processor=info.get("model name") or platform.processor() or platform.machine(),
        cores=cores(root),
        memory_total=total,
        memory_available=available,
        bfloat16=not BFLOAT16_FLAGS.isdisjoint(info.get("flags", info.get("Features", "")).split()),
        compiler=_compiler(),
        nvidia_driver=shutil.which("nvidia-smi") is not None,
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        gpus=_gpus(),
        versions={"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}},
    )


def processor_kind(root: Path = Path("/")) -> str:
    """What tells processors apart that may round products differently."""
    info = _cpuinfo(root)
    kept = ("vendor_id", "cpu family", "model", "model name", "flags", "CPU part", "Features")
    return " ".join([platform.machine(), *(info.get(name, "") for name in kept)])


def cores(root: Path = Path("/")) -> int:
    """Cores that this process may use, at least 1: its affinity, bounded by its control groups' quota."""
    allowed = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
    for group in _groups(root):
        quota, period = _quota(group)
        if quota > 0 and period > 0:
            allowed = min(allowed, quota // period)
    return max(1, allowed)


def memory(root: Path = Path("/")) -> tuple[int, int]:
    """Bytes in all and bytes available, both bounded by the process's control groups."""
    total, available = _system_memory(root)
    for group in _groups(root):
        limit = _number(group / "memory.max") or _number(group / "memory.limit_in_bytes")
        if limit is None:
            continue
        used = _number(group / "memory.current") or _number(group / "memory.usage_in_bytes") or 0
        total = min(total, limit)
        available = min(available, max(0, limit - used + _reclaimable(group)))
    return total, available


def free_disk(path: Path) -> int:
    """Bytes free on the disk that `path` lies on, or would lie on."""
    there = path.expanduser().absolute()
    while not there.exists():
        there = there.parent
    return shutil.disk_usage(there).free


def gemm_rate(dtype: Any, threads: int, seconds: float = 0.3, *, device: str = "cpu") -> float:
    """GFLOP/s of [512, 576] × [576, 1536] on `threads` threads, in a torch `dtype` or one by name.

    The median over `seconds`; the thread count is put back afterwards.
    """
    import torch

    rows, inner, outer = GEMM_SHAPE
    kind = getattr(torch, dtype) if isinstance(dtype, str) else dtype
    left = torch.ones(rows, inner, dtype=kind, device=device)
    right = torch.ones(inner, outer, dtype=kind, device=device)
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    try:
        times = _times(lambda: torch.mm(left, right), seconds, _wait(device))
    finally:
        torch.set_num_threads(before)
    return 2e-9 * rows * inner * outer / statistics.median(times)


def _times(work: Any, seconds: float, wait: Any) -> list[float]:
    for _ in range(3):
        work()
    wait()
    times: list[float] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter()
        work()
        wait()
        times.append(time.perf_counter() - start)
    return times


def _wait(device: str) -> Any:
    import torch

    return torch.cuda.synchronize if device.startswith("cuda") else lambda: None


# -- what the system says -------------------------------------------------------------------------


def _cpuinfo(root: Path) -> dict[str, str]:
    lines = (_text(root / "proc/cpuinfo") or "").partition("\n\n")[0].splitlines()
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}


def _system_memory(root: Path) -> tuple[int, int]:
    found: dict[str, int] = {}
    for line in (_text(root / "proc/meminfo") or "").splitlines():
        name, _, value = line.partition(":")
        if value.split() and value.split()[0].isdigit():
            found[name] = int(value.split()[0]) * 1024
    if "MemTotal" in found:
        return found["MemTotal"], found.get("MemAvailable", found.get("MemFree", 0))
    try:
        import psutil
    except ImportError:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        return total, total // 2
    seen = psutil.virtual_memory()
    return int(seen.total), int(seen.available)


def _groups(root: Path) -> Iterator[Path]:
    """The process's control groups of either version, each with all above it: the tightest limit holds."""
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        for controller in controllers.split(","):  # empty in version 2
            base = root / "sys/fs/cgroup" / controller
            group = base / path.strip("/")
            yield from (step for step in (group, *group.parents) if step.is_relative_to(base))


def _quota(group: Path) -> tuple[int, int]:
    """CPU time and the period it is for, in microseconds; zeros where there is no limit."""
    if words := (_text(group / "cpu.max") or "").split():
        return (int(words[0]), int(words[1])) if len(words) == 2 and words[0].isdigit() else (0, 0)
    return _number(group / "cpu.cfs_quota_us") or 0, _number(group / "cpu.cfs_period_us") or 0


def _reclaimable(group: Path) -> int:
    """File pages that the kernel gives back when memory is asked for."""
    for line in (_text(group / "memory.stat") or "").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and value.strip().isdigit():
            return int(value)
    return 0


def _number(path: Path) -> int | None:
    text = (_text(path) or "").strip()
    return int(text) if text.isdigit() else None


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _compiler() -> str | None:
    return next((found for name in ("g++", "clang++", "c++") if (found := shutil.which(name))), None)


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _gpus() -> tuple[Gpu, ...]:
    import torch

    if not torch.cuda.is_available():
        return ()
    return tuple(_gpu(index) for index in range(torch.cuda.device_count()))


def _gpu(index: int) -> Gpu:
    import torch

    about = torch.cuda.get_device_properties(index)
    free, total = torch.cuda.mem_get_info(index)
    return Gpu(about.name, total, free, bfloat16=about.major >= 8)
