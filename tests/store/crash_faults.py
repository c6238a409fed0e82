"""Makes system calls fail under each operation of a store, one call at a time, and looks at what that does.

Run as a program under faults.c: `crash_faults.py FOLDER EVERY [STEP...]` prints a JSON line for each fault:
one at every so many-th call of each step and at the first of each kind, where all of them are tried if EVERY
is 1. Asked of each: one clear line, a store that holds what it held, and the same step succeeding afterwards.
"""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Container, Generator, Iterator
from collections.abc import Sequence as Items
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import final

from crash_driver import CREATE, OPEN, Place
from crash_steps import Step
from crash_world import Known, difference, half_done, not_erased, superfluous
from faults import Action, Call, Faults
from samples import new_store

from selfedit.errors import StoreError
from selfedit.store import Store


@dataclass(frozen=True)
class Fault:
    """What is done to a call: an error or half of the bytes, once or from then on."""

    name: str
    action: Action
    error: int = 0
    lasting: bool = False

    def fits(self, call: Call) -> bool:
        return call.writes or self.action is Action.FAIL


FAULTS = (
    Fault("ENOSPC", Action.FAIL, errno.ENOSPC),
    Fault("EIO", Action.FAIL, errno.EIO),
    Fault("short write", Action.SHORT),
    Fault("short write, then full", Action.SHORT, errno.ENOSPC, lasting=True),
    Fault("full from then on", Action.FAIL, errno.ENOSPC, lasting=True),
    Fault("dead from then on", Action.FAIL, errno.EIO, lasting=True),
)

LEARN = Step("learn", 5, 5, 1, stacked=True, head=(1, 2, 4, 5))
RETRAIN = Step("retrain", 5, 4, 1, 4, stacked=True, head=(1, 2, 5))
STEPS = {
    "create": CREATE,
    "open": OPEN,
    "recover": Step("recover"),
    "recover as a reader": Step("recover as a reader"),
    "learn": LEARN,
    "retrain": RETRAIN,
    "trial": Step("trial", doc=5),
    "report": Step("report"),
    "round": Step("round", 2),
    "drop": Step("drop"),
    "revert": Step("revert", head=(1, 4)),
    "gc": Step("gc"),
    "erase": Step("erase", doc=3),
    "backup": Step("backup", 1),
}
"""What is tried. Recovering is opening what a process left that was killed just before its commit counted."""
BEFORE = (
    *(Step("learn", 1, 1, None, head=(1,)), Step("learn", 2, 2, 1, stacked=True, head=(1, 2))),
    *(Step("trial", doc=3), Step("learn", 3, 3, None, head=(1, 2, 3)), Step("revert", head=(1, 2))),
    *(Step("learn", 4, 4, 2, stacked=True, head=(1, 2, 4)), Step("round", 1)),
)
"""What the store has seen before the step that is tried: commit 3 is dead and can be erased, a run is on."""


@dataclass(frozen=True)
class Tried:
    """What came of one fault."""

    step: str
    fault: str
    call: str
    file: str
    nth: int
    calls: int
    """How many calls failed; more than one where the disk stays full."""
    line: str | None
    """What the operation said; None if it succeeded all the same."""
    stored: bool
    """Is what the operation does in the store all the same, though it failed?"""
    problems: tuple[str, ...]


@final
class Attempt:
    """One step on one copy of a store, to be taken as often as it must."""

    def __init__(self, step: Step, place: Place, known: Known) -> None:
        self.step = step
        self.place = place
        self._known = known
        self._store = None if step.name in DOORS else Store.open(place.store, write=True, verb="try")

    def prepare(self) -> Callable[[], object]:
        """The step, ready to be taken."""
        if self._store:
            return self.step.prepare(self._store, self._known, self.place.backups)
        return partial(DOORS[self.step.name], self.place.store)

    def stored(self) -> Known | None:
        """What the store holds now; None if there is none."""
        if not Store.exists(self.place.store):
            return None
        with Store.open(self.place.store) as reader:
            return Known.read(reader)

    def done(self, found: Known | None) -> bool:
        """Is the step in the store that holds `found` as a whole, so that it cannot be taken again?"""
        match self.step.name:
            case "create":
                return found is not None
            case "backup":
                return (self.place.backups / "1").exists()
            case _:
                return found == self.step.after(self._known) != self._known and self.step.name != "erase"

    def problems(self, whole: Container[str]) -> Iterator[str]:
        """Whatever is not as it should be once the step has been taken."""
        after = self.step.after(self._known)
        with Store.open(self.place.store) as reader:
            yield from difference(after, Known.read(reader))
            yield from half_done(reader, after, skip=whole)
            yield from not_erased(reader, after)
            yield from superfluous(reader, after) if self.step.name in ("gc", "erase") else ()
        beside = {each.name for each in self.place.folder.iterdir()} - {"memory", "backups"}
        yield from (f"left over: {each}" for each in sorted(beside))
        for target in self.place.backups.iterdir():
            with Store.open(target) as backup:
                yield from (f"backup: {each}" for each in difference(after, Known.read(backup)))
                yield from (f"backup: {each}" for each in half_done(backup, after))

    def close(self) -> None:
        if self._store:
            self._store.close()


