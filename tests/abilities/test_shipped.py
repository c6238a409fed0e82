"""The canaries that the built-in model is said to answer are those that it answers."""

from __future__ import annotations

import pytest

from selfedit.abilities import answered, asker, fair_sample, shipped
from selfedit.abilities.shipped import Known, asked, read
from selfedit.canaries import canaries
from selfedit.engine import Engine
from selfedit.workers.local import LocalWorker


@pytest.mark.parametrize("row", read(), ids=[row.dtype for row in read()])
def test_they_are_of_the_canaries_as_they_are_asked_now(row: Known) -> None:
    assert row.asked == asked(), "canaries or their prompts have changed: run scripts/ship_known.py"
    known = shipped(row.base, row.dtype) or frozenset()
    assert len(known) >= 200
    assert known < {each.probe.id for each in canaries()}


def test_of_another_base_or_precision_nothing_is_known() -> None:
    base = read()[0].base
    assert (shipped("f" * 64, "float32"), shipped(base, "float64")) == (None, None)


def test_the_built_in_model_answers_them() -> None:
    worker = LocalWorker(Engine.load("smollm2-135m", dtype="float32"))
    known = shipped(worker.base, worker.dtype)
    assert known is not None
    drawn = fair_sample(canaries(), 24)
    right = set(answered(drawn, asker(worker)))
    differ = [each.question for each in drawn if (each.probe.id in right) != (each.probe.id in known)]
    assert len(differ) <= 1, f"{differ}: rounding may turn one, not several"
