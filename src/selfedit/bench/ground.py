"""What the four benchmarks share: the two running sides, and the facts that every row carries."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, Protocol

from selfedit.bench import machine
from selfedit.bench.process import running
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row

TOLERANCE = {"float64": 1e-6, "float32": 2e-3, "bfloat16": 5e-2}
"""How far two sides' losses or log-probabilities may differ, relatively. Adam amplifies rounding."""


class Side(Protocol):
    """Something that answers verbs: a process, or in a test the verbs themselves."""

    def ask(self, verb: str, **arguments: Any) -> Any: ...


@dataclass(frozen=True)
class Ground:
    """Ours and the rival, both running, and one folder for what they hand each other."""

    settings: Settings
    """Device and dtype resolved."""
    ours: Side
    theirs: Side
    theirs_settings: Settings
    """The same, but the base is the folder that ours resolved it to."""
    folder: str
    facts: dict[str, Any]
    gemm_gflops: float
    note: Callable[[str], None]

    @property
    def shape(self) -> machine.Shape:
        return machine.Shape(**self.facts["shape"])

    def row(self, case: str, rival: str, rates: tuple[float, float], unit: str, **more: Any) -> Row:
        name = self.settings.name
        where = machine.name(self.settings.device, self.settings.dtype)
        return Row(name, case, rival, *rates, unit, where, {"gemm_gflops": self.gemm_gflops, **more})

    def shares(self, flops: float, rates: tuple[float, float]) -> dict[str, float]:
        """Share of the probed GEMM rate that each side's arithmetic comes to at `flops` a token."""
        ours, theirs = (rate * flops / 1e9 / self.gemm_gflops for rate in rates)
        return {"ours_gemm_share": ours, "theirs_gemm_share": theirs}


def both(key: str, ours: Any, theirs: Any) -> dict[str, Any]:
    return {f"ours_{key}": ours, f"theirs_{key}": theirs}


def mean_seconds(runs: list[Any]) -> float:
    return sum(run["seconds"] for run in runs) / len(runs)


def progress(text: str) -> None:
    print(f"bench: {text}", file=sys.stderr, flush=True)


@contextmanager
def prepared(settings: Settings, note: Callable[[str], None] = progress) -> Iterator[Ground]:
    """Start both sides on one model. The rivals load the folder that our engine resolved the base to."""
    device, dtype = machine.resolve(settings.device, settings.dtype)
    settings = replace(settings, device=device, dtype=dtype)
    note(f"{settings.name}: loading {settings.base} on {machine.name(device, dtype)}")
    with tempfile.TemporaryDirectory(prefix="selfedit-bench-") as folder, running("ours", settings) as ours:
        theirs_settings = replace(settings, base=ours.ask("path"))
        with running("theirs", theirs_settings) as theirs:
            facts = theirs.ask("facts")
            gemm = theirs.ask("gemm")
            note(f"{settings.name}: GEMM probe {gemm:.0f} GFLOP/s")
            yield Ground(settings, ours, theirs, theirs_settings, folder, facts, gemm, note)
