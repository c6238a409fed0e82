"""Rounds whose self-edits are learned by heart: what is trained, how it is tried, and what is told apart."""

from __future__ import annotations

import pytest

from selfedit.edits.recitation import CUE, is_recited
from selfedit.errors import UsageError
from selfedit.reinforcing import campaign, reinforce
from selfedit.store import Store
from selfedit.types import Probe, Task
from selfedit.writing import probed_sentences

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


BY_SENTENCE = BY_HEART.replace("judge: {", "judge: {rewards: [{name: sentence}], ")


def test_the_reward_by_sentences_says_nothing_and_scores_the_passages_own(
    store: Store, data, worker: FakeWorker
) -> None:
    held = campaign(store, worker, recipe(BY_SENTENCE), data)
    done = list(reinforce(held))
    assert [each.kept > 0 for each in done] == [True] * len(done)
    assert not [each for each in worker.asked if each.adapter], "no adapter is asked in words"
    passages = [task.passage for task in held.kind.tasks]
    cited = [each for each in worker.scored if each.adapter]
    assert cited
    for each in cited:
        assert each.prompt.endswith(f"\n{CUE}")
        assert any(each.completion.strip() in passage for passage in passages)


def test_the_sentence_is_looked_up_by_the_answer_and_the_questions_words() -> None:
    passage = "The lamp of Orr was lit in 1832. Mara Holt kept it in 1832 and after. Nobody else came."
    first, second = (
        Probe("When was the lamp of Orr lit?", "1832"),
        Probe("When did Mara Holt keep it?", "1832"),
    )
    task = Task("Orr", passage, (first, second, Probe("Who came?", "the queen")))
    assert probed_sentences([task], {task.id: task.probes}) == {
        first.id: "The lamp of Orr was lit in 1832.",
        second.id: "Mara Holt kept it in 1832 and after.",
    }


def test_the_reward_by_sentences_is_of_what_is_recited_alone() -> None:
    with pytest.raises(UsageError, match=r"judge\.rewards: .*choose write\.recite true"):
        recipe(BY_SENTENCE.replace("recite: true", "recite: false"))


def test_trials_at_once_are_other_trials(made, store: Store, data) -> None:
    later = FakeWorker()
    list(reinforce(campaign(store, later, recipe(SMALL), data)))
    assert later.plans
    assert not any(is_recited(each) for plan in later.plans for each in plan.sequences)
