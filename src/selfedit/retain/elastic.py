"""Make it cost to move layers on what they read of earlier texts (after EWC; Kirkpatrick et al. 2017)."""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past
from selfedit.types import Elastic


def elastic(past: Past, course: Course, settings: Retention) -> Course:
    """Adds the penalty, where there are moments of earlier texts."""
    if past.moments is None:
        return course
    return replace(course, constraint=Elastic(past.moments, settings.elastic.weight))
