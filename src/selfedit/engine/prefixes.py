"""Which states of heads to keep on disk, so that the next fold can begin there and not at the base.

A cache, named by what it holds: a state is never stale, any file may vanish at any time, and where the disk
refuses there is simply no cache. Knows nothing of how states are made.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import time
from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Protocol, final

import torch

from selfedit.engine.machine import processor_kind
from selfedit.engine.states import (
    FORMAT,
    INCOMING,
    SUFFIX,
    Kept,
    Shapes,
    TornError,
    Writer,
    adapters_of,
    remove,
)
from selfedit.types import Head, content_hash

LIMIT = 4 << 30
"""Bytes that the states of one folder may take, where nothing else is said."""
DISK_SHARE = 4
"""Never more than one part in so many of the disk that is free (or taken by states)."""
WORTH_SECONDS = 1.0
"""A fold that takes less than this from the nearest state on is repeated, not kept."""
MOST_AT_ONCE = 8
"""States that one long fold leaves behind."""
DISK_RATE = 1e9
"""Bytes a second, by estimate: a state must save more than its reading and writing take."""
APART = 4
"""States that one fold leaves on its way are so many times further apart than one is worth keeping: to write
one costs about what it saves at the least."""
PRODUCT_RATE = {"cpu": 3.5e10, "cuda": 1e12}
"""Multiplications a second of a thin product, by estimate."""
ABANDONED_SECONDS = 3600.0
"""An unfinished file that nobody has touched for so long is its writer's who was killed."""

SHORT = 16
"""Characters of an adapter's hash by which states are compared; what is used is compared in full."""

_NAME = re.compile(rf"[0-9a-f]{{64}}\.[0-9a-f]{{8}}{re.escape(SUFFIX)}")


class Folding(Protocol):
    """What this module needs to know of a fold."""

    begin: int
    """How many adapters it holds at the start."""
    lasting: int
    """How many of its first adapters lie in files: what lies in memory alone may never be history."""
    wide: torch.dtype

    def changed(self, count: int) -> Shapes: ...

    def products(self) -> Items[int]: ...


def arithmetic(device: torch.device, dtype: torch.dtype) -> str:
    """A short name of all that the last bits of a fold depend on, beside base and adapters."""
    made = [FORMAT, str(dtype), torch.__version__, device.type]
    if device.type == "cuda":
        made += [torch.cuda.get_device_name(device), str(torch.version.cuda)]
    else:
        made += [torch.backends.cpu.get_cpu_capability(), processor_kind()]
    return content_hash(made)[:8]


