"""Where each commit of a store stands: live, awaiting retraining, taken out, held back. Only reads."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfedit.store import CommitRow, Store

SHOWN = 8
"""So much of an id is shown."""


@dataclass(frozen=True, slots=True)
class State:
    """Where a commit stands; `str` tells a person."""

    name: str
    """`live`, `stale` (live, and awaiting retraining), `replaced`, `rolled back`, `reverted`; `quarantined`
    or `rejected` where it was never live."""
    replaced_by: str | None = None
    erased: bool = False

    @property
    def entered(self) -> bool:
        """Whether it was ever live: what was held back was not, unless it was approved."""
        return self.name not in ("quarantined", "rejected")

    def __str__(self) -> str:
        told = self.name
        if self.name == "stale":
            told = "live, awaits retraining"
        if self.name == "replaced":
            told = f"replaced by {self.replaced_by[:SHOWN]}" if self.replaced_by else "replaced by one of all"
        return f"{told}, erased" if self.erased else told


def states(store: Store, rows: Items[CommitRow]) -> dict[str, State]:
    """Commit id → its state. `rows` is the whole log, newest first."""
    from selfedit.quarantine import candidates

    stale = {row.id for row in store.stale()}
    replaced = {row.replaces: row.id for row in reversed(rows) if row.replaces}
    left, alive = store.left(), {row.id for row in rows if row.live}
    rejected = {each.id for each in candidates(store) if each.state == "rejected"}

    def name(row: CommitRow) -> str:
        if row.live:
            return "stale" if row.id in stale else "live"
        if row.id not in left:
            return "rejected" if row.id in rejected else "quarantined"
        if left[row.id] == "rollback" and _heir(row.id, replaced) not in alive:
            return "rolled back"
        return "replaced" if row.id in replaced or left[row.id] == "consolidate" else "reverted"

    def heir(row: CommitRow) -> str | None:
        return None if left.get(row.id) == "consolidate" else replaced.get(row.id)

    return {row.id: State(name(row), heir(row), row.erased is not None) for row in rows}


def _heir(commit: str, replaced: Mapping[str, str]) -> str:
    """The commit that has its place in the end."""
    while commit in replaced:
        commit = replaced[commit]
    return commit
