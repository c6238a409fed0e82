"""Where each commit of a store stands: live, awaiting retraining, replaced, or taken out."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING

from selfedit.cli.wording import short

if TYPE_CHECKING:
    from selfedit.store import CommitRow, Store


@dataclass(frozen=True, slots=True)
class State:
    """Where a commit stands; `str` tells a person."""

    name: str
    """`live`, `stale` (live, and awaiting retraining), `replaced`, `rolled back`, `reverted`; `quarantined`
    or `rejected` where it was never live."""
    replaced_by: str | None = None
    erased: bool = False

    def __str__(self) -> str:
        told = self.name
        if self.name == "stale":
            told = "live, awaits retraining"
        if self.name == "replaced" and self.replaced_by:
            told = f"replaced by {short(self.replaced_by)}"
        return f"{told}, erased" if self.erased else told


def states(store: Store, rows: Items[CommitRow]) -> dict[str, State]:
    """Commit id → its state. `rows` is the whole log, newest first."""
    from selfedit.quarantine import candidates

    stale = {row.id for row in store.stale()}
    replaced = {row.replaces: row.id for row in reversed(rows) if row.replaces}
    left, alive = store.left(), {row.id for row in rows if row.live}
    held = {each.id: each.state for each in candidates(store)}

    def name(row: CommitRow) -> str:
        if row.live:
            return "stale" if row.id in stale else "live"
        if row.id not in left and row.id in held:
            return "quarantined" if held[row.id] == "waiting" else "rejected"
        if left.get(row.id) == "consolidate":
            return "replaced"
        if left.get(row.id) == "rollback" and _heir(row.id, replaced) not in alive:
            return "rolled back"
        return "replaced" if row.id in replaced else "reverted"

    return {row.id: State(name(row), replaced.get(row.id), row.erased is not None) for row in rows}


def _heir(commit: str, replaced: Mapping[str, str]) -> str:
    """The commit that has its place in the end."""
    while commit in replaced:
        commit = replaced[commit]
    return commit
