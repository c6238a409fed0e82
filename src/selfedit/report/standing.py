"""Where each commit of a store stands, in words. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.quarantine import Candidate
from selfedit.store import CommitRow, Store


@final
@dataclass(frozen=True)
class Stand:
    """Of one commit."""

    told: str
    entered: bool
    """Whether it was ever live: what was held back was not, unless it was approved."""


def standing(store: Store, rows: Items[CommitRow], held: Items[Candidate]) -> dict[str, Stand]:
    """Commit id → where it stands. `rows` is the whole log, newest first."""
    alive = {row.id for row in rows if row.live}
    stale, left = {row.id for row in store.stale()}, store.left()
    heirs = {row.replaces: row.id for row in reversed(rows) if row.replaces}
    waits = {each.id: each.state == "waiting" for each in held}

    def told(row: CommitRow) -> str:
        if row.live:
            return "live, awaits retraining" if row.id in stale else "live"
        if row.id not in left:
            return {True: "quarantined", False: "rejected", None: "never live"}[waits.get(row.id)]
        if left[row.id] == "consolidate":
            return "replaced by one of all"
        if left[row.id] == "rollback" and _last(row.id, heirs) not in alive:
            return "rolled back"
        return f"replaced by {heirs[row.id][:8]}" if row.id in heirs else "reverted"

    return {
        row.id: Stand(f"{told(row)}, erased" if row.erased else told(row), row.live or row.id in left)
        for row in rows
    }


def _last(commit: str, heirs: Mapping[str, str]) -> str:
    """The commit that has its place in the end."""
    while commit in heirs:
        commit = heirs[commit]
    return commit
