"""Hidden folders in which something is made before it takes its name; those of killed makers are cleared.

A maker holds a lock on its folder, which the kernel drops when the process ends, however it ends. Knows
nothing of what is made.
"""

from __future__ import annotations

import fcntl
import glob
import os
import shutil
import uuid
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path


@contextmanager
def alone(folder: Path) -> Generator[None]:
    """Keep other makers in `folder` waiting, so that none is seen whose lock is not there yet."""
    descriptor = _opened(folder)
    try:
        with suppress(OSError):  # network disks lock no folders
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


@contextmanager
def hidden(folder: Path, name: str) -> Generator[Path]:
    """A new folder `.NAME-…` in `folder`; gone at the end, unless it was renamed.

    Those of the same name whose makers were killed go first. Raises OSError.
    """
    work = folder / f".{name}-{uuid.uuid4().hex}"
    descriptor = None
    try:
        with alone(folder):
            _sweep(folder, name)
            work.mkdir()
            descriptor = _opened(work)
            with suppress(OSError):  # where none can be had, nobody finds one free either
                fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield work
    finally:
        shutil.rmtree(work, ignore_errors=True)
        if descriptor is not None:
            os.close(descriptor)


def _sweep(folder: Path, name: str) -> None:
    for left in folder.glob(f".{glob.escape(name)}-{'[0-9a-f]' * 32}"):
        with suppress(OSError):  # in use, or no folder at all
            descriptor = _opened(left)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(left, ignore_errors=True)
            finally:
                os.close(descriptor)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
