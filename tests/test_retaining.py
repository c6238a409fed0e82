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


@pytest.fixture(autouse=True)
def files(tmp_path: Path) -> None:
    """Two documents beside the store."""
    for name, text in (("harbour.md", NOTE), ("library.md", OTHER)):
        (tmp_path / name).write_text(text, encoding="utf-8")


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


@pytest.mark.parametrize("faded", [0, 1])
def test_what_is_not_known_any_more_is_replayed_first(
    memory: Memory, worker: FakeWorker, tmp_path: Path, faded: int
) -> None:
    asked = {
        "Who keeps the lamp of Orrskerry?": "Tobiah Renwick",
        "Who founded the Tide Library?": "Isaura Quill",
    }
    worker.grasps = dict(asked)
    for number, (name, row) in enumerate(zip(("harbour.md", "library.md"), asked.items(), strict=True)):
        (tmp_path / f"{number}.csv").write_text("question,answer\n" + ",".join(row), encoding="utf-8")
        settings = learning(SETTINGS, retention={"strategies": ("naive",)})
        memory.learn(tmp_path / name, settings=settings, questions=tmp_path / f"{number}.csv", gate=False)
    worker.grasps[list(asked)[faded]] = "nobody"
    (tmp_path / "market.md").write_text("# Market\n\nThe market opens at 06:15.\n", encoding="utf-8")
    replay = {"share": 1, "age": 0, "fading": 1000}
    settings = learning(SETTINGS, retention={"strategies": ("replay",), "replay": replay})
    commit = memory.learn(tmp_path / "market.md", settings=settings, gate=False).commits[0]
    with Store.open(memory.path) as store:
        replayed = {text for text, task in store.text_tasks(commit).items() if task is None}
        learned = [store.plan(each.id).sequences for each in reversed(memory.log()[1:])]
        rows = {text_hash(sequence_text(row)) for row in learned[faded]}
        assert len(replayed) > 1
        assert replayed <= rows
