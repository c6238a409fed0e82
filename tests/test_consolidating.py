"""All live commits as one adapter: in their place, if it knows what they knew."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.engine import Adapter
from selfedit.errors import StoreError
from selfedit.memory import Memory
from selfedit.store import Store
from selfedit.types import TrainingPlan

from .fakes import FakeWorker
from .test_lifelong import NOTE, OTHER, SETTINGS

QUESTIONS = """question,answer
Who keeps the lamp of Orrskerry?,Tobiah Renwick
Who founded the Tide Library?,Isaura Quill
"""


@pytest.fixture
def worker() -> FakeWorker:
    grasps = {
        "Who keeps the lamp of Orrskerry?": "Tobiah Renwick",
        "Who founded the Tide Library?": "Isaura Quill",
    }
    return FakeWorker(grasps=grasps)


@pytest.fixture
def memory(memory: Memory, tmp_path: Path) -> Memory:
    """Two commits that answer each alone."""
    for name, text in (("harbour.md", NOTE), ("library.md", OTHER), ("mine.csv", QUESTIONS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    files = [tmp_path / "harbour.md", tmp_path / "library.md"]
    memory.learn(files, settings=SETTINGS, questions=tmp_path / "mine.csv", each=True)
    return memory


def live(memory: Memory) -> list[str]:
    return [row.id for row in reversed(memory.log()) if row.live]


def test_one_takes_the_place_of_all(memory: Memory, tmp_path: Path) -> None:
    two = live(memory)
    written = len(memory.worker.asked)
    report = memory.consolidate(settings=SETTINGS)
    assert report.accepted
    assert live(memory) == list(report.commits)
    assert report.replaced == tuple((each, report.commits[0]) for each in two)
    assert memory.stale() == ()
    with Store.open(memory.path) as store:
        held = [set(store.plan(each).sequences) for each in (*two, report.commits[0])]
        assert held[2] == held[0] | held[1]
        assert store.trained_on(report.commits[0]) == ()
        assert {source.path for source in store.head()[0].sources} == {
            str(tmp_path / "harbour.md"),
            str(tmp_path / "library.md"),
        }
    for question, answer in (
        ("Who keeps the lamp of Orrskerry?", "Tobiah Renwick"),
        ("Who founded the Tide Library?", "Isaura Quill"),
    ):
        assert memory.ask(question, topic="").text == answer
    assert not any(each.prompt.endswith("\nQuestion:") for each in memory.worker.asked[written:])
    assert memory.verify().ok


def test_it_can_be_exported_and_taken_back(memory: Memory, tmp_path: Path) -> None:
    two = live(memory)
    memory.consolidate(settings=SETTINGS)
    assert memory.export(tmp_path / "out", form="merged").files
    memory.rollback(two[1])
    assert live(memory) == two


def test_one_that_knows_less_is_held_back(
    memory: Memory, worker: FakeWorker, monkeypatch: pytest.MonkeyPatch
) -> None:
    two, able = live(memory), worker._adapter

    def overfull(plan: TrainingPlan) -> Adapter:
        """An adapter that holds nothing of what it was trained on."""
        made = able(plan)
        worker._rows[made.hash] = {}
        return made

    monkeypatch.setattr(worker, "_adapter", overfull)
    report = memory.consolidate(settings=SETTINGS)
    assert (report.accepted, report.commits) == (False, ())
    assert live(memory) == two
    (held,) = memory.quarantine()
    assert any("earlier right answers stayed right" in reason for reason in held.reasons)
    assert memory.approve(held.id).commits == (held.id,)
    assert live(memory) == [held.id]
    assert memory.rollback(two[1]).live == tuple(two)


def test_there_must_be_two(memory: Memory) -> None:
    memory.revert(live(memory)[0])
    with pytest.raises(StoreError, match="fewer than two live commits"):
        memory.consolidate(settings=SETTINGS)


def test_a_file_is_learned_once_more_in_place_of_the_whole(memory: Memory, tmp_path: Path) -> None:
    (commit,) = memory.consolidate(settings=SETTINGS).commits
    (tmp_path / "library.md").write_text(OTHER.replace("nineteen", "twenty"), encoding="utf-8")
    report = memory.learn(tmp_path / "library.md", settings=SETTINGS, gate=False)
    assert [old for old, _ in report.replaced] == [commit]
