"""A small data set of places that do not exist, and streams over it in one store."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from selfedit.memory import Memory
from selfedit.recipes import parse_stream
from selfedit.store import Store
from selfedit.streaming import StreamTable, Wanted, stream

from ..evaluating.conftest import PLACES, place

SMALL = """
sequences: 2
documents: 3
write: {spans: 4}
training: {rank: 2, alpha: 4, learning_rate: 0.001, epochs: 1}
canaries: 4
grader: rules
methods:
  - {name: naive}
  - {name: replay, retention: {strategies: [replay]}}
  - {name: router, retention: {strategies: [router]}}
"""
"""Two sequences of three documents, by methods that differ in what they train on."""
Streamed = Callable[..., StreamTable]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder with ten passages."""
    return furnished(tmp_path / "data")


def furnished(folder: Path) -> Path:
    (folder / "squad").mkdir(parents=True)
    rows = [place(at, name) for at, name in enumerate(PLACES)]
    (folder / "squad" / "val_report.json").write_text(json.dumps(rows))
    return folder


@pytest.fixture
def streamed(tmp_path: Path, data: Path) -> Streamed:
    """The table of a recipe by a worker, in one store unless a place is named."""

    def made(worker: Any, text: str = SMALL, place: str = "memory", **wanted: Any) -> StreamTable:
        return table_at(tmp_path / place, worker, text, data, **wanted)

    return made


def table_at(path: Path, worker: Any, text: str, data: Path, **wanted: Any) -> StreamTable:
    """The table of a recipe in the store at a path, which is made if it is not there."""
    if not Store.exists(path):
        Store.create(path, base="smollm2-135m", weights=worker.base, dtype=worker.dtype).close()
    return stream(Memory(path, lambda: worker), Wanted(parse_stream(text, "test.yaml"), data, **wanted))