@final
class Prefixes:
    """The states in one folder that one kind of arithmetic has made, and the room that they may take."""

    def __init__(self, folder: Path, limit: int, kind: str, device: str = "cpu") -> None:
        self.folder, self.limit, self.kind, self.device = folder, limit, kind, device
        self._refused: set[Path] = set()

    def longest(self, head: Head) -> Kept | None:
        """The state that holds most of the head's first adapters, opened; its use is noted."""
        line = _line(head)
        found = [each for each in self._states() if line[: len(each.line)] == each.line and self._ours(each)]
        for state in sorted(found, key=lambda each: -len(each.line)):
            exact = Head(head.base, head.adapters[: len(state.line)])
            if state.path.name != self._name(exact.id) or state.path in self._refused:
                continue
            with contextlib.suppress(OSError):
                os.utime(state.path)
            try:
                return Kept(state.path)
            except TornError:
                remove(state.path)
            except OSError:
                continue
        return None

    def refuse(self, state: Kept) -> None:
        """It is no good: close and delete it, and where that cannot be, never take it again."""
        state.close()
        remove(state.path)
        if state.path.exists():
            self._refused.add(state.path)

    def writers(self, head: Head, fold: Folding) -> list[Writer]:
        """Writers of the states that are worth keeping of this fold, room made for them; often none."""
        rate = PRODUCT_RATE.get(self.device, max(PRODUCT_RATE.values()))
        seconds = [products / rate for products in fold.products()[: fold.lasting]]
        size = fold.wide.itemsize * sum(prod(shape) for shape in fold.changed(fold.lasting).values())
        least = max(WORTH_SECONDS, 2 * size / DISK_RATE)
        if sum(seconds[fold.begin :]) < least:
            return []
        made: list[Writer] = []
        try:
            for count in self._room(_line(head), size, partial(points, seconds, fold.begin, least)):
                prefix = Head(head.base, head.adapters[:count])
                path = self.folder / self._name(prefix.id)
                made.append(Writer(path, _line(prefix), fold.changed(count), fold.wide))
        except OSError:
            for writer in made:
                writer.close()
            return []
        return made

    def _room(self, line: tuple[str, ...], size: int, wanted: Callable[[int], list[int]]) -> list[int]:
        """Make room for states of `size` bytes after as many adapters as `wanted` says of the free places."""
        self.folder.mkdir(exist_ok=True)
        self._sweep()
        states = self._states()
        taken = sum(state.bytes for state in states)
        room = min(self.limit, (shutil.disk_usage(self.folder).free + taken) // DISK_SHARE)
        counts = wanted(min(MOST_AT_ONCE, room // max(1, size)))
        for state in victims(states, line, counts, taken + len(counts) * size - room):
            remove(state.path)
        return counts

    def _name(self, head: str) -> str:
        return f"{head}.{self.kind}{SUFFIX}"

    def _ours(self, state: State) -> bool:
        return state.path.name.endswith(f".{self.kind}{SUFFIX}")

    def _states(self) -> list[State]:
        """All states in the folder, of other kinds too; a torn one is deleted, other files are left alone."""
        found: list[State] = []
        try:
            files = sorted(file for file in self.folder.iterdir() if _NAME.fullmatch(file.name))
        except OSError:
            return []
        for file in files:
            try:
                status = file.stat()
                found.append(State(file, adapters_of(file), status.st_size, status.st_mtime))
            except OSError:
                continue
            except TornError:
                remove(file)
        return found

    def _sweep(self) -> None:
        for left in self.folder.glob(f"{INCOMING}*"):
            with contextlib.suppress(OSError):
                if time.time() - left.stat().st_mtime > ABANDONED_SECONDS:
                    left.unlink()


# -- what to keep ------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class State:
    """A file of the cache, as its header tells."""

    path: Path
    line: tuple[str, ...]
    """The adapters that it holds, in short."""
    bytes: int
    used: float
    """When it was last of use."""


def points(seconds: Items[float], begin: int, least: float, slots: int) -> list[int]:
    """After how many adapters a fold that begins at `begin` is to leave a state.

    At its end, if that saves `least` seconds, and evenly before it: as `slots` states over the whole head
    would be, or further apart.
    """
    if slots < 1:
        return []
    spacing = max(APART * least, sum(seconds) / slots)
    found: list[int] = []
    before, since = sum(seconds[begin:]), spacing
    for count in range(len(seconds), begin, -1):
        if since >= spacing and before >= least:
            found.append(count)
            since = 0.0
        since += seconds[count - 1]
        before -= seconds[count - 1]
    return found[:slots]


def victims(states: Items[State], line: tuple[str, ...], counts: Iterable[int], over: int) -> list[State]:
    """Which states must go so that `over` bytes become free, when `counts` of `line` are about to come.

    First those of other histories, the one that was of no use for longest before others; then, of this one,
    the state whose loss costs least, so that those that stay are spread out. The furthest one stays longest.
    """
    left, chosen = list(states), list[State]()
    while over > 0 and left:
        victim = min(left, key=_ranks(left, line, counts))
        left.remove(victim)
        chosen.append(victim)
        over -= victim.bytes
    return chosen


def _ranks(
    states: Items[State], line: tuple[str, ...], counts: Iterable[int]
) -> Callable[[State], tuple[bool, bool, int, float]]:
    here = sorted({0, *counts, *(len(each.line) for each in states if _related(each.line, line))})
    lost = {after: after - before for before, after in pairwise(here)}

    def rank(state: State) -> tuple[bool, bool, int, float]:
        if not _related(state.line, line):
            return False, False, 0, state.used
        count = len(state.line)
        return True, count == here[-1], lost.get(count, 0), state.used

    return rank


def _related(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether one of the two goes on where the other ends."""
    shared = min(len(one), len(other))
    return one[:shared] == other[:shared]


def _line(head: Head) -> tuple[str, ...]:
    return tuple(adapter.hash[:SHORT] for adapter in head.adapters)
