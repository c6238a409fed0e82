"""Long work in a process of its own, which goes on when the command that began it has ended.

What it says goes into a file of the store. Knows nothing of how it is done.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from selfedit.errors import StoreBusyError, StoreError

DOING = {"retrain": "retraining", "consolidate": "consolidating"}
"""What can be done in the background."""


@dataclass(frozen=True, slots=True)
class Background:
    """The process that is at it, and the file that it writes to."""

    log: Path
    pid: int | None
    """None if one was at work already: it will see what has become stale since."""


def begin(verb: str, store: Path, device: str = "auto") -> Background:
    """Have `verb` done to the store, by the process that is at it already or by a new one.

    The store must not be open for writing. Raises StoreError where none can be started.
    """
    place = Path(os.path.realpath(store))
    log = place / f"{verb}.log"
    if _at_work(verb, place):
        return Background(log, None)
    try:
        return Background(log, _start(command(verb, place, device), log, DOING[verb]))
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"{log}: {DOING[verb]} could not be started in the background ({why})") from error


def _at_work(verb: str, store: Path) -> bool:
    """Is the store's writer one that does so? It has begun after our own change, so that it knows of it."""
    from selfedit.store import Store

    try:
        Store.open(store, write=True, verb=verb).close()
    except StoreBusyError as error:
        return f"`selfedit {verb}`" in str(error)
    return False


def command(verb: str, store: Path, device: str) -> list[str]:
    """What is run. `-P`: a folder named selfedit where the user stands is not this program."""
    return [sys.executable, "-P", "-m", "selfedit", verb, "--store", str(store), "--device", device]


def _start(run: list[str], log: Path, doing: str) -> int:
    """Start a process that no terminal and no end of this one can stop; returns its id."""
    with log.open("ab", buffering=0) as output:
        output.write(f"-- {doing}, {datetime.now():%Y-%m-%d %H:%M:%S}\n".encode())
        process = subprocess.Popen(
            run,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    return process.pid
