"""ARC tasks through every transform and back, as `selfedit bench transforms` counts it."""

from __future__ import annotations

import pytest

from selfedit.bench import transforms
from selfedit.edits.few_shot import GRIDS
from selfedit.edits.notation import read_grid
from selfedit.tasks import read_arc
from selfedit.types import FewShot, Grid


def through_everything(task: FewShot[Grid]) -> None:
    found = transforms.passed(task)
    assert not found.faults
    assert found.grids == 2 * (len(task.demonstrations) + len(task.tests))
    assert found.generated >= 2 * len(task.demonstrations)


def test_every_fiftieth_task() -> None:
    for task in read_arc("arc1").tasks[::50]:
        through_everything(task)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arc1", "arc2"])
def test_all_tasks(name: str) -> None:
    tasks = read_arc(name).tasks
    assert len(tasks) == {"arc1": 800, "arc2": 1120}[name]
    for task in tasks:
        through_everything(task)


def test_what_does_not_come_back_is_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    task = read_arc("arc-seal:train").tasks[0]
    monkeypatch.setattr(transforms, "inverse", lambda name: name if name == "rotate_90" else None)
    found = transforms.passed(task)
    assert set(found.faults) == {"rotate_90: its inverse gives another grid"}
    (row,) = transforms.command(["arc-seal:train"])
    assert row["first_fault"] == found.faults[0]
    assert "inverse gives another" in transforms.markdown([row])


def test_rows_of_a_real_task_are_read_back() -> None:
    task = read_arc("arc-seal:train").tasks[0]
    edit = GRIDS.parse(task, '{"basic": true, "size": true, "epochs": 3}')
    rows = GRIDS.sequences(task, edit)  # type: ignore[arg-type]
    assert 3 * ((len(rows) + 1) // 2) <= 375
    for row in rows:
        assert isinstance(read_grid(row.completion), tuple)  # type: ignore[union-attr]
