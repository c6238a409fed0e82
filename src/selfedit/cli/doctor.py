"""`selfedit doctor`: what this machine has, how fast it multiplies, and what would be slow on it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output

if TYPE_CHECKING:
    from selfedit.engine.machine import Machine

GB = 1e9
LITTLE_MEMORY = 4 * GB
LITTLE_DISK = 3 * GB
LITTLE_GPU = 6 * GB

Rule = tuple[bool, str, str]
"""Whether it holds here, what it is, and what helps."""


@dataclass(frozen=True, slots=True)
class Rate:
    """What the multiplication probe measured."""

    device: str
    dtype: str
    threads: int
    gflops: float


@dataclass(frozen=True, slots=True)
class Advice:
    """Something that would be slow or fail here, and what helps."""

    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Cache:
    """Where models are kept, what is free there, and whether the built-in one lies there."""

    path: Path
    free: int
    fetched: bool


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """All that the doctor says; `device` and `dtype` are those that `auto` stands for here."""

    machine: Machine
    device: str
    dtype: str
    rates: tuple[Rate, ...]
    cache: Cache
    advice: tuple[Advice, ...]


def verb(
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Say what machine this is, how fast it multiplies, and what would be slow on it."""
    found = diagnose()
    if json:
        output.document(found)
    else:
        _show(found)


def diagnose() -> Diagnosis:
    """Look, measure (some two seconds), and judge."""
    from selfedit.engine import catalog
    from selfedit.engine.machine import free_disk, probe

    machine = probe()
    path = catalog.default_cache()
    cache = Cache(path, free_disk(path), fetched=all(model.cached for model in catalog.known()))
    rates = measure(machine)
    device, dtype = ("cuda", "bfloat16") if machine.gpus else ("cpu", "float32")
    return Diagnosis(machine, device, dtype, rates, cache, advise(machine, rates, cache))


def measure(machine: Machine) -> tuple[Rate, ...]:
    """The processor in float32 on one thread and on all cores, in bfloat16, and the first GPU."""
    from selfedit.engine.machine import gemm_rate

    cases = [("cpu", "float32", threads) for threads in sorted({1, machine.cores})]
    cases.append(("cpu", "bfloat16", 1))
    if machine.gpus:
        cases.append(("cuda", "bfloat16", 1))
    return tuple(
        Rate(device, dtype, threads, gemm_rate(dtype, threads, device=device))
        for device, dtype, threads in cases
    )


def advise(machine: Machine, rates: Sequence[Rate], cache: Cache) -> tuple[Advice, ...]:
    """What would be slow or fail. Decides from what was found; looks at nothing itself."""
    rules = (*_about_speed(machine, rates), *_about_room(machine, cache), *_about_software(machine, cache))
    return tuple(Advice(what, remedy) for holds, what, remedy in rules if holds)


def _about_speed(machine: Machine, rates: Sequence[Rate]) -> list[Rule]:
    one = _rate(rates, "float32", 1)
    threads = _rate(rates, "float32", machine.cores) / one if one else 1.0
    half = _rate(rates, "bfloat16", 1) / one if one else 1.0
    return [
        (
            not machine.gpus,
            "there is no GPU: models above some 0.5 B parameters take hours to train",
            "stay with smollm2-135m here, or use a machine with CUDA for larger ones",
        ),
        (
            machine.cores > 1 and threads < 1.2,
            f"{machine.cores} threads run {threads:.1f} times as fast as one: they are busy or throttled",
            "stop what else is running, or set OMP_NUM_THREADS=1",
        ),
        (
            0 < half < 1,
            f"bfloat16 runs at {half:.1f} times the rate of float32 on this processor",
            "leave dtype at auto, which takes float32",
        ),
    ]


def _about_room(machine: Machine, cache: Cache) -> list[Rule]:
    gpus: list[Rule] = [
        (
            gpu.memory_free < LITTLE_GPU,
            f"{gpu.name} has {output.size(gpu.memory_free)} of memory free",
            "stop what else is using it, or name another with CUDA_VISIBLE_DEVICES",
        )
        for gpu in machine.gpus
    ]
    return [
        *gpus,
        (
            machine.memory_available < LITTLE_MEMORY,
            f"{output.size(machine.memory_available)} of memory is free: fewer adapters train at once",
            "close other programs; some 6 GB lets the built-in model use the whole machine",
        ),
        (
            cache.free < LITTLE_DISK,
            f"{output.size(cache.free)} of disk is free under {cache.path}",
            "make room, or set SELFEDIT_CACHE to another disk",
        ),
    ]


def _about_software(machine: Machine, cache: Cache) -> list[Rule]:
    return [
        (
            machine.compiler is None,
            "there is no C++ compiler: norms and activations run unfused",
            "install g++ (on Debian and Ubuntu: apt install g++)",
        ),
        (
            machine.nvidia_driver and not machine.gpus,
            "an NVIDIA driver is here, but this torch cannot use it",
            "install torch built for CUDA: https://pytorch.org/get-started",
        ),
        (
            not cache.fetched,
            "the built-in model is not fetched: the first run takes about a minute more",
            "run: selfedit models fetch smollm2-135m",
        ),
    ]


def _rate(rates: Sequence[Rate], dtype: str, threads: int) -> float:
    return next((r.gflops for r in rates if (r.device, r.dtype, r.threads) == ("cpu", dtype, threads)), 0.0)


def _show(found: Diagnosis) -> None:
    output.pairs(_facts(found))
    output.table(
        ["multiplies on", "in", "threads", "GFLOP/s"],
        [[rate.device, rate.dtype, rate.threads, round(rate.gflops, 1)] for rate in found.rates],
    )
    for item in found.advice:
        print(f"! {item.what}\n  {item.remedy}")
    if not found.advice:
        print("Nothing here would be slow.")


def _facts(found: Diagnosis) -> dict[str, str]:
    machine = found.machine
    native = ", native bfloat16" if machine.bfloat16 else ""
    gpus = {
        f"GPU {index}": f"{gpu.name}, {_free(gpu.memory_free, gpu.memory_total)}"
        for index, gpu in enumerate(machine.gpus)
    }
    versions = (f"{name} {version or 'missing'}" for name, version in machine.versions.items())
    return {
        "system": machine.system,
        "processor": f"{machine.processor}, {machine.cores} cores to use{native}",
        "memory": _free(machine.memory_available, machine.memory_total),
        **gpus,
        "device": f"{found.device}, {found.dtype}",
        "disk": f"{output.size(found.cache.free)} free under {found.cache.path}",
        "compiler": machine.compiler or "none",
        "versions": ", ".join(versions),
    }


def _free(free: int, total: int) -> str:
    return f"{output.size(free)} free of {output.size(total)}"
