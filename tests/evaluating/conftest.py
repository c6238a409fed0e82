"""A small data set of places that do not exist, and a recipe that reports on them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from selfedit.evaluating import Table, Wanted, evaluate
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe
from selfedit.store import Store

from ..fakes import FakeWorker

PLACES = ("Harbour", "Library", "Market", "Bridge", "Tower", "Mill", "Quay", "School", "Well", "Forge")
SMALL = """
write: {samples: 3, spans: 4}
judge: {own_probes: 4, grader: rules}
report: {training: {rank: 2, alpha: 4, learning_rate: 0.001, epochs: 1}}
"""


def place(at: int, name: str) -> dict[str, object]:
    return {
        "title": name,
        "context": f"The lamp of {name} is kept by Keeper {name}son. It was lit in {1800 + at} by Osk.",
        "questions": [
            {"question": f"Who keeps the lamp of {name}?", "answer": f"Keeper {name}son"},
            {"question": f"When was the lamp of {name} lit?", "answer": str(1800 + at)},
        ],
    }


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with passages to report on, and a teacher's notes on two of them."""
    folder = tmp_path / "data"
    (folder / "squad").mkdir(parents=True)
    rows = [place(at, name) for at, name in enumerate(PLACES)]
    (folder / "squad" / "val_report.json").write_text(json.dumps(rows))
    notes = [
        {"title": row["title"], "context": f" {row['context']}\n", "edits": ["1. A lamp is kept here.", ""]}
        for row in rows[:2]
    ]
    with gzip.open(folder / "teacher_edits.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in notes)
    return folder


Made = Callable[..., Table]


@pytest.fixture
def measured(tmp_path: Path, data: Path) -> Made:
    """The table of a recipe by a worker, in one store unless a place is named."""

    def made(
        worker: FakeWorker, rows: str, text: str = SMALL, limit: int | None = None, place: str = "memory"
    ) -> Table:
        path = tmp_path / place
        if not Store.exists(path):
            Store.create(path, base="smollm2-135m", weights=worker.base, dtype="float32").close()
        wanted = Wanted(parse_recipe(text, "test.yaml"), data, tuple(rows.split(",")), limit)
        return evaluate(Memory(path, lambda: worker), wanted)

    return made
