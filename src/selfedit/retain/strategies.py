"""The strategies by name, and how they are combined."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from typing import Protocol

from selfedit.config.retention import Retention, StrategyName
from selfedit.retain.bisection import bisection
from selfedit.retain.consolidation import consolidation
from selfedit.retain.distillation import distillation
from selfedit.retain.elastic import elastic
from selfedit.retain.naive import naive
from selfedit.retain.null_space import null_space
from selfedit.retain.orthogonal import orthogonal
from selfedit.retain.past import Course, Past, Row
from selfedit.retain.replay import replay
from selfedit.retain.router import router
from selfedit.retain.superposition import superposition


class Strategy(Protocol):
    """Adds its part to a course, from the past and the numbers of its name in the settings."""

    def __call__(self, past: Past, course: Course, settings: Retention) -> Course: ...


STRATEGIES: Mapping[StrategyName, Strategy] = {
    "naive": naive,
    "replay": replay,
    "distillation": distillation,
    "orthogonal": orthogonal,
    "null-space": null_space,
    "elastic": elastic,
    "bisection": bisection,
    "router": router,
    "superposition": superposition,
    "consolidation": consolidation,
}
"""In the order in which they are combined, whatever the order in the settings."""


def planned(past: Past, rows: Items[Row], settings: Retention, seed: int = 0) -> Course:
    """What is to be trained, and how it is served, when these rows are new."""
    course = Course(tuple(rows), seed)
    for name, strategy in STRATEGIES.items():
        if name in settings.strategies:
            course = strategy(past, course, settings)
    return course
