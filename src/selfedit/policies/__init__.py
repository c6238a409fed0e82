"""Adapters and the like that ship, found by the weights' hash of the built-in base that they stand on.

The writer, with which the base writes better notes; the judge, which says whether an answer is right; the
guard, which tells orders to the model from all else.
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


def guard_file(worker: Worker) -> Path | None:
    """The file of the guard that ships for the worker's base, or None."""
    folder = _folder(worker, "-guard")
    return folder / "guard.json" if folder else None


def _load(worker: Worker, kind: str) -> Adapter | None:
    folder = _folder(worker, kind)
    if folder is None:
        return None
    from selfedit.engine import Adapter

    return Adapter.load(folder)


def _folder(worker: Worker, kind: str) -> Path | None:
    name = SHIPPED.get(worker.base[:8])
    folder = Path(__file__).parent / f"{name}{kind}" if name else None
    return folder if folder and folder.is_dir() else None
