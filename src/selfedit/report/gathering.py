"""A store → what the page tells. Only reads."""

from __future__ import annotations

from selfedit.report import commits, runs, tables
from selfedit.report.found import About, Found
from selfedit.store import Store


def gather(store: Store) -> Found:
    """All that the store holds for the page; what is erased or dropped is left out."""
    about = About(str(store.path), store.base, store.weights, store.dtype, store.created)
    every, tried = runs.gather(store)
    made, asked = tables.gather(store)
    return Found(about, every, tried, made, asked, commits.gather(store), commits.settings(store))
