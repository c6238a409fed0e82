"""Retention: what is trained beside what is new, so that what was learned before is kept.

    planned         the past and new rows → what is to be trained, and how it is served
    STRATEGIES      replay, distillation, constraints, ...: each a function of the same shape
    largest_scale   the largest scale of an adapter that passes
    Router          which commit's adapter answers a question, where each commit keeps its own
    signs           how a commit sees another's adapter, where both lie in one sum

Pure: plain values in, plain values out, and every draw from `rng_for`. Knows nothing of models, stores, or of
how anything is measured.
"""

from selfedit.retain.bisection import largest_scale
from selfedit.retain.consolidation import joint_rows
from selfedit.retain.past import Course, Learned, Past, Row
from selfedit.retain.routing import Bm25Router, Router
from selfedit.retain.strategies import STRATEGIES, Strategy, planned
from selfedit.retain.superposition import signs

__all__ = [
    "STRATEGIES",
    "Bm25Router",
    "Course",
    "Learned",
    "Past",
    "Router",
    "Row",
    "Strategy",
    "joint_rows",
    "largest_scale",
    "planned",
    "signs",
]
