"""One writer at a time.

An advisory `flock` on a file that is closed on exec. The kernel drops it when the process ends, however it
ends; readers never ask for it. Knows nothing of journals and blobs.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import socket
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, final

from selfedit.errors import StoreBusyError
from selfedit.store.failures import explained

Waiting = Callable[[str], None]
"""Told in words, once, whom one waits for."""

_FIRST_LOOK, _LAST_LOOK = 0.02, 0.25
"""Seconds between two attempts: few at first, more later on."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What a writer is about to do, how many seconds it waits for the one before it, and who is told so."""

    verb: str = ""
    wait: float = 0.0
    waiting: Waiting | None = None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who holds a lock, as noted in its file for the one who is refused."""

    pid: int
    host: str
    verb: str

    def __str__(self) -> str:
        verb = f"`selfedit {self.verb}`, " if self.verb else ""
        return f"{verb}process {self.pid} on {self.host}"


@final
class WriteLock:
    """The right to write. Held from `acquire` to `release`, or to the end of the process."""

    def __init__(self, descriptor: int, turn: Turn) -> None:
        self._descriptor: int | None = descriptor
        self.turn = turn

    @classmethod
    def acquire(cls, path: Path, verb: str, *, wait: float = 0.0, waiting: Waiting | None = None) -> Self:
        """Take the lock at `path`, at once or within `wait` seconds (`math.inf`: when it is free).

        Raises StoreBusyError, which names who has it.
        """
        turn = Turn(verb, wait, waiting)
        with explained("opening it for writing", path.parent):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                await_turn(path.parent, lambda: _free(descriptor), lambda: _holder(path), turn)
            except BaseException:
                os.close(descriptor)
                raise
        _note(descriptor, Holder(os.getpid(), socket.gethostname(), verb))
        return cls(descriptor, turn)

    def release(self) -> None:
        """Give the lock back. Further calls do nothing."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def await_turn(place: Path, free: Callable[[], bool], holder: Callable[[], str], turn: Turn) -> None:
    """Ask `free` again and again, which takes the lock if it can: to block would know no time limit.

    Raises StoreBusyError after `turn.wait` seconds, which names the store at `place` and who has its lock.
    """
    until, pause, waiting = time.monotonic() + turn.wait, _FIRST_LOOK, turn.waiting
    while not free():
        left = until - time.monotonic()
        if left <= 0:
            raise StoreBusyError(busy(place, holder()))
        if waiting:
            waiting(f"{place}: waiting for {holder()}, which is writing to it")
            waiting = None
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LAST_LOOK)


def _free(descriptor: int) -> bool:
    """Take the lock if nobody has it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def _note(descriptor: int, holder: Holder) -> None:
    """Name the holder in the file. Silent on failure: a full disk must not keep out who frees space."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)


def busy(place: Path, holder: Holder | str) -> str:
    """The line for one who is refused."""
    return f"{place}: in use by {holder}; wait until it ends, or stop it, and run the command again"


def _holder(path: Path) -> str:
    try:
        return str(Holder(**json.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError):
        return "another process"
