"""The library that makes chosen system calls fail (faults.c): building it, loading it, aiming it.

It must be loaded before the C library, so a program that wants it is started with `environment`. Knows
nothing of stores.
"""

from __future__ import annotations

import ctypes
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path
from typing import Self, final

SOURCE = Path(__file__).with_name("faults.c")
REQUIRED = ("CI", "SELFEDIT_REQUIRE_COMPILER")
"""Where one of these is set, tests fail without the library in place of being skipped."""
_LIBRARY = "SELFEDIT_FAULTS"


class Action(IntEnum):
    """What befalls the call whose turn it is: the numbers that faults.c knows."""

    COUNT = 1
    FAIL = 2
    SHORT = 3
    KILL_BEFORE = 4
    KILL_AFTER = 5
    KILL_HALFWAY = 6


@dataclass(frozen=True)
class Call:
    """A system call that can change the disk: its place among those of an operation, and the file."""

    nth: int
    name: str
    file: str

    @classmethod
    def read(cls, line: str) -> Self:
        """From a line of the library's: `struck NTH NAME FILE`, or `seen` in place of `struck`."""
        _, nth, name, file = line.rstrip("\n").split(" ", 3)
        return cls(int(nth), name, file)

    @property
    def kind(self) -> tuple[str, str]:
        """Its name, and a pattern for the file's name without what differs from one file to the next."""
        name = re.sub(r"[0-9a-f]{32,}", "*", Path(self.file).name)
        return self.name, re.sub(r"^[0-9a-f]{2}$", "[0-9a-f][0-9a-f]", name)

    @property
    def writes(self) -> bool:
        """Can it come to half of what was asked?"""
        return self.name in {"write", "pwrite", "pwrite64", "sendfile", "sendfile64", "copy_file_range"}


def why_not() -> str | None:
    """Why the library cannot be had here, or None."""
    if sys.platform != "linux":
        return f"system calls are struck by LD_PRELOAD, which {sys.platform} does not have"
    return (
        None if _compiler() else f"no C compiler for {SOURCE.name} (Debian and Ubuntu: apt-get install gcc)"
    )


def build(folder: Path) -> Path:
    """Compile the library into `folder`."""
    library = folder / "faults.so"
    flags = ["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror"]
    subprocess.run([_compiler() or "cc", *flags, "-o", library, SOURCE, "-ldl"], check=True)
    return library


def environment(library: Path) -> dict[str, str]:
    """The variables under which a program has the library."""
    return {"LD_PRELOAD": str(library), _LIBRARY: str(library)}


@final
class Faults:
    """The library in this process. It counts and strikes calls of this process alone."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL(os.environ[_LIBRARY])
        for name in ("faults_struck", "faults_total"):
            getattr(self._library, name).restype = ctypes.c_long

    @classmethod
    def loaded(cls) -> Self | None:
        """The library, if this program runs under it."""
        return cls() if _LIBRARY in os.environ else None

    def arm(
        self,
        folder: Path,
        action: Action,
        nth: int = 0,
        *,
        error: int = 0,
        lasting: bool = False,
        report: int = -1,
    ) -> None:
        """Strike the `nth` call (from 1) on files below `folder`, and tell it the descriptor `report`.

        COUNT strikes none and reports each. `lasting`: whatever comes after it and that a full disk
        (ENOSPC) or a dead one would refuse fails as well.
        """
        place = os.fsencode(os.path.realpath(folder))
        self._library.faults_arm(
            place, int(action), ctypes.c_long(nth), int(error), int(lasting), int(report)
        )

    def only(self, kind: tuple[str, str]) -> None:
        """Count and strike only calls of this kind (a name, and a pattern that the file's name fits)."""
        self._library.faults_only(*(each.encode() for each in kind))

    def disarm(self) -> int:
        """Strike no more; returns how many calls have been struck."""
        self._library.faults_disarm()
        return self._library.faults_struck()

    def total(self) -> int:
        """How many calls, of whatever kind, there have been since `arm`."""
        return self._library.faults_total()


def _compiler() -> str | None:
    return next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
