"""A worker that is hired when it first has something to do."""

from __future__ import annotations

from selfedit.types import GenerationRequest, ScoreRequest, TrainingPlan
from selfedit.workers import Worker
from selfedit.workers.lazy import LazyWorker

from ..fakes import WEIGHTS, FakeWorker


def test_what_needs_no_model_hires_nobody() -> None:
    def hire() -> Worker:
        raise AssertionError("hired")

    worker = LazyWorker(hire, WEIGHTS, "float32")
    assert (worker.base, worker.dtype) == (WEIGHTS, "float32")
    assert worker.head([]) == FakeWorker().head([])
    assert (worker.train([]), worker.generate([]), worker.score([])) == ([], [], [])


def test_work_is_done_by_one_who_is_hired_once() -> None:
    hired: list[FakeWorker] = []

    def hire() -> Worker:
        hired.append(FakeWorker())
        return hired[-1]

    worker, alone = LazyWorker(hire, WEIGHTS, "float32"), FakeWorker()
    plan = TrainingPlan(("A lamp.",), rank=2)
    (adapter,) = worker.train([plan])
    assert adapter.hash == alone.train([plan])[0].hash
    assert [index for index, _ in worker.train_iter([plan])] == [0]
    asked = [GenerationRequest("Who?\nAnswer:", adapter)]
    assert worker.generate(asked) == alone.generate(asked)
    assert worker.score([ScoreRequest("Who?", " He", adapter)])
    assert worker.moments(["A lamp."], rank=2).hash == alone.moments(["A lamp."], rank=2).hash
    assert worker.count("a lamp") == 2
    assert not worker.chat
    assert len(hired) == 1
