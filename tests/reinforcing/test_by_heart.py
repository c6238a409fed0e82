"""Rounds whose self-edits are learned by heart: what is trained, how it is tried, and what is told apart."""

from __future__ import annotations

import pytest

from selfedit.edits.recitation import CUE, is_recited
from selfedit.reinforcing import campaign, reinforce
from selfedit.store import Store

from ..fakes import FakeWorker
from .test_training import SMALL, data, recipe, store

__all__ = ["data", "store"]

BY_HEART = SMALL.replace("spans: 4}", "spans: 4, recite: true, hints: 1}")


@pytest.fixture
def made(store: Store, data, worker: FakeWorker):
    held = campaign(store, worker, recipe(BY_HEART), data)
    return held, list(reinforce(held))


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


def test_edits_are_sentences_and_are_tried_by_saying_them(made, worker: FakeWorker) -> None:
    held, _ = made
    plans = [plan for plan in worker.plans if any(map(is_recited, plan.sequences))]
    assert len(plans) >= 2 * 3 * 3
    tried = [each for each in worker.asked if each.adapter]
    assert tried
    assert all(each.prompt.endswith(CUE) for each in tried)
    assert [row.adapter for row in held.ended if row.adapter]


def test_the_policy_learns_the_questions_of_the_kept_edits(made, worker: FakeWorker) -> None:
    _, done = made
    policy = [
        plan
        for plan in worker.plans
        if plan.sequences
        and all(getattr(each, "prompt", "").endswith("Question:") for each in plan.sequences)
    ]
    assert len(policy) == len(done) == 2


def test_a_second_call_tries_nothing_again(made, store: Store, data) -> None:
    later = FakeWorker()
    assert [each.adapter for each in reinforce(campaign(store, later, recipe(BY_HEART), data))] == [
        each.adapter for each in made[1]
    ]
    assert not later.plans


def test_trials_at_once_are_other_trials(made, store: Store, data) -> None:
    later = FakeWorker()
    list(reinforce(campaign(store, later, recipe(SMALL), data)))
    assert later.plans
    assert not any(is_recited(each) for plan in later.plans for each in plan.sequences)
