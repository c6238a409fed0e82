"""Methods that merge: each document's adapter is trained on the head of all before it, step by step.

What an earlier call has kept on the shelf is taken from there; what is broken or missing is trained again.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.edits.tools import headed
from selfedit.retain import Course, Learned, Past, joint_rows, largest_scale, planned
from selfedit.rounds import plan_for
from selfedit.streaming.asking import by_head, own_logprobs
from selfedit.streaming.life import Life, Point
from selfedit.streaming.shelf import Told, Trained
from selfedit.types import Failure, Head, TrainingPlan

if TYPE_CHECKING:
    from selfedit.engine import Adapter, Moments


@final
@dataclass(frozen=True)
class Member:
    """An adapter in the head, and the documents that it was trained on, by their places."""

    adapter: Adapter
    bytes: int
    places: tuple[int, ...]


Members = tuple[Member, ...]


@final
@dataclass(frozen=True)
class State:
    """What stands after some steps."""

    history: tuple[Members, ...] = ()
    """After each step the adapters that are merged, in order."""
    owns: tuple[tuple[tuple[float, ...], ...], ...] = ()
    """After each step, how likely self-written questions of all documents so far were answered."""

    @property
    def members(self) -> Members:
        return self.history[-1] if self.history else ()

    @property
    def bytes(self) -> int:
        return sum(each.bytes for each in self.members)

    def learned(self, number: int, trained: Trained) -> State:
        """With what step `number` came to; where it came to no adapter, the head stays."""
        if trained.adapter is None:
            return replace(self, history=(*self.history, self.members))
        before = () if trained.told.rebuilt else self.members
        places = tuple(at for each in self.members for at in each.places) if trained.told.rebuilt else ()
        new = Member(trained.adapter, trained.told.bytes, (*places, number))
        return replace(self, history=(*self.history, (*before, new)))


def live(life: Life, known: Items[int]) -> None:
    """Make whatever is missing of a merging method's steps. `known`: the canaries that the base knows."""
    missing, state = life.missing(range(life.last + 1)), State()
    for number in range(max(missing, default=-1) + 1):
        trained = life.study.shelf.get(life.shelf_key(number)) or _learn(life, state, number)
        state = state.learned(number, trained)
        head, own = _head(life, state.members), None
        if life.looks:
            kept = life.read(number)
            own = kept.own if kept and kept.own else _own(life, number, head)
        state = replace(state, owns=(*state.owns, own or ()))
        if number in missing:
            size = state.bytes + trained.told.beside
            life.measure([Point(number, by_head(head), trained, size, own)], known)


def _head(life: Life, members: Members) -> Head | None:
    return life.study.worker.head([each.adapter for each in members]) if members else None


# -- learning -------------------------------------------------------------------------------------------


def _learn(life: Life, state: State, number: int) -> Trained:
    """Train a document's adapter on what stands, and keep it."""
    study, began = life.study, time.monotonic()
    moments = _moments(life, state, number) if life.retention.uses_moments else None
    progress = life.begin(f"document {number + 1} of {life.last + 1}, training")
    learned = tuple(_learned(life, state, member) for member in state.members)
    past = Past(learned, study.canaries.general, moments)
    course = planned(past, life.documents[number].rows, life.retention, study.recipe.seed)
    plan = _plan(life, state, past, course)
    (adapter,) = study.worker.train([plan], progress)
    scale = None
    if course.bisected and not course.rebuilt and not isinstance(adapter, Failure):
        scale = largest_scale(_passing(life, state, adapter), life.retention.bisection) or 0.0
        adapter = adapter.scaled(scale) if scale else None
    told = Told(
        time.monotonic() - began,
        beside=moments.bytes if moments else 0,
        scale=scale,
        rebuilt=bool(course.rebuilt),
    )
    return life.keep(number, plan, adapter, told)


def _plan(life: Life, state: State, past: Past, course: Course) -> TrainingPlan:
    if course.rebuilt:
        rows = tuple(dict.fromkeys((*joint_rows(past, course.rebuilt), *course.new)))
        return plan_for(rows, life.study.ground(None))
    return course.applied(plan_for(course.rows, life.study.ground(_head(life, state.members))))


def _learned(life: Life, state: State, member: Member) -> Learned:
    documents = [life.documents[place] for place in member.places]
    return Learned(
        commit=documents[-1].key,
        rows=tuple(dict.fromkeys(row for each in documents for row in each.rows)),
        texts=tuple(headed(each.task.title, each.task.passage) for each in documents),
        adapter=member.adapter,
        right_then=_recalled(state, member, member.places[-1]),
        right_now=_recalled(state, member, -1),
    )


def _recalled(state: State, member: Member, step: int) -> float | None:
    """How sure the model was, after a step, of the member's own answers: the mean over their tokens."""
    if not state.owns or not state.owns[step]:
        return None
    values = [value for place in member.places for value in state.owns[step][place]]
    return fmean(map(math.exp, values)) if values else None


# -- what strategies look at ----------------------------------------------------------------------------


def _own(life: Life, number: int, head: Head | None) -> tuple[tuple[float, ...], ...]:
    """How likely self-written questions of all documents so far are answered on a head."""
    rows = [document.own(life.study.recipe.own_probes) for document in life.documents[: number + 1]]
    return tuple(own_logprobs(life.study.worker, rows, head))


def _passing(life: Life, state: State, adapter: Adapter) -> Callable[[float], bool]:
    """Whether what earlier documents' own questions lose by an adapter at a scale is within bounds."""
    number = len(state.owns) - 1
    before = [value for mine in state.owns[number] for value in mine]

    def passes(scale: float) -> bool:
        with_it = [*(each.adapter for each in state.members), adapter.scaled(scale)]
        after = _own(life, number, life.study.worker.head(with_it))
        fallen = [b - a for b, a in zip(before, (x for mine in after for x in mine), strict=True)]
        return not fallen or fmean(fallen) <= life.study.recipe.fall

    return passes


# -- moments --------------------------------------------------------------------------------------------


def _moments(life: Life, state: State, number: int) -> Moments | None:
    """What layers read of all documents learned before a step, each on the head after it, as one sum.

    The sum is kept on the shelf, in the place of the one before.
    """
    shelf, keys, rank = life.study.shelf, life.shelf_keys, life.retention.moments_rank
    total: Moments | None = None
    at = number - 1
    while at >= 0 and total is None:
        total = shelf.get_moments(keys[at], rank)
        at -= total is None
    for each in range(at + 1, number):
        if any(each in member.places for member in state.history[each]):
            life.begin(f"document {each + 1} of {life.last + 1}, reading moments")
            head, rows = _head(life, state.history[each]), life.documents[each].rows
            new = life.study.worker.moments(rows, head, rank)
            total = total.plus(new) if total else new
    if total is not None and number and at < number - 1:
        shelf.put_moments(keys[number - 1], total)
        shelf.drop_moments(keys[: number - 1])
    return total