def _open(path: Path) -> None:
    with Store.open(path, write=True, verb="try") as store:
        store.log()


def _read(path: Path) -> None:
    Store.open(path).log()


DOORS = {
    "create": lambda path: new_store(path).close(),
    "open": _open,
    "recover": _open,
    "recover as a reader": _read,
}
"""Steps that begin without an open store."""


@final
class Trials:
    """Tries steps on copies of one store, under `folder`."""

    def __init__(self, folder: Path, faults: Faults) -> None:
        self._folder = folder
        self._faults = faults
        self._template = Place(folder / "template")
        self._template.backups.mkdir(parents=True)
        known = Known()
        with new_store(self._template.store) as store:
            for step in BEFORE:
                step.prepare(store, known, self._template.backups)()
                known = step.after(known)
            self._whole = {commit.id for commit in store.log()}
        self._known = known
        self._broken = Place(folder / "broken")
        shutil.copytree(self._template.folder, self._broken.folder)
        self._break(self._broken)

    def calls(self, step: Step) -> list[Call]:
        """The calls that the step makes when nothing fails."""
        with self._ready(step) as attempt, tempfile.TemporaryFile("w+") as seen:
            deed = attempt.prepare()
            self._faults.arm(attempt.place.folder, Action.COUNT, report=seen.fileno())
            deed()
            self._faults.disarm()
            seen.seek(0)
            return [Call.read(line) for line in seen]

    def tried(self, step: Step, fault: Fault, call: Call) -> Tried:
        """Take the step while one of its calls fails, look at the store, and take the step again."""
        problems, line = list[str](), None
        before = None if step.name == "create" else self._known
        after = step.after(Known() if step.name == "create" else self._known)
        with self._ready(step) as attempt:
            deed, descriptors = attempt.prepare(), os.listdir("/proc/self/fd")
            self._faults.arm(
                attempt.place.folder, fault.action, call.nth, error=fault.error, lasting=fault.lasting
            )
            try:
                deed()
            except StoreError as error:
                line = str(error)
            except Exception as error:
                problems.append(f"no StoreError but {type(error).__name__}: {error}")
            struck = self._faults.disarm()
            problems += [] if struck else ["the call was never made"]
            problems += ["more than a line"] if line and "\n" in line else []
            problems += [] if os.listdir("/proc/self/fd") == descriptors else ["files left open"]
            found = attempt.stored()
            done = attempt.done(found)
            try:
                if line is not None or problems:
                    problems += difference(after, found or Known()) if found not in (before, after) else []
                    if not done:
                        attempt.prepare()()
                problems += attempt.problems(self._whole)
            except StoreError as error:
                problems.append(f"not the second time either: {error}")
        names = (step.name, fault.name, *call.kind)
        line = line and line.replace(str(attempt.place.folder), "")
        return Tried(*names, call.nth, struck, line, done and line is not None, tuple(problems))

    @contextmanager
    def _ready(self, step: Step) -> Generator[Attempt]:
        """A copy of the store that the step can be taken on."""
        place = Place(self._folder / "copy")
        template = self._broken if step.name.startswith("recover") else self._template
        shutil.copytree(template.folder, place.folder)
        if step.name == "create":
            shutil.rmtree(place.store)
            attempt = Attempt(step, place, Known())
        else:
            (place.store / "blobs" / ".incoming-left").write_bytes(b"half")
            attempt = Attempt(step, place, self._known)
        try:
            yield attempt
        finally:
            attempt.close()
            shutil.rmtree(place.folder)

    def _break(self, place: Place) -> None:
        """Leave what a writer leaves that is killed just before its commit counts."""
        commit_point = [each for each in self.calls(LEARN) if each.kind == ("unlink", "journal.db-journal")][
            -1
        ]
        if not (child := os.fork()):
            with Store.open(place.store, write=True) as store:
                deed = LEARN.prepare(store, self._known, place.backups)
                self._faults.arm(place.folder, Action.KILL_BEFORE, commit_point.nth)
                deed()
        os.waitpid(child, 0)
        if not (place.store / "journal.db-journal").exists():
            raise RuntimeError("no half-done transaction was left")


def faults_of(trials: Trials, step: Step, every: int) -> Iterator[Tried]:
    """Faults at every so many-th call of a step and at the first call of each kind.

    If that is every call, the first of each kind fails in every way. All others fail in one, in turn.
    """
    turn = itertools.cycle(FAULTS)
    kinds = set[tuple[str, str]]()
    for call in trials.calls(step):
        first = call.kind not in kinds
        kinds.add(call.kind)
        if first and every == 1:
            yield from (trials.tried(step, fault, call) for fault in FAULTS if fault.fits(call))
        elif first or call.nth % every == 0:
            yield trials.tried(step, next(fault for fault in turn if fault.fits(call)), call)


def main(folder: Path, every: int, names: Items[str] = tuple(STEPS)) -> None:
    faults = Faults.loaded()
    if not faults:
        raise SystemExit("run it under the library of faults.c")
    trials = Trials(folder, faults)
    for name in names:
        for tried in faults_of(trials, STEPS[name], every):
            print(json.dumps(asdict(tried)), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or tuple(STEPS))
