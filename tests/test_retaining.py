"""The strategies of retention, as `learn` uses them."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.config import learning
from selfedit.errors import UsageError
from selfedit.memory import Memory
from selfedit.store import Store, sequence_text, text_hash
from selfedit.types import Elastic, NullSpace, Orthogonal, TrainingPlan

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER, SETTINGS


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def memory(tmp_path: Path, worker: FakeWorker) -> Memory:
    Store.create(tmp_path / "memory", base="fake", weights=worker.base, dtype="float32").close()
    for name, text in (("harbour.md", NOTE), ("library.md", OTHER)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return Memory(tmp_path / "memory", lambda: worker)


def second(memory: Memory, *strategies: str) -> tuple[list[str], TrainingPlan]:
    """Two documents learned one after another; the commits, and what the second was told to train."""
    settings = learning(SETTINGS, retention={"strategies": strategies})
    folder = memory.path.parent
    commits = [
        memory.learn(folder / name, settings=settings, gate=False).commits[0]
        for name in ("harbour.md", "library.md")
    ]
    return commits, memory.worker.plans[-1]


def test_replayed_rows_are_trained_and_known_as_replayed(memory: Memory) -> None:
    (first, last), plan = second(memory, "replay")
    with Store.open(memory.path) as store:
        old = {text_hash(sequence_text(row)) for row in store.plan(first).sequences}
        stems = store.text_tasks(last)
        replayed = {text for text, task in stems.items() if task is None}
        assert replayed
        assert replayed <= old
        assert {text_hash(sequence_text(row)) for row in plan.sequences} == set(stems)
        assert store.plan(last).id == plan.id
        assert store.trained_on(last) == (first,)
    memory.revert(first)
    assert [row.id for row in memory.stale()] == [last]


def test_what_is_held_has_no_weight_and_an_objective(memory: Memory) -> None:
    _, plan = second(memory, "distillation")
    assert plan.objective is not None
    assert any(not isinstance(row, str) and row.weight == 0 for row in plan.sequences)


@pytest.mark.parametrize(
    ("name", "kind"), [("orthogonal", Orthogonal), ("null-space", NullSpace), ("elastic", Elastic)]
)
def test_a_constraint_is_of_what_was_learned_before(memory: Memory, name: str, kind: type) -> None:
    (first, _), plan = second(memory, name)
    assert isinstance(plan.constraint, kind)
    if isinstance(plan.constraint, Orthogonal):
        with Store.open(memory.path) as store:
            assert [each.hash for each in plan.constraint.adapters] == [store.commit(first).adapter]
    assert memory.worker.plans[0].constraint is None


@pytest.mark.parametrize("name", ["naive", "router"])
def test_nothing_is_added_where_nothing_is_asked_for(memory: Memory, name: str) -> None:
    (first, last), plan = second(memory, name)
    assert (plan.objective, plan.constraint) == (None, None)
    with Store.open(memory.path) as store:
        assert None not in store.text_tasks(last).values()
        assert store.trained_on(last) == ((first,) if name == "naive" else ())


@pytest.mark.parametrize(
    ("name", "line"), [("consolidation", "a verb of its own"), ("superposition", "only measured")]
)
def test_what_is_no_way_of_learning_is_refused_before_anything_is_loaded(
    memory: Memory, worker: FakeWorker, name: str, line: str
) -> None:
    settings = learning(SETTINGS, retention={"strategies": (name,)})
    with pytest.raises(UsageError, match=line):
        memory.learn(memory.path.parent / "harbour.md", settings=settings)
    assert (worker.plans, worker.asked) == ([], [])
