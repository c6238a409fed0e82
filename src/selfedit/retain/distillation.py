"""Hold the model to the head before, where the new says nothing (Li & Hoiem 2016, arXiv 1606.09282).

On earlier rows and general prompts at weight 0 the exact divergence from the head before is the whole loss;
new rows are learned freely. What that head has lost already, it cannot give back: that takes replay.
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.drawing import budget, drawn, earlier_rows, still, words
from selfedit.retain.past import Course, Past
from selfedit.types import Objective


def distillation(past: Past, course: Course, settings: Retention) -> Course:
    """Adds held rows and the objective that holds them; nothing where there is nothing to hold."""
    chosen, place = settings.distillation, (course.seed, past.place)
    earlier = earlier_rows(past, course, lambda learned: 1.0)
    general = dict.fromkeys(past.general, 1.0)
    rows = (
        *drawn(earlier, budget(chosen.share, course.new), "distil", *place),
        *drawn(general, budget(chosen.general, course.new), "general", *place),
    )
    held = tuple({words(row): still(row) for row in rows}.values())
    if not held:
        return course
    objective = Objective(chosen.weight, chosen.divergence, rows="unweighted")
    return replace(course, held=(*course.held, *held), objective=objective)
