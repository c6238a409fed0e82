"""What the model is held to while it learns: earlier rows and general prompts at weight 0."""

from __future__ import annotations

from selfedit.retain import Learned, planned
from selfedit.types import Objective, Sequence

from .histories import NEW, past, settings

GENERAL = ("Water is wet.", Sequence("Two and two?", " Four."), "The sky is blue.")


def test_held_rows_weigh_nothing_and_the_objective_holds_them_alone() -> None:
    numbers = {"weight": 3, "divergence": "reverse", "share": 1, "general": 2 / 3}
    course = planned(past(general=GENERAL), NEW, settings("distillation", distillation=numbers))
    assert course.objective == Objective(3.0, "reverse", None, "unweighted")
    assert course.replayed == ()
    assert len(course.held) == 3 + 2
    assert {row.weight for row in course.held} == {0.0}
    earlier = {row for learned in past().learned for row in learned.rows}
    texts = {row if isinstance(row, str) else (row.prompt, row.completion) for row in earlier}
    assert all(
        (row.prompt, row.completion) in texts or (not row.prompt and row.completion in texts)
        for row in course.held[:3]
    )
    assert {row.completion for row in course.held[3:]} < {"Water is wet.", " Four.", "The sky is blue."}


def test_without_anything_to_hold_there_is_no_objective() -> None:
    course = planned(past(), NEW, settings("distillation", distillation={"share": 0, "general": 1}))
    assert (course.held, course.objective) == ((), None)


def test_what_is_new_is_not_held_back() -> None:
    known = past(Learned("a", NEW))
    assert planned(known, NEW, settings("distillation", distillation={"share": 5})).held == ()


def test_a_text_that_is_earlier_and_general_is_held_once() -> None:
    known = past(Learned("a", ("Water is wet.",)), general=("Water is wet.", Sequence("", "Water is wet.")))
    numbers = {"share": 5, "general": 5}
    assert planned(known, NEW, settings("distillation", distillation=numbers)).held == (
        Sequence("", "Water is wet.", 0.0),
    )


def test_replayed_rows_are_learned_even_where_they_are_held() -> None:
    both = settings("replay", "distillation", replay={"share": 16}, distillation={"share": 16})
    course = planned(past(), NEW, both)
    assert len(course.replayed) == len(course.held) == 24
    assert all(isinstance(row, str) or row.weight == 1 for row in course.replayed)
