"""One round: candidates are applied, judged and chosen, with a worker that learns by heart."""

from __future__ import annotations

import pytest

from selfedit import rounds
from selfedit.config import Training
from selfedit.edits.questions import ask_prompt, qa_row
from selfedit.engine import Adapter
from selfedit.rounds import Ground
from selfedit.types import Failure, Probe, Reward, Score, SelfEdit, Task, Trial

from .fakes import FakeWorker

TASK = Task("Harbour", "The lamp is kept by Tobiah Renwick.")
OTHER = Task("Library", "The stove is called Bartholomew.")
PROBES = [Probe(f"Question {n}?", f"answer {n}", "Harbour") for n in range(4)]
ROWS = tuple(qa_row(probe.question, probe.answer, probe.topic) for probe in PROBES)


def edit(task: Task, rows: int, name: str = "") -> SelfEdit:
    lines = tuple(qa_row(f"What is {name} {n}?", f"thing {n}", task.title) for n in range(rows))
    return SelfEdit(task.id, "question-answer", f"{name} {rows}", lines)


def ground(worker: FakeWorker, rate: float = 1e-3) -> Ground:
    return Ground(worker, None, Training(rank=2, alpha=4, learning_rate=rate, epochs=1))


def test_the_edit_with_the_best_reward_is_chosen_for_every_task() -> None:
    edits = {
        TASK.id: [edit(TASK, 2), edit(TASK, 5), edit(TASK, 3)],
        OTHER.id: [edit(OTHER, 4), edit(OTHER, 1)],
    }
    held = ground(FakeWorker())
    trials = rounds.candidates([TASK, OTHER], edits, held)
    judged = rounds.apply_and_judge(trials, {TASK.id: PROBES, OTHER.id: PROBES[:1]}, held)
    assert [t.edit for t in judged] == [t.edit for t in trials]
    assert all(isinstance(t.outcome, Reward) and t.adapter for t in judged)
    assert rounds.choose(judged) == {TASK.id: edits[TASK.id][1], OTHER.id: edits[OTHER.id][0]}


def test_more_trials_than_are_judged_at_once_keep_their_order() -> None:
    edits = {TASK.id: [edit(TASK, 1 + n % 5, str(n)) for n in range(21)]}
    held = ground(FakeWorker())
    judged = rounds.apply_and_judge(rounds.candidates([TASK], edits, held), {TASK.id: PROBES}, held)
    assert [t.edit for t in judged] == edits[TASK.id]
    values = [t.outcome.value for t in judged if isinstance(t.outcome, Reward)]
    assert values == [1 + n % 5 - 100 for n in range(21)]


def test_what_could_not_be_parsed_is_no_candidate() -> None:
    edits = {TASK.id: [Failure("parse", "no facts"), edit(TASK, 1)]}
    (trial,) = rounds.candidates([TASK], edits, ground(FakeWorker()))
    assert trial.edit == edits[TASK.id][1]
    assert isinstance(trial.outcome, Failure)


def test_a_failure_is_never_a_reward_of_0() -> None:
    held = ground(FakeWorker(unteachable=True))
    trials = rounds.candidates([TASK], {TASK.id: [edit(TASK, 1), edit(TASK, 2)]}, held)
    judged = rounds.apply_and_judge(trials, {TASK.id: PROBES}, held)
    assert [t.outcome for t in judged] == [Failure("train", "NaN in step 1")] * 2
    best = Trial(judged[1].edit, judged[1].plan, Reward(-99.0))
    assert rounds.choose([judged[0], best]) == {TASK.id: best.edit}


def test_without_probes_there_is_no_reward() -> None:
    held = ground(FakeWorker())
    trials = rounds.candidates([TASK], {TASK.id: [edit(TASK, 1)]}, held)
    (judged,) = rounds.apply_and_judge(trials, {TASK.id: []}, held)
    assert judged.outcome == Failure("judge", "no probe to choose by")


def test_likelihood_is_the_mean_over_probes_of_the_mean_over_tokens() -> None:
    class Scored(FakeWorker):
        def score(self, requests):
            assert [r.prompt for r in requests] == [ask_prompt(p.question, p.topic) for p in PROBES]
            assert [r.completion for r in requests] == [f" {p.answer}" for p in PROBES]
            return [Score(-float(n), (-float(n) / 2,) * 2) for n in range(len(requests))]

    (outcome,) = rounds.rewarded([(None, PROBES)], ground(Scored()))
    value = pytest.approx(-0.75)
    assert outcome == Reward(value, {"likelihood": value, "probes": 4.0})


def test_answers_are_asked_without_the_passage() -> None:
    worker = FakeWorker(knows={"Topic: Harbour. Question 0?": "answer 0"})
    found = rounds.answers(PROBES[:2], None, ground(worker))
    assert found[0] == "answer 0"
    assert [request.prompt for request in worker.asked] == [
        ask_prompt(p.question, p.topic) for p in PROBES[:2]
    ]
    assert all(request.temperature == 0 for request in worker.asked)


def test_one_adapter_answers_what_it_was_trained_on() -> None:
    held = ground(FakeWorker())
    adapter = rounds.train_whole(ROWS, PROBES, held)
    assert isinstance(adapter, Adapter)
    assert rounds.answers(PROBES, adapter, held) == [probe.answer for probe in PROBES]


@pytest.mark.parametrize(("limit", "rates"), [(1.0, 1), (5e-4, 2), (0.0, 2)])
def test_what_collapses_is_trained_once_more_gentler(limit: float, rates: int) -> None:
    worker = FakeWorker(collapses_above=limit)
    found = rounds.train_whole(ROWS, PROBES, ground(worker))
    assert [plan.learning_rate for plan in worker.plans] == pytest.approx([1e-3, 1e-3 / 3][:rates])
    assert isinstance(found, Failure) is (limit == 0.0)


def test_right_has_the_measures_of_an_answer() -> None:
    assert rounds.right(PROBES[0], "answer 0").parts == {"correct": 1.0, "concise": 1.0, "recall": 1.0}
    assert rounds.right(PROBES[0], "nothing").parts["correct"] == 0.0


@pytest.mark.parametrize(
    ("rows", "least", "size"),
    [(22, 150, 1), (59, 150, 1), (60, 150, 2), (150, 150, 4), (900, 150, 4), (3, 0, 4)],
)
def test_a_short_document_is_trained_in_smaller_steps(rows: int, least: int, size: int) -> None:
    training = Training(epochs=5, batch_size=4, least_steps=least)
    ground = Ground(FakeWorker(), None, training)
    plan = rounds.plan_for([f"Fact {number}." for number in range(rows)], ground)
    assert plan.batch_size == size
    assert plan.steps >= min(least, 5 * rows)
