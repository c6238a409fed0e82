"""Methods that superpose: adapters as routing methods have them, all in one sum, which is read through signs.

For a question about document k the head is every adapter, in order, with the signs that k sees of it; its own
is as it was trained. Where no document is found, or the one that is came to no adapter, the base answers.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.retain import largest_scale, signs
from selfedit.streaming.asking import Speaker, Voice, bare, own_logprobs
from selfedit.streaming.life import Life, Point
from selfedit.streaming.routed import finder, learned
from selfedit.streaming.shelf import Trained
from selfedit.types import Head, Probe

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

Owns = tuple[tuple[float, ...], ...]
"""For each document, how likely its self-written questions are answered."""


@final
@dataclass(frozen=True)
class Part:
    """A document in the sum."""

    commit: str
    """What its signs are drawn from."""
    adapter: Adapter | None
    """None: training failed, or no scale was small enough."""
    bytes: int = 0


Parts = tuple[Part, ...]


def live(life: Life, known: Items[int]) -> None:
    """Make whatever is missing of a method's steps. `known`: the canaries that the base knows."""
    missing = life.missing(range(life.last + 1))
    if not missing:
        return
    parts: Parts = ()
    own: Owns | None = None
    for number, whole in enumerate(learned(life, max(missing) + 1)):
        trained = whole if own is None else _scaled(life, parts, whole, own)
        parts = (*parts, Part(life.documents[number].key, trained.adapter, trained.told.bytes))
        if life.looks:
            kept = life.read(number)
            own = kept.own if kept and kept.own else _own(life, parts)
        if number in missing:
            size = sum(part.bytes for part in parts)
            life.measure([Point(number, voice(life, parts), trained, size, own)], known)


def voice(life: Life, parts: Parts) -> Voice:
    """Who answers a question when these are learned."""
    route, base = finder(life, len(parts) - 1), Speaker(bare)
    speakers = [Speaker(partial(reading, life.study.worker, parts, at)) for at in range(len(parts))]

    def speaks(probe: Probe) -> Speaker:
        place = route(probe)
        return base if place is None else speakers[place]

    return speaks


def reading(worker: Worker, parts: Parts, reader: int) -> Head | None:
    """The sum as the document at this place sees it; None, the base, where it has no part in it."""
    mine = parts[reader]
    if mine.adapter is None:
        return None
    return worker.head(
        [
            part.adapter if part is mine else part.adapter.signed(partial(signs, part.commit, mine.commit))
            for part in parts
            if part.adapter is not None
        ]
    )


# -- the largest scale that passes --------------------------------------------------------------------------


def _scaled(life: Life, parts: Parts, trained: Trained, before: Owns) -> Trained:
    """At the largest scale at which earlier documents stay within bounds: as it was kept, or found now."""
    if trained.adapter is None or not any(part.adapter for part in parts):
        return trained
    kept, began = life.read(len(parts)), time.monotonic()
    if kept is not None and kept.scale is not None:
        scale = kept.scale
    else:
        passes = _passing(life, parts, trained.adapter, before)
        scale = largest_scale(passes, life.retention.bisection) or 0.0
    told = replace(trained.told, scale=scale, seconds=trained.told.seconds + time.monotonic() - began)
    if not scale:
        return Trained(None, replace(told, bytes=0))
    return Trained(trained.adapter.scaled(scale), told)


def _passing(life: Life, parts: Parts, adapter: Adapter, before: Owns) -> Callable[[float], bool]:
    """Whether what earlier documents' own questions lose by an adapter at a scale is within bounds."""
    commit = life.documents[len(parts)].key

    def passes(scale: float) -> bool:
        after = _own(life, (*parts, Part(commit, adapter.scaled(scale))))
        pairs = zip(before, after[:-1], strict=True)
        fallen = [b - a for then, now in pairs for b, a in zip(then, now, strict=True)]
        return not fallen or fmean(fallen) <= life.study.recipe.fall

    return passes


def _own(life: Life, parts: Parts) -> Owns:
    """How likely each document's self-written questions are answered by the sum as it sees it."""
    worker, count = life.study.worker, life.study.recipe.own_probes
    found: list[tuple[float, ...]] = []
    for at in range(len(parts)):
        found += own_logprobs(worker, [life.documents[at].own(count)], reading(worker, parts, at))
    return tuple(found)
