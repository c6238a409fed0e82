"""Retraining in a process of its own, which goes on when the command that began it has ended.

What it says goes into a file of the store. Knows nothing of how retraining is done.
"""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from selfedit.errors import StoreBusyError, StoreError

LOG = "retrain.log"
VERB = "retrain"


@dataclass(frozen=True, slots=True)
class Background:
    """The process that retrains, and the file that it writes to."""

    log: Path
    pid: int | None
    """None if one was at work already: it will see what has become stale since."""


def retrain(store: Path, device: str = "auto") -> Background:
    """Have the store's stale commits retrained, by the process that is at it already or by a new one.

    The store must not be open for writing. Raises StoreError where none can be started.
    """
    place = Path(os.path.realpath(store))
    log = place / LOG
    if _at_work(place):
        return Background(log, None)
    try:
        return Background(log, _start(command(place, device), log))
    except OSError as error:
        why = error.strerror or str(error)
        raise StoreError(f"{log}: retraining could not be started in the background ({why})") from error


def _at_work(store: Path) -> bool:
    """Is the store's writer one that retrains? It has begun after our own change, so that it knows of it."""
    from selfedit.store import Store

    try:
        Store.open(store, write=True, verb=VERB).close()
    except StoreBusyError as error:
        return f"`selfedit {VERB}`" in str(error)
    return False


def command(store: Path, device: str) -> list[str]:
    """What is run. `-P`: a folder named selfedit where the user stands is not this program."""
    return [sys.executable, "-P", "-m", "selfedit", VERB, "--store", str(store), "--device", device]


def _start(run: list[str], log: Path) -> int:
    """Start a process that no terminal and no end of this one can stop; returns its id."""
    with log.open("ab", buffering=0) as output:
        output.write(f"-- retraining, {datetime.now():%Y-%m-%d %H:%M:%S}\n".encode())
        process = subprocess.Popen(
            run,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
    return process.pid
