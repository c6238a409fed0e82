"""How strategies are named, combined and applied to a plan."""

from __future__ import annotations

import typing
from itertools import permutations
from typing import Any

import pytest
from pydantic import ValidationError

from selfedit.config.retention import Retention, StrategyName
from selfedit.retain import STRATEGIES, Course, Past, planned
from selfedit.types import (
    Elastic,
    Head,
    NullSpace,
    Objective,
    Orthogonal,
    TrainingPlan,
)

from .histories import NEW, Named, past, settings

HEAD = Head("base", (Named("one"),))
MOMENTS = Named("moments")


def test_every_name_has_a_strategy() -> None:
    assert set(STRATEGIES) == set(typing.get_args(StrategyName))


def test_naive_is_the_default_and_changes_nothing_at_all() -> None:
    """The plan is the very one that is trained without any of this."""
    assert Retention() == settings("naive")
    course = planned(past(moments=MOMENTS, general=("x",)), NEW, Retention(), seed=3)
    assert course == Course(NEW, 3)
    assert course.rows == NEW
    for head in (None, HEAD):
        plan = TrainingPlan(course.rows, seed=3, head=head, objective=Objective(1.0))
        assert course.applied(plan) is plan


@pytest.mark.parametrize("name", sorted(set(STRATEGIES) - {"router", "superposition"}))
def test_without_a_past_nothing_is_done(name: str) -> None:
    assert planned(Past(), NEW, settings(name), seed=1) == Course(NEW, 1)


def test_constraints_name_what_they_keep_to() -> None:
    known = past(moments=MOMENTS)

    def constraint(name: str, **numbers: Any) -> Any:
        course = planned(known, NEW, settings(name, **numbers))
        plan = TrainingPlan(course.rows, head=HEAD)
        assert course.rows == NEW
        assert course.applied(plan) == TrainingPlan(NEW, head=HEAD, constraint=course.constraint)
        return course.constraint

    assert constraint("null-space", null_space={"energy": 0.9}) == NullSpace(MOMENTS, 0.9)
    assert constraint("elastic", elastic={"weight": 2}) == Elastic(MOMENTS, 2.0)
    adapters = tuple(learned.adapter for learned in known.learned)
    assert constraint("orthogonal") == Orthogonal(adapters)  # type: ignore[arg-type]
    assert constraint("orthogonal", orthogonal={"latest": 2, "penalty": 0.5}) == Orthogonal(
        adapters[-2:],  # type: ignore[arg-type]
        0.5,
    )
    assert planned(past(), NEW, settings("elastic")).constraint is None


@pytest.mark.parametrize(("name", "serving"), [("router", "routed"), ("superposition", "superposed")])
def test_what_is_kept_apart_is_trained_on_the_bare_base(name: str, serving: str) -> None:
    course = planned(past(), NEW, settings(name))
    assert course.serving == serving
    plan = course.applied(TrainingPlan(course.rows, head=HEAD, seed=2))
    assert plan == TrainingPlan(NEW, seed=2)
    assert planned(past(), NEW, settings("replay")).serving == "merged"


def test_strategies_add_up_in_one_order_whatever_the_settings_say() -> None:
    used = ("replay", "distillation", "null-space", "consolidation")
    known = past(moments=MOMENTS, general=("Water is wet.", "Two and two are four."))
    found = [planned(known, NEW, settings(*order)) for order in permutations(used)]
    assert all(each == found[0] for each in found)
    course = found[0]
    assert course.replayed
    assert course.held
    assert course.constraint == NullSpace(MOMENTS)
    assert course.rows == (*NEW, *course.replayed, *course.held)
    for name in used:
        alone = planned(known, NEW, settings(name))
        for field in ("replayed", "held", "objective", "constraint", "rebuilt"):
            if getattr(alone, field):
                assert getattr(alone, field) == getattr(course, field)


# -- settings ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "match"),
    [
        ((), "at least one"),
        (("replay", "replay"), "there twice"),
        (("naive", "replay"), "goes with no other"),
        (("router", "replay"), "leave replay out"),
        (("elastic", "router"), "leave elastic out"),
        (("superposition", "replay"), "superposition goes with bisection alone.* leave replay out"),
        (("router", "bisection", "superposition"), "leave superposition out"),
        (("naive", "superposition"), "naive goes with no other"),
        (("elastic", "null-space"), "leave elastic or null-space"),
        (("magic",), "naive"),
    ],
)
def test_what_does_not_go_together_is_refused(names: tuple[str, ...], match: str) -> None:
    with pytest.raises(ValidationError, match=match):
        settings(*names)


def test_what_goes_together_is_taken() -> None:
    assert settings("router", "bisection").strategies == ("router", "bisection")
    gentle = settings("superposition", "bisection")
    assert gentle.superposed
    assert not gentle.routed
    assert settings("null-space").uses_moments
    assert settings("replay", "elastic").uses_moments
    assert not settings("orthogonal", "replay").uses_moments
