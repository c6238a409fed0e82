"""Train again on some rows of earlier commits (experience replay; Robins 1995, Rolnick et al. 2019).

Each commit weighs 1, more the older it is, and more the more of it has faded; its rows share that evenly.
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Replay, Retention
from selfedit.retain.drawing import budget, drawn, earlier_rows
from selfedit.retain.past import Course, Learned, Past


def replay(past: Past, course: Course, settings: Retention) -> Course:
    """Adds earlier rows, as they were trained on."""
    chosen = settings.replay
    weights = commit_weights(past, chosen)
    rows = earlier_rows(past, course, lambda learned: weights[learned.commit])
    found = drawn(rows, budget(chosen.share, course.new), "replay", course.seed, past.place)
    return replace(course, replayed=(*course.replayed, *found))


def commit_weights(past: Past, settings: Replay) -> dict[str, float]:
    """By commit: 1 + age · (0 for the newest to 1 for the oldest) + fading · (the share that faded)."""
    last = max(1, len(past.learned) - 1)

    def weight(place: int, learned: Learned) -> float:
        old = 1 - place / last if len(past.learned) > 1 else 0.0
        return 1 + settings.age * old + settings.fading * (learned.fading or 0.0)

    return {learned.commit: weight(place, learned) for place, learned in enumerate(past.learned)}
