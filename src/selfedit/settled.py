"""What a run chose for its machine: recorded when it begins, and kept to when it goes on.

How work is cut into batches, and by how many threads it is summed, moves the last bits of what comes out. A
run that goes on therefore chooses as it did when it began, so long as it is the same kind of machine.
"""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from platform import python_version
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from selfedit.store import Store
    from selfedit.workers import Worker

KIND = "machine"
"""Of the report that it is kept as; its subject is the run."""
LIBRARIES = ("selfedit", "torch", "transformers", "safetensors")


def settle(store: Store, worker: Worker, run: str) -> None:
    """Let the worker choose as the run has begun, or note how it begins. The store is open for writing."""
    held = store.report(KIND, run)
    now = worker.settings()
    if held is not None and all(held["settings"].get(name) == now.get(name) for name in ("device", "dtype")):
        worker.adopt(held["settings"])
        return
    worker.adopt(now)
    store.keep_report(KIND, run, {"settings": now, "versions": versions()})


def versions() -> dict[str, str]:
    """Of Python and of the libraries that move results."""
    return {"python": python_version(), **{name: found for name in LIBRARIES if (found := _version(name))}}


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def known(store: Store, run: str) -> dict[str, Any] | None:
    """Settings and versions that a run has begun with; None where it has not."""
    found = store.report(KIND, run)
    return None if found is None else dict(found)
