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
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self, final

from selfedit.errors import StoreBusyError
from selfedit.store.failures import explained


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

    def __init__(self, descriptor: int) -> None:
        self._descriptor: int | None = descriptor

    @classmethod
    def acquire(cls, path: Path, verb: str) -> Self:
        """Take the lock at `path` at once. Raises StoreBusyError, which names who has it."""
        with explained("opening it for writing", path.parent):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(descriptor)
                if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
                    raise StoreBusyError(_busy(path)) from error
                raise
        _note(descriptor, Holder(os.getpid(), socket.gethostname(), verb))
        return cls(descriptor)

    def release(self) -> None:
        """Give the lock back. Further calls do nothing."""
        if self._descriptor is not None:
            with contextlib.suppress(OSError):
                os.ftruncate(self._descriptor, 0)
            os.close(self._descriptor)
            self._descriptor = None


def _note(descriptor: int, holder: Holder) -> None:
    """Name the holder in the file. Silent on failure: a full disk must not keep out who frees space."""
    with contextlib.suppress(OSError):
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)


def _busy(path: Path) -> str:
    try:
        holder = str(Holder(**json.loads(path.read_bytes())))
    except (OSError, ValueError, TypeError):
        holder = "another process"
    return f"{path.parent}: in use by {holder}; wait until it ends, or stop it, and run the command again"
