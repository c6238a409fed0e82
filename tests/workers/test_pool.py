"""A pool gives what one engine gives, loses nothing when a process dies, and leaves none behind."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from selfedit.engine import Adapter, Engine
from selfedit.types import (
    Elastic,
    Failure,
    GenerationRequest,
    NullSpace,
    Objective,
    Orthogonal,
    ScoreRequest,
    Sequence,
    TrainingPlan,
)
from selfedit.workers import pool
from selfedit.workers.pool import PooledWorker

from ..engine.tiny import save_tiny

TEXTS = ("The town of Zorb was founded in 1832.", Sequence("Who?\nAnswer:", " Anna"), "Short.")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine.load(save_tiny(tmp_path_factory.mktemp("llama"), "llama"), dtype="float64")


@pytest.fixture
def worker(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Iterator[PooledWorker]:
    monkeypatch.setattr(pool, "PAYS_TRAINING", 0)
    monkeypatch.setattr(pool, "PAYS_TOKENS", 0)
    found = PooledWorker(engine, processes=2)
    yield found
    found.close()


def plans(count: int, **changes: object) -> list[TrainingPlan]:
    return [
        TrainingPlan(TEXTS, rank=2, learning_rate=1e-2, epochs=3, seed=seed, **changes)  # pyright: ignore
        for seed in range(count)
    ]


def test_a_pool_equals_one_engine(engine: Engine, worker: PooledWorker) -> None:
    (first,) = engine.train(plans(1))
    assert isinstance(first, Adapter)
    work = [*plans(9, head=engine.head([first])), TrainingPlan(("x" * 300,), epochs=1)]
    seen: list[tuple[int, int]] = []
    together = worker.train(work, lambda done, total: seen.append((done, total)))
    for found, expected in zip(together, engine.train(work), strict=True):
        if isinstance(expected, Failure):
            assert found == expected
            continue
        assert isinstance(found, Adapter)
        assert found.losses == pytest.approx(expected.losses, rel=1e-9)
        assert found.meta.plan == expected.meta.plan
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)
    adapters = [found for found in together if isinstance(found, Adapter)]
    requests = [GenerationRequest("The town", adapter=a, max_tokens=5, stop=(".",)) for a in adapters]
    for completion, expected in zip(worker.generate(requests), engine.generate(requests), strict=True):
        assert (completion.text, completion.tokens) == (expected.text, expected.tokens)
        assert completion.logprob == pytest.approx(expected.logprob, abs=1e-6)
    scores = [ScoreRequest("The", " town", adapter=a) for a in adapters]
    found = [score.logprob for score in worker.score(scores)]
    assert found == pytest.approx([score.logprob for score in engine.score(scores)], abs=1e-6)


def test_objectives_and_their_heads_reach_the_other_processes(engine: Engine, worker: PooledWorker) -> None:
    first, second = (engine.head([found]) for found in engine.train(plans(2)) if isinstance(found, Adapter))
    objectives = [
        Objective(0.5),
        Objective(2.0, "forward", second),
        Objective(1.0, "reverse", engine.head([])),
    ]
    work = [plan for objective in objectives for plan in plans(3, head=first, objective=objective)]
    together = worker.train([*work, *plans(2)])
    assert worker._children
    for found, expected in zip(together, engine.train([*work, *plans(2)]), strict=True):
        assert isinstance(found, Adapter)
        assert isinstance(expected, Adapter)
        assert found.losses == pytest.approx(expected.losses, rel=1e-9)
        assert found.meta.plan == expected.meta.plan


def test_constraints_reach_the_other_processes(engine: Engine, worker: PooledWorker, tmp_path: Path) -> None:
    made = [found for found in engine.train(plans(2)) if isinstance(found, Adapter)]
    earlier = tuple(Adapter.load(each.save(tmp_path / each.hash)) for each in made)
    moments = worker.moments(["The town was founded in 1832."], rank=4)
    constraints = [
        Orthogonal(earlier),
        Orthogonal(earlier, 0.5),
        NullSpace(moments, 0.5),
        Elastic(moments, 2.0),
    ]
    held = Objective(0.5, "forward", engine.head(earlier), "unweighted")
    work = [plan for each in constraints for plan in plans(2, constraint=each, objective=held)]
    together = worker.train(work)
    assert worker._children
    for found, expected in zip(together, engine.train(work), strict=True):
        assert isinstance(found, Adapter)
        assert isinstance(expected, Adapter)
        assert found.losses == pytest.approx(expected.losses, rel=1e-9)
        assert found.meta.plan == expected.meta.plan


def test_a_pool_that_keeps_heads_says_the_same(engine: Engine, worker: PooledWorker, tmp_path: Path) -> None:
    trained = [found for found in engine.train(plans(3)) if isinstance(found, Adapter)]
    worker.start()
    worker.keep_heads(tmp_path / "heads")
    requests = [GenerationRequest("The", head=engine.head(trained[:i]), max_tokens=5) for i in (1, 3, 2, 1)]
    expected = [found.tokens for found in engine.generate(requests)]
    assert [found.tokens for found in worker.generate(requests)] == expected
    assert worker._children


def test_the_work_of_a_process_that_dies_is_done_here(engine: Engine, worker: PooledWorker) -> None:
    killed: list[int] = []

    def kill(done: int, total: int) -> None:
        if not killed:
            child = worker._children[0]
            child.process.kill()
            killed.append(child.process.pid)

    work = plans(8)
    found = worker.train(work, kill)
    assert killed
    assert [result.meta.plan for result in found if isinstance(result, Adapter)] == [p.id for p in work]


def test_an_interrupted_pool_leaves_no_process(worker: PooledWorker) -> None:
    started: list[subprocess.Popen[str]] = []

    def interrupt(done: int, total: int) -> None:
        started.extend(child.process for child in worker._children)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        worker.train(plans(8), interrupt)
    assert started
    assert all(process.poll() is not None for process in started)


def test_a_worker_ends_when_its_standard_input_closes(engine: Engine, tmp_path: Path) -> None:
    settings = {"base": str(engine.path), "device": "cpu", "dtype": "float32", "threads": 1}
    process = subprocess.Popen(
        [sys.executable, "-m", "selfedit.engine.worker", json.dumps({**settings, "folder": str(tmp_path)})],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    assert json.loads(process.stdout.readline()) == {"ready": True}
    process.stdin.close()
    assert process.wait(timeout=10) == 0
    process.stdout.close()
