"""What can be done to a store, step by step: chosen at random, prepared, done, and whereto it leads.

A step is a plain value, so that whoever looks at what a crash left can do it once more. No torch, no pytest.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

from crash_world import (
    RECIPE,
    RUN,
    Known,
    mark,
    new_commit,
    new_policy,
    number_of,
    policy_name,
    record_of,
    task_of,
    trial_name,
    trial_of,
)

from selfedit.store import Store

Deed = Callable[[], object]


@final
@dataclass(frozen=True)
class Step:
    """One step. Which fields count depends on its name."""

    name: str
    number: int = 0
    """Of the commit, round or backup that is made."""
    doc: int = 0
    replayed: int | None = None
    """The document whose passage is trained on once more."""
    replaces: int | None = None
    stacked: bool = False
    """Is the commit trained on the head before it, or on the bare base?"""
    head: tuple[int, ...] = ()
    """The head that it leads to."""

    def after(self, known: Known) -> Known:
        """What a store that held `known` holds when the step is done."""
        match self.name:
            case "trial":
                return replace(known, tried=True)
            case "learn" | "retrain":
                docs = (self.doc,) if self.replayed is None else (self.doc, self.replayed)
                commits = {**known.commits, self.number: docs}
                tried = known.tried and self.name == "retrain"
                return replace(known, commits=commits, head=self.head, tried=tried, reports=0)
            case "revert" | "rollback":
                return replace(known, head=self.head)
            case "report":
                return replace(known, reports=known.reports + 1)
            case "round":
                return replace(known, rounds=self.number)
            case "drop":
                return replace(known, rounds=0)
            case "erase":
                reports = 0 if known.commits[known.newest][0] == self.doc else known.reports
                return replace(known, erased=known.erased | {self.doc}, reports=reports)
            case _:
                return known

    def prepare(self, store: Store, known: Known, backups: Path) -> Deed:
        """All but the one call that changes the store, which is left to be done."""
        ids = {number_of(commit): commit.id for commit in store.log()}
        match self.name:
            case "trial":
                return lambda: _record(store, self.doc)
            case "learn" | "retrain":
                place = self.head.index(self.number)
                below = tuple(store.adapter(f"adapter-{each}") for each in self.head[:place])
                new = new_commit(self.number, self.doc, below if self.stacked else (), self.replayed)
                replaces = None if self.replaces is None else ids[self.replaces]
                return lambda: store.accept(new, verb=self.name, replaces=replaces)
            case "revert" | "rollback":
                head = [ids[each] for each in self.head]
                return lambda: store.move_head(self.name, head)
            case "report":
                value = {"number": known.reports + 1, "of": mark(known.commits[known.newest][0])}
                return lambda: store.keep_report("proof", ids[known.newest], value)
            case "round":
                return lambda: _end_round(store, self.number)
            case "drop":
                return lambda: store.drop_run(RUN)
            case "gc":
                _litter(store)
                return store.gc
            case "erase":
                of_it = [ids[number] for number, (doc, *_) in known.commits.items() if doc == self.doc]
                return lambda: store.gc(erase=of_it)
            case "backup":
                return lambda: store.backup(backups / str(self.number))
            case other:
                raise ValueError(other)


def _record(store: Store, doc: int) -> None:
    store.record_tasks((task_of(doc),))
    store.put_results("sample", {f"sample-{doc}": mark(doc)})
    store.record_trials({trial_name(doc): trial_of(doc)})


def _end_round(store: Store, number: int) -> None:
    store.begin_run(RUN, RECIPE)
    below = tuple(store.adapter(policy_name(each)) for each in range(1, number))
    store.end_round(RUN, number, record_of(number), *new_policy(number, below))


def _litter(store: Store) -> None:
    """Something to collect: a cached head, a blob that no row names, an unfinished file."""
    store.heads_folder.mkdir(exist_ok=True)
    name = "0" * 64
    (store.path / "blobs" / name[:2]).mkdir(exist_ok=True)
    for path in (store.heads_folder / "cached", store.path / "blobs" / name[:2] / f"{name}.safetensors"):
        path.write_bytes(b"litter")
    (store.path / "blobs" / ".incoming-litter").write_bytes(b"half")


# -- choosing -------------------------------------------------------------------------------------

USUAL = {"learn": 5, "trial": 1, "retrain": 3, "revert": 3, "rollback": 2, "report": 1, "round": 1}
"""How often each step is taken where nothing else is asked for, in proportion."""
ALL = (*USUAL, "gc", "erase", "drop", "backup")


def choose(rng: random.Random, store: Store, known: Known, wanted: str | None) -> Step:
    """The wanted step if it can be taken now, or else one that may make way for it."""
    if wanted and (step := possible(wanted, rng, store, known)):
        return step
    if wanted == "erase" and store.stale():
        return choose(rng, store, known, "retrain")
    while True:
        name = rng.choices(list(USUAL), USUAL.values())[0]
        if step := possible(name, rng, store, known):
            return step


def possible(name: str, rng: random.Random, store: Store, known: Known) -> Step | None:
    """A step of this name, if the store is such that there is one."""
    match name:
        case "trial" | "learn":
            return _learn(name, rng, known)
        case "retrain":
            return _retrain(rng, store, known)
        case "revert" if known.head:
            gone = rng.choice(known.head)
            return Step(name, head=tuple(each for each in known.head if each != gone))
        case "rollback":
            return _rollback(rng, store, known)
        case "report" if known.commits and known.commits[known.newest][0] not in known.erased:
            return Step(name)
        case "round":
            return Step(name, known.rounds + 1)
        case "drop" if known.rounds:
            return Step(name)
        case "erase":
            return _erase(rng, store, known)
        case "gc" | "backup":
            return Step(name, number=rng.randrange(10**9))
        case _:
            return None


def _learn(name: str, rng: random.Random, known: Known) -> Step:
    number = known.newest + 1
    replayed = rng.choice((None, *known.live_docs()))
    stacked = rng.random() < 0.5
    return Step(name, number, known.next_doc, replayed, stacked=stacked, head=(*known.head, number))


def _retrain(rng: random.Random, store: Store, known: Known) -> Step | None:
    if not (stale := store.stale()):
        return None
    old = number_of(stale[0])
    number, at = known.newest + 1, known.head.index(old)
    replayed = rng.choice((None, *known.live_docs()[:at]))
    head = (*known.head[:at], number, *known.head[at + 1 :])
    return Step("retrain", number, known.commits[old][0], replayed, old, bool(at), head)


def _rollback(rng: random.Random, store: Store, known: Known) -> Step | None:
    numbers = {commit.id: number_of(commit) for commit in store.log()}
    heads = {tuple(numbers[each] for each in move.live) for move in store.moves(1000)}
    whole = sorted(head for head in heads if head != known.head and not any(map(known.gone, head)))
    return Step("rollback", head=rng.choice(whole)) if whole else None


def _erase(rng: random.Random, store: Store, known: Known) -> Step | None:
    dead = {doc for doc, *_ in known.commits.values()} - known.erased - set(known.live_docs())
    return Step("erase", doc=rng.choice(sorted(dead))) if dead and not store.stale() else None
