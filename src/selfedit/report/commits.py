"""The commits of a store: what was learned, what it did to recall, and where each stands now."""

from __future__ import annotations

from collections import Counter

from selfedit.quarantine import candidates
from selfedit.report import gating
from selfedit.report.found import CommitFound, HeldFound, HistoryFound
from selfedit.report.teaching import as_yaml
from selfedit.states import states
from selfedit.store import CommitRow, Cost, Store

SHOWN = 1000
"""The newest so many commits have a row."""
TOLD = 60
"""The newest so many of them show their questions and notes too."""
HELD = 200
"""The newest so many candidates have a row."""


def gather(store: Store) -> HistoryFound | None:
    """The newest commits, the oldest of them first; None where nothing was learned."""
    rows = store.log()
    if not rows:
        return None
    shown = rows[:SHOWN]
    told = {row.id for row in shown[:TOLD]}
    stands = states(store, rows)
    questions = store.all_probes(row.id for row in shown)

    def found(row: CommitRow) -> CommitFound:
        asked = tuple(each for each in questions.get(row.id, ()) if each.role == "report")
        return CommitFound(
            row,
            str(stands[row.id]),
            asked if row.id in told else (),
            tuple(edit.text for edit in store.edits(row.id)) if row.id in told else (),
            stands[row.id].entered,
            sum(each.after is not None and not each.dropped for each in asked),
            gating.gather(store, row.id),
        )

    return HistoryFound(
        tuple(found(row) for row in reversed(shown)),
        len(rows) - len(shown),
        len(shown) - len(told),
        sum(row.live for row in rows),
        Cost(sum(row.cost.seconds for row in rows), sum(row.cost.tokens for row in rows)),
    )


def held(store: Store) -> HeldFound | None:
    """The newest candidates that the gate held back, the oldest of them first; None where there are none."""
    every = candidates(store)
    if not every:
        return None
    shown = every[-HELD:]
    return HeldFound(shown, len(every) - len(shown), sum(each.state == "waiting" for each in every))


def settings(store: Store) -> dict[str, str]:
    """What commits were learned with: how many share it → the settings as YAML, the most common first."""
    counts = Counter(as_yaml(dict(row.settings)) for row in store.log())
    every = sorted(counts.items(), key=lambda each: (-each[1], each[0]))
    named = [f"{count} commit{'s' if count > 1 else ''}" for _, count in every]
    return {
        f"{name} ({at})" if named.count(name) > 1 else name: text
        for at, (name, (text, _)) in enumerate(zip(named, every, strict=True), 1)
    }
