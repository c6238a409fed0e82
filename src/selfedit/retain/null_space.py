"""Keep the new adapter's A out of the space that earlier texts' activations span, layer by layer.

GPM (Saha et al. 2021, arXiv 2103.09762) and Adam-NSCL (Wang et al. 2021, arXiv 2103.07113).
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past
from selfedit.types import NullSpace


def null_space(past: Past, course: Course, settings: Retention) -> Course:
    """Adds the constraint, where there are moments of earlier texts."""
    if past.moments is None:
        return course
    return replace(course, constraint=NullSpace(past.moments, settings.null_space.energy))
