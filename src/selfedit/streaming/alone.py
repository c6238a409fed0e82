"""Rows that learn nothing one after another: the base as it is, and one adapter of all documents at once."""

from __future__ import annotations

import time
from collections.abc import Sequence as Items

from selfedit.rounds import plan_for
from selfedit.streaming.asking import by_head
from selfedit.streaming.life import Life, Point
from selfedit.streaming.shelf import Told, Trained


def base(life: Life, known: Items[int]) -> None:
    """Ask the base."""
    if life.missing([life.last]):
        life.measure([Point(life.last, by_head(None), None)], known)


def joint(life: Life, known: Items[int]) -> None:
    """Train on the rows of all documents together, and ask. The ceiling: nothing comes after anything."""
    if not life.missing([life.last]):
        return
    trained = life.study.shelf.get(life.shelf_key(life.last)) or _trained(life)
    worker = life.study.worker
    head = worker.head([trained.adapter]) if trained.adapter else None
    life.measure([Point(life.last, by_head(head), trained, trained.told.bytes)], known)


def _trained(life: Life) -> Trained:
    rows = tuple(dict.fromkeys(row for document in life.documents for row in document.rows))
    plan, began = plan_for(rows, life.study.ground(None)), time.monotonic()
    (adapter,) = life.study.worker.train([plan], life.begin("all documents, training"))
    return life.keep(life.last, plan, adapter, Told(time.monotonic() - began))
