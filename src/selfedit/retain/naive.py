"""Merge one adapter after another, as SEAL does, and hope. The row that every other strategy has to beat."""

from __future__ import annotations

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past


def naive(past: Past, course: Course, settings: Retention) -> Course:
    """What is new, and nothing else."""
    return course
