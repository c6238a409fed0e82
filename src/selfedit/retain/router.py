"""A frozen adapter for each commit, trained on the bare base, of which the one that a question needs is used.

None disturbs another, and to unlearn a commit is to drop its adapter, exactly. The risk is the choice; and a
question that takes two commits is answered by one.
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past


def router(past: Past, course: Course, settings: Retention) -> Course:
    """Has the adapter trained on the base, and served alone."""
    return replace(course, serving="routed")
