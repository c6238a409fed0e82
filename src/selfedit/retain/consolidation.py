"""When live commits are rebuilt as one adapter, trained jointly from the base, and what it is trained on.

It costs all the earlier rows again, so that the story does it in the background, and asks the gate.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from statistics import mean

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past, Row


def consolidation(past: Past, course: Course, settings: Retention) -> Course:
    """Names all live commits, where they are many or have faded; a single one is joint already."""
    chosen = settings.consolidation
    fading = [each.fading for each in past.learned if each.fading is not None]
    many = len(past.learned) + 1 >= chosen.every
    faded = bool(fading) and mean(fading) >= chosen.fading
    if not (many or faded):
        return course
    return replace(course, rebuilt=tuple(learned.commit for learned in past.learned))


def joint_rows(past: Past, commits: Collection[str]) -> tuple[Row, ...]:
    """What these commits were trained on of their own, in order, each row once."""
    rows = (row for learned in past.learned if learned.commit in commits for row in learned.rows)
    return tuple(dict.fromkeys(rows))
