"""The process that is killed: it works on a store and tells, call by call, what has been acknowledged.

What it tells goes through a pipe whose other end the killer holds: a JSON line before a step is entered, one
after the call has returned. No torch, no pytest.
"""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, final

from crash_steps import Step, choose
from crash_world import Known
from faults import Action, Faults
from samples import new_store

from selfedit.store import Store

PATIENCE = 120
"""Seconds after which a process that nobody has killed ends by itself, which is a problem."""
OPEN, CREATE = Step("open"), Step("create")


@dataclass(frozen=True)
class Aim:
    """Where the process is to end: inside `step`; if `action` says how, at its `nth` call of this kind."""

    step: str
    action: Action | None = None
    nth: int = 0
    kind: tuple[str, str] | None = None


@dataclass(frozen=True)
class Place:
    """What the process works on: a folder with the store and its backups."""

    folder: Path
    journal: str = ""
    """URL of the database that the store's journal is in, if it is in one."""

    @property
    def store(self) -> Path:
        return self.folder / "memory"

    @property
    def backups(self) -> Path:
        return self.folder / "backups"

    def make(self) -> Store:
        return new_store(self.store, self.journal)


@final
class Driver:
    """Takes steps on the store at `place` until it is killed."""

    def __init__(self, place: Place, aim: Aim, rng: random.Random, report: int) -> None:
        self._place = place
        self._aim = aim
        self._rng = rng
        self._report = report
        self._faults = Faults.loaded()

    def run(self, known: Known) -> None:
        """Open the store (or make it, if there is none) and go on for ever; it holds `known`."""
        if Store.exists(self._place.store):
            store = self._take(OPEN, lambda: Store.open(self._place.store, write=True, verb="learn"))
        else:
            store = self._take(CREATE, self._place.make)
        if self._aim.step in ("open", "create"):  # survived, and not to be taken again
            self._aim = replace(self._aim, step="learn")
        while True:
            wanted = self._aim.step if self._rng.random() < 0.8 else None
            step = choose(self._rng, store, known, wanted)
            self._take(step, step.prepare(store, known, self._place.backups))
            known = step.after(known)

    def _take(self, step: Step, deed: Callable[[], Any]) -> Any:
        self._tell(enter=asdict(step))
        began = time.monotonic()
        if armed := self._faults if self._aim.action and self._aim.step == step.name else None:
            armed.arm(self._place.folder, self._aim.action, self._aim.nth, report=self._report)
            armed.only(self._aim.kind or ("", ""))
        result = deed()
        if armed:
            armed.disarm()  # there was no such call: any other will do
            self._aim = replace(self._aim, nth=self._rng.randint(1, armed.total()), kind=None)
        self._tell(done=step.name, seconds=time.monotonic() - began)
        return result

    def _tell(self, **line: Any) -> None:
        os.write(self._report, json.dumps(line).encode() + b"\n")


def run_child(place: Place, aim: Aim, seed: str, known: Known) -> tuple[int, int]:
    """Fork a driver; returns its process id and the descriptor that its lines can be read from."""
    reader, writer = os.pipe()
    if child := os.fork():
        os.close(writer)
        return child, reader
    try:
        os.close(reader)
        signal.alarm(PATIENCE)
        Driver(place, aim, random.Random(seed), writer).run(known)
    except BaseException as error:
        os.write(writer, json.dumps({"failed": f"{type(error).__name__}: {error}"}).encode() + b"\n")
    finally:
        os._exit(1)
