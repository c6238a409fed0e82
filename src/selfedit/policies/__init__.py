"""Adapters that ship, found by the weights' hash of the built-in base that they stand on.

The writer, with which the base writes better notes, and the judge, which says whether an answer is right.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker


SHIPPED = {"a672150f": "smollm2-135m"}
"""Beginning of the base's weights hash → folder of its policy."""


def shipped(worker: Worker) -> Adapter | None:
    """The policy that ships for the worker's base, or None: then the base writes by itself."""
    return _load(worker, "")


def shipped_judge(worker: Worker) -> Adapter | None:
    """The judge that ships for the worker's base, or None."""
    return _load(worker, "-judge")


def _load(worker: Worker, kind: str) -> Adapter | None:
    name = SHIPPED.get(worker.base[:8])
    folder = Path(__file__).parent / f"{name}{kind}" if name else None
    if folder is None or not folder.is_dir():
        return None
    from selfedit.engine import Adapter

    return Adapter.load(folder)
