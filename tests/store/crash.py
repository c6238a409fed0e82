"""Kills processes that work on a store, and looks at what they left.

Run as a program: `crash.py FOLDER STORES KILLS SEED [URL]` makes stores in FOLDER (their journals in the
database at URL), kills KILLS processes that work on each, and prints a JSON line for each kill. A kill is
aimed: at a moment inside a named step, or at one of the calls that change the disk there (faults.c). After
each, the store is opened and held against what was acknowledged, and work goes on.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, final

from crash_driver import Aim, Place, run_child
from crash_faults import STEPS, Trials
from crash_reader import Reader
from crash_steps import Step, possible
from crash_world import Known, difference, half_done, not_erased, superfluous
from faults import Action, Call, Faults

from selfedit.errors import StoreError
from selfedit.store import Store

Kinds = Mapping[str, Mapping[tuple[str, str], int]]
"""Step → kind of a call that it makes → how many of them."""
AIMS = {
    "learn": 10,
    "retrain": 8,
    "revert": 8,
    "gc": 8,
    "erase": 8,
    "rollback": 3,
    "round": 4,
    "drop": 3,
    "backup": 3,
    "report": 2,
    "trial": 2,
    "open": 1,
}
"""Into which step how many kills go, in proportion."""
ALIKE = {"rollback": "revert"}
"""Steps that make the same calls as another."""
REPEATED = ("gc", "erase")
"""Steps that are taken again although they were done: they may have died before all of it was."""
ACTIONS = (Action.KILL_BEFORE, Action.KILL_AFTER, Action.KILL_HALFWAY)


@dataclass
class Account:
    """What a process told before it died."""

    known: Known
    """What all acknowledged steps lead to."""
    pending: Step | None = None
    """The step that was entered and not acknowledged."""
    call: Call | None = None
    """The call that it was killed at, if it was killed at one."""
    backups: dict[int, Known] = field(default_factory=dict)
    """Acknowledged backups, and what the store held then."""
    failed: str | None = None

    def hear(self, line: str) -> dict[str, Any]:
        """Take in a line; returns what it says."""
        if line.startswith("struck "):
            self.call = Call.read(line)
            return {}
        told: dict[str, Any] = json.loads(line)
        if "enter" in told:
            self.pending = Step(**{**told["enter"], "head": tuple(told["enter"]["head"])})
        elif "failed" in told:
            self.failed = told["failed"]
        elif self.pending:
            self.known = self.pending.after(self.known)
            if self.pending.name == "backup":
                self.backups[self.pending.number] = self.known
            self.pending = None
        return told


@dataclass(frozen=True)
class Kill:
    """What is told of one kill."""

    batch: str
    nth: int
    aim: str
    how: str
    place: str
    """The step that was under way, or `between steps`."""
    call: str
    file: str
    stored: bool
    """Was the step that was under way in the store all the same?"""
    problems: tuple[str, ...]


@final
class Killer:
    """Kills processes that work on one store, and holds what they leave against their word."""

    def __init__(self, place: Place, batch: str, kinds: Kinds) -> None:
        self._place = place
        self._kinds = kinds
        self._batch = batch
        self._rng = random.Random(batch)
        self._known = Known()
        self._whole = set[str]()
        """Ids of commits that have been found whole."""
        self._reader: Store | None = None
        self._seconds = dict[str, float]()

    def kills(self, count: int) -> Iterator[Kill]:
        """Each kill, and what was wrong after it; the last one also answers for the reader and the whole."""
        reader = None
        for nth in range(count):
            kill = self._kill(nth, self._aim(nth))
            reader = reader or Reader.start(self._place.store)
            if nth + 1 == count:
                looks, problems = reader.stop()
                problems += [] if looks else ["reader: never looked"]
                kill = replace(kill, problems=(*kill.problems, *problems, *self._last_look()))
            yield kill

    # -- killing ------------------------------------------------------------------------------------

    def _aim(self, nth: int) -> Aim:
        step = self._rng.choices(list(AIMS), AIMS.values())[0]
        if not nth and self._rng.random() < 0.5:
            step = "create"  # the only time that there is no store yet
        kinds = self._kinds.get(ALIKE.get(step, step))
        if not kinds or self._rng.random() < 0.3:
            return Aim(step)
        kind = self._rng.choice(list(kinds))
        return Aim(step, self._rng.choice(ACTIONS), self._rng.randint(1, kinds[kind]), kind)

    def _kill(self, nth: int, aim: Aim) -> Kill:
        child, report = run_child(self._place, aim, f"{self._batch}/{nth}", self._known)
        account = Account(self._known)
        with os.fdopen(report) as lines:
            for line in lines:
                told = account.hear(line)
                self._note(told)
                if not aim.action and told.get("enter", {}).get("name") == aim.step:
                    time.sleep(self._rng.uniform(0, 1.2 * self._seconds.get(aim.step, 0.02)))
                    os.kill(child, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        problems = [f"driver: {account.failed or status}"] if status != -signal.SIGKILL else []
        return self._told(nth, aim, account, problems)

    def _note(self, told: dict[str, Any]) -> None:
        """How long a step takes, to aim the next one by."""
        if "done" in told:
            self._seconds[told["done"]] = told["seconds"]

    # -- looking at what is left --------------------------------------------------------------------

    def _told(self, nth: int, aim: Aim, account: Account, problems: list[str]) -> Kill:
        pending, call = account.pending, account.call
        self._known, stored = account.known, False
        try:
            stored = self._look(account, problems)
            self._go_on(None if stored and pending.name not in REPEATED else pending, problems)
        except StoreError as error:
            problems.append(f"work does not go on: {error}")
        return Kill(
            self._batch,
            nth,
            aim.step,
            aim.action.name.lower() if aim.action else "at a moment",
            pending.name if pending else "between steps",
            call.name if call else "",
            call.kind[1] if call else "",
            stored,
            tuple(problems),
        )

    def _look(self, account: Account, problems: list[str]) -> bool:
        """Open what a killed process left; returns whether the step that was under way is in it."""
        before = after = account.known
        if account.pending and account.pending.name == "create" and not Store.exists(self._place.store):
            self._place.make().close()
        elif account.pending:
            after = account.pending.after(before)
        with self._opened() as store:
            found = Known.read(store)
            if found not in (before, after):
                problems += difference(before, found)
            problems += half_done(store, found, skip=self._whole)
            self._whole |= {commit.id for commit in store.log()}
        self._backups(account, found, problems)
        self._known = found
        return found != before

    def _opened(self) -> Store:
        """The store, as whoever comes next finds it: a writer, a reader, or one who has read all the time."""
        way = self._rng.random()
        if way < 0.2 or self._place.journal:  # there a dead writer's last statement may still be under way
            return Store.open(self._place.store, write=True, verb="look")
        if way < 0.4 or not self._reader:
            self._reader = Store.open(self._place.store)
        return self._reader

    def _backups(self, account: Account, found: Known, problems: list[str]) -> None:
        """Acknowledged backups are whole; the one that was under way is whole or not there."""
        expected = dict(account.backups)
        if account.pending and account.pending.name == "backup":
            target = self._place.backups / str(account.pending.number)
            expected |= {account.pending.number: found} if target.exists() else {}
        for number, known in expected.items():
            with Store.open(self._place.backups / str(number)) as backup:
                problems += [f"backup: {each}" for each in half_done(backup, known)]
                problems += [f"backup: {each}" for each in difference(known, Known.read(backup))]
        shutil.rmtree(self._place.backups, ignore_errors=True)

    def _go_on(self, step: Step | None, problems: list[str]) -> None:
        """The next writer is kept out by nothing, takes the broken-off step again, and all is well."""
        with Store.open(self._place.store, write=True, verb="go on") as store:
            problems += [f"left over: {each.name}" for each in (store.path / "blobs").glob(".*")]
            beside = {each.name for each in self._place.folder.iterdir()} - {"memory", "backups"}
            problems += [f"left over: {each}" for each in sorted(beside)]
            if not step or step.name in ("open", "create"):
                step = possible("learn", self._rng, store, self._known)
            self._place.backups.mkdir(exist_ok=True)
            step.prepare(store, self._known, self._place.backups)()
            self._known = step.after(self._known)
            problems += [f"after going on: {each}" for each in difference(self._known, Known.read(store))]
            problems += not_erased(store, self._known)
            problems += superfluous(store, self._known) if step.name in ("gc", "erase") else ()

    def _last_look(self) -> list[str]:
        """All commits are whole still, and what garbage collection leaves is just what they need."""
        with Store.open(self._place.store, write=True, verb="gc") as store:
            store.gc()
            found = Known.read(store)
            left = [*half_done(store, found), *not_erased(store, found), *superfluous(store, found)]
            return [*difference(self._known, found), *left]


def rehearsed(folder: Path, journal: str) -> Kinds:
    """The kinds of calls that each step makes on a store like those to come."""
    if not (faults := Faults.loaded()):
        return {}
    trials = Trials(folder, faults)
    kinds = {name: Counter(call.kind for call in trials.calls(step)) for name, step in STEPS.items()}
    shutil.rmtree(folder)
    return {
        name: {kind: count for kind, count in counts.items() if not (journal and _of_sqlite(kind))}
        for name, counts in kinds.items()
    }


def _of_sqlite(kind: tuple[str, str]) -> bool:
    return kind[0] in ("fdatasync", "pwrite64", "pwrite") or "journal" in kind[1]


def main(folder: Path, stores: int, kills: int, seed: str, journal: str = "") -> None:
    kinds = rehearsed(folder / "rehearsal", journal)
    for nth in range(stores):
        place = Place(folder / str(nth), journal)
        place.folder.mkdir()
        for kill in Killer(place, f"{seed}/{nth}", kinds).kills(kills):
            print(json.dumps(asdict(kill)), flush=True)
        shutil.rmtree(place.folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), *sys.argv[4:6])
