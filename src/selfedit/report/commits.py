"""The commits of a store: what was learned, what it did to recall, and where each stands now."""

from __future__ import annotations

from collections import Counter

from selfedit.report.found import CommitFound, HistoryFound
from selfedit.report.teaching import as_yaml
from selfedit.store import CommitRow, Cost, Store

SHOWN = 1000
"""The newest so many commits have a row."""
TOLD = 60
"""The newest so many of them show their questions and notes too."""


def gather(store: Store) -> HistoryFound | None:
    """The newest commits, the oldest of them first; None where nothing was learned."""
    rows = store.log()
    if not rows:
        return None
    shown = rows[:SHOWN]
    told = {row.id for row in shown[:TOLD]}
    stale, left = {row.id for row in store.stale()}, store.left()
    questions = store.all_probes(told)
    return HistoryFound(
        tuple(
            CommitFound(
                row,
                _state(row, row.id in stale, left.get(row.id)),
                tuple(each for each in questions.get(row.id, ()) if each.role == "report"),
                tuple(edit.text for edit in store.edits(row.id)) if row.id in told else (),
            )
            for row in reversed(shown)
        ),
        len(rows) - len(shown),
        len(shown) - len(told),
        sum(row.live for row in rows),
        Cost(sum(row.cost.seconds for row in rows), sum(row.cost.tokens for row in rows)),
    )


def _state(row: CommitRow, stale: bool, left: str | None) -> str:
    told = "live, awaits retraining" if stale else "live"
    if not row.live:
        told = f"taken out ({left})" if left else "taken out"
    return f"{told}, erased" if row.erased else told


def settings(store: Store) -> dict[str, str]:
    """What commits were learned with: how many share it → the settings as YAML, the most common first."""
    counts = Counter(as_yaml(dict(row.settings)) for row in store.log())
    every = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    named = [f"{count} commit{'s' if count > 1 else ''}" for _, count in every]
    return {
        f"{name} ({at})" if named.count(name) > 1 else name: text
        for at, (name, (text, _)) in enumerate(zip(named, every, strict=True), 1)
    }
