"""Methods that route: an adapter for each document on the bare base, and for each question the one found.

None depends on another, so that documents are trained together, and what a question's adapter answers at one
step it answers at every step at which it is found.
"""

from __future__ import annotations

import time
from collections.abc import Sequence as Items

from selfedit.rounds import plan_for
from selfedit.streaming.asking import Speaker, Voice, bare
from selfedit.streaming.life import Life, Point
from selfedit.streaming.routing import ROUTERS, Route
from selfedit.streaming.shelf import Told, Trained
from selfedit.streaming.study import AT_ONCE
from selfedit.types import Probe


def live(life: Life, known: Items[int]) -> None:
    """Make whatever is missing of a routing method's steps. `known`: the canaries that the base knows."""
    missing = life.missing(range(life.last + 1))
    if not missing:
        return
    trained = learned(life, max(missing) + 1)
    sizes = [each.told.bytes for each in trained]
    for piece in (missing[at : at + AT_ONCE] for at in range(0, len(missing), AT_ONCE)):
        points = [
            Point(number, voice(life, trained, number), trained[number], sum(sizes[: number + 1]))
            for number in piece
        ]
        life.measure(points, known)


def voice(life: Life, trained: Items[Trained], number: int) -> Voice:
    """Who answers a question after a step."""
    route, base = finder(life, number), Speaker(bare)
    speakers = [Speaker(bare, each.adapter) for each in trained[: number + 1]]

    def speaks(probe: Probe) -> Speaker:
        place = route(probe)
        return base if place is None else speakers[place]

    return speaks


def finder(life: Life, number: int) -> Route:
    """What finds a question's document after a step, by the method's rule; it looks for each once."""
    assert life.method is not None
    tasks = life.series.tasks[: number + 1]
    route = ROUTERS[life.method.router](tasks, life.retention, life.study.relevance)
    found: dict[str, int | None] = {}

    def finds(probe: Probe) -> int | None:
        if probe.id not in found:
            found[probe.id] = route(probe)
        return found[probe.id]

    return finds


def learned(life: Life, count: int) -> list[Trained]:
    """What the first so many documents came to: the first by itself, as every method has it, then in groups.

    A group is trained whole or not at all, so that a run that goes on ends bit for bit as an unbroken one.
    """
    groups = [(0,), *(range(at, min(at + AT_ONCE, life.last + 1)) for at in range(1, life.last + 1, AT_ONCE))]
    found: dict[int, Trained] = {}
    for group in groups:
        if group[0] < count:
            found |= _group(life, group)
    return [found[number] for number in range(count)]


def _group(life: Life, numbers: Items[int]) -> dict[int, Trained]:
    shelf = life.study.shelf
    held = {number: shelf.get(life.shelf_key(number)) for number in numbers}
    whole = {number: each for number, each in held.items() if each is not None}
    if len(whole) == len(numbers):
        return whole
    study, span = life.study, f"documents {numbers[0] + 1}-{numbers[-1] + 1} of {life.last + 1}, training"
    ground, began = study.ground(None), time.monotonic()
    plans = [plan_for(life.documents[number].rows, ground) for number in numbers]
    adapters = study.worker.train(plans, life.begin(span))
    seconds = (time.monotonic() - began) / len(numbers)
    return {
        number: life.keep(number, plan, adapter, Told(seconds))
        for number, plan, adapter in zip(numbers, plans, adapters, strict=True)
    }
