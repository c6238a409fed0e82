"""Candidates that the gate held back: kept with their reasons, until a person approves or rejects them.

What was trained is a commit that is not in the head; what was refused before it was trained is a file by its
place and hash. Each is a report of its own in the store, of which the newest counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import Any, Literal, final

from selfedit.errors import StoreError
from selfedit.store import CommitRow, ReportRow, Source, Store
from selfedit.types import content_hash

KIND = "quarantine"
State = Literal["waiting", "approved", "rejected"]


@final
@dataclass(frozen=True)
class Candidate:
    """What is held back."""

    id: str
    """Of the commit, where one was trained."""
    state: State
    time: str
    reasons: tuple[str, ...]
    sources: tuple[Source, ...]
    trained: bool
    """Whether there is a commit to be approved; else approving learns the files."""
    settings: Mapping[str, Any]
    """Of the lesson, as they are recorded with commits."""
    replaces: tuple[str, ...] = ()
    """Commits whose place it is to take, where they are several."""


def candidates(store: Store) -> tuple[Candidate, ...]:
    """All that were ever held back, the oldest first; what was erased is left out."""
    told = [_candidate(row) for row in store.reports(KIND)]
    return tuple(sorted([*told, *_untold(store, {each.id for each in told})], key=lambda each: each.time))


def _untold(store: Store, told: set[str]) -> list[Candidate]:
    """Commits that were set aside by a process that was killed before it could say why."""
    left = store.left()
    rows = (row for row in store.log() if not (row.live or row.erased or row.id in left or row.id in told))
    return [
        Candidate(row.id, "waiting", row.time, _reasons(store, row), row.sources, True, row.settings)
        for row in rows
    ]


def _reasons(store: Store, row: CommitRow) -> tuple[str, ...]:
    gate = store.gate_report(row.id)
    return (str(gate["reason"]),) if gate else ()


def waiting(store: Store) -> tuple[Candidate, ...]:
    """Those that nobody has decided on."""
    return tuple(each for each in candidates(store) if each.state == "waiting")


def find(store: Store, name: str) -> Candidate:
    """The candidate whose id begins so and that waits. Raises StoreError if there is none, or several."""
    every = [each for each in candidates(store) if name and each.id.startswith(name)]
    found = [each for each in every if each.state == "waiting"]
    if len(found) == 1:
        return found[0]
    if found:
        short = ", ".join(each.id[: len(name) + 4] for each in found)
        raise StoreError(f"candidate {name!r}: {len(found)} ids begin so ({short}); give more of it")
    if every:
        what = f"{every[-1].state} already; `selfedit quarantine` lists those that wait"
        raise StoreError(f"candidate {name!r}: {what}")
    raise StoreError(f"candidate {name!r}: none that waits begins so; `selfedit quarantine` lists them")


def hold_commit(store: Store, row: CommitRow, reasons: Items[str], replaces: Items[str] = ()) -> Candidate:
    """Note that a commit was set aside, which was to take the place of several."""
    held = Candidate(row.id, "waiting", row.time, tuple(reasons), row.sources, True, row.settings)
    return _kept(store, replace(held, replaces=tuple(replaces)))


def let_in(store: Store, candidate: Candidate) -> CommitRow:
    """Put the commit of a candidate into the head, those out whose place it is to take, and note it.

    Raises StoreError where it is erased, or was trained on what is not live any more.
    """
    verb = "consolidate" if candidate.replaces else "approve"
    row = store.enter(candidate.id, verb=verb, gone=candidate.replaces)
    decide(store, candidate, "approved")
    return row


def hold_files(
    store: Store, sources: Items[Source], reasons: Items[str], settings: Mapping[str, Any]
) -> Candidate:
    """Note that files were refused before anything was trained."""
    name = content_hash(["candidate", [[each.path, each.sha256] for each in sources]])
    return _kept(store, Candidate(name, "waiting", "", tuple(reasons), tuple(sources), False, settings))


def decide(store: Store, candidate: Candidate, state: State) -> Candidate:
    """Note what became of it."""
    return _kept(store, replace(candidate, state=state))


def _kept(store: Store, candidate: Candidate) -> Candidate:
    told = {name: getattr(candidate, name) for name in ("state", "reasons", "trained", "replaces")}
    files = [[each.path, each.sha256, each.bytes, each.place] for each in candidate.sources]
    store.keep_report(KIND, candidate.id, {**told, "sources": files, "settings": dict(candidate.settings)})
    return candidate


def _candidate(row: ReportRow) -> Candidate:
    held = row.value
    return Candidate(
        row.subject,
        held["state"],
        row.time,
        tuple(held["reasons"]),
        tuple(Source(*each) for each in held["sources"]),
        held["trained"],
        held["settings"],
        tuple(held.get("replaces", ())),
    )
