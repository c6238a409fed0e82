"""All live commits as one: a single adapter, trained from the base on what they were trained on of their own.

It takes their place in one step, and only if it still knows what they knew. What was reverted is not in it.
"""

from __future__ import annotations

from collections.abc import Sequence as Items

from selfedit import lifelong
from selfedit.config import Learning, recorded
from selfedit.errors import StoreError
from selfedit.lessons import Earlier, Hire, Lesson, Parts
from selfedit.lifelong import LearnReport
from selfedit.revising import earlier, held_documents
from selfedit.store import CommitRow, Store
from selfedit.types import SelfEdit, Sequence

VERB = "consolidate"


def consolidate(store: Store, hire: Hire, settings: Learning) -> LearnReport:
    """Train one adapter of all live commits and let it take their place.

    Raises StoreError where there are not two of them, and where some recite and others do not.
    """
    rows = several(store)
    _check(store, rows)
    alike = settings.asked_as(recorded(rows[0].settings))
    return lifelong.learn(hire(rows), _lesson(store, rows, alike))


def several(store: Store) -> tuple[CommitRow, ...]:
    """The live commits. Raises StoreError where there are not two of them."""
    rows = store.head()
    if len(rows) < 2:
        raise StoreError(f"{store.path}: fewer than two live commits; there is nothing to make one of")
    return rows


def _check(store: Store, rows: Items[CommitRow]) -> None:
    """Refuse commits of which some recite and others do not: one adapter is asked in one way."""
    recite = [recorded(row.settings).recites for row in rows]
    if any(recite) and not all(recite):
        one, other = rows[recite.index(True)].id[:12], rows[recite.index(False)].id[:12]
        raise StoreError(
            f"{store.path}: {one} recites and {other} does not, so that one adapter cannot be made of both; "
            "revert one of them and learn its files as the other was"
        )


def _lesson(store: Store, rows: Items[CommitRow], settings: Learning) -> Lesson:
    """Everything that the commits learned of their own; of a file that several hold, the newest version."""
    documents = {each.path: each for row in rows for each in held_documents(store, row)}
    held = [earlier(store, row, VERB, held_documents(store, row)) for row in rows]
    edits: dict[str, SelfEdit] = {}
    texts: dict[str | Sequence, str | None] = {}
    probes: dict[str, Parts] = {}
    for each in held:
        edits |= each.edits
        texts |= {row: task for row, task in each.texts.items() if task}
        probes |= each.probes
    whole = Earlier("", VERB, edits, texts, probes, replaces=tuple(row.id for row in rows))
    return Lesson(tuple(documents.values()), settings, earlier=whole)
