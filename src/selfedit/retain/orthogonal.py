"""Keep the new adapter's A orthogonal to those of earlier commits.

O-LoRA (Wang et al. 2023, arXiv 2310.14152).
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past
from selfedit.types import Orthogonal


def orthogonal(past: Past, course: Course, settings: Retention) -> Course:
    """Adds the constraint, where earlier adapters are at hand."""
    chosen = settings.orthogonal
    adapters = [learned.adapter for learned in past.learned if learned.adapter is not None]
    if not adapters:
        return course
    return replace(course, constraint=Orthogonal(tuple(adapters[-chosen.latest :]), chosen.penalty))
