"""All ARC tasks through every transform and back, and how long a generated task takes."""

from __future__ import annotations

import time

import pytest

from selfedit.edits.augment import FAMILIES, NAMES, inverse, transform
from selfedit.edits.few_shot import GRIDS
from selfedit.edits.notation import read_grid
from selfedit.edits.queries import grid_queries
from selfedit.edits.variants import fits, grid_variants, grids
from selfedit.tasks import read_arc
from selfedit.types import FewShot, Grid

EVERY = (*NAMES, "translate_2_1", "translate_-3_40", *(name for name in FAMILIES["chain"]))
MOST_MS = 5.0


def there_and_back(task: FewShot[Grid]) -> None:
    for name in EVERY:
        back = inverse(name)
        for grid in grids(task):
            changed = transform(name, grid)
            assert back is None or transform(back, changed) == grid


def through_everything(task: FewShot[Grid]) -> int:
    """How many tasks were generated of it."""
    there_and_back(task)
    found = grid_variants(task, FAMILIES)
    assert len(found) >= 2 * len(task.demonstrations)
    assert all(map(fits, found))
    for number, test in enumerate(task.tests):
        for query in grid_queries(task, number):
            assert query.read(query.completion(test.output)) == test.output
    return len(found)


def test_every_fiftieth_task() -> None:
    for task in read_arc("arc1").tasks[::50]:
        through_everything(task)


def test_a_generated_task_takes_milliseconds() -> None:
    tasks = read_arc("arc1:evaluation").tasks[::20]
    begin = time.process_time()
    made = sum(len(grid_variants(task, FAMILIES)) for task in tasks)
    assert 1000 * (time.process_time() - begin) / made <= MOST_MS


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arc1", "arc2"])
def test_all_tasks(name: str) -> None:
    tasks = read_arc(name).tasks
    assert len(tasks) == {"arc1": 800, "arc2": 1120}[name]
    made = sum(map(through_everything, tasks))
    assert made > 10 * len(tasks)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["arc1", "arc2"])
def test_all_generated_tasks_are_quick(name: str) -> None:
    slowest = 0.0
    for task in read_arc(name).tasks:
        begin = time.process_time()
        made = len(grid_variants(task, FAMILIES))
        slowest = max(slowest, 1000 * (time.process_time() - begin) / made)
    assert slowest <= MOST_MS


def test_rows_of_a_real_task_are_read_back() -> None:
    task = read_arc("arc-seal:train").tasks[0]
    edit = GRIDS.parse(task, '{"basic": true, "size": true, "epochs": 3}')
    rows = GRIDS.sequences(task, edit)  # type: ignore[arg-type]
    assert 3 * ((len(rows) + 1) // 2) <= 375
    for row in rows:
        assert isinstance(read_grid(row.completion), tuple)  # type: ignore[union-attr]
