"""A store → what the page tells. Only reads."""

from __future__ import annotations

from selfedit.report import commits, runs, solving, streams, tables
from selfedit.report.found import About, Found
from selfedit.report.teaching import as_yaml
from selfedit.settled import known
from selfedit.store import Store


def gather(store: Store) -> Found:
    """All that the store holds for the page; what is erased or dropped is left out."""
    about = About(str(store.path), store.base, store.weights, store.dtype, store.created)
    every, tried = runs.gather(store)
    made, asked = tables.gather(store)
    solved, tasks, picked = solving.gather(store)
    told = streams.gather(store)
    machines = {
        name: as_yaml(held)
        for name, subject in (
            *((f"run {run.id[:8]}", run.id) for run in every),
            *((f"table {table.id[:8]}", f"eval {table.id}") for table in (*made, *solved)),
            *((f"stream {each.id[:8]}", f"stream {each.id}") for each in told),
        )
        if (held := known(store, subject)) is not None
    }
    history, settings = commits.gather(store), commits.settings(store)
    return Found(
        about,
        every,
        tried,
        made,
        asked,
        solved,
        tasks,
        (*runs.picked(tried), *picked),
        history,
        settings,
        told,
        machines,
        commits.held(store),
    )
