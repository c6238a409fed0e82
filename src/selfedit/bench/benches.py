"""Which benchmark a name means."""

from __future__ import annotations

from importlib import import_module

from selfedit.bench.settings import Settings
from selfedit.bench.table import Row

MODULES = {name: f"selfedit.bench.{name}" for name in ("train", "generate", "score", "trial")}


def run(settings: Settings) -> list[Row]:
    """Run one benchmark to the end. Bad data or a bad model is a `SelfEditError` before anything is timed."""
    from selfedit.bench import workload

    workload.passages(settings)
    return import_module(MODULES[settings.name]).run(settings)
