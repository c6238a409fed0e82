"""A run goes on as it has begun, however many threads a later process would choose."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from selfedit.engine import Engine
from selfedit.settled import known, settle
from selfedit.store import Store
from selfedit.workers.local import LocalWorker

from .engine.tiny import save_tiny
from .fakes import WEIGHTS, FakeWorker


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.create(tmp_path / "store", base="fake", weights=WEIGHTS, dtype="float32") as made:
        yield made


def test_the_first_process_chooses_for_all(store: Store) -> None:
    first, second, other = FakeWorker(threads=1), FakeWorker(threads=2), FakeWorker(threads=2)
    settle(store, first, "run")
    settle(store, second, "run")
    settle(store, other, "another run")
    assert (first.threads, second.threads, other.threads) == (1, 1, 2)
    held = known(store, "run")
    assert held is not None
    assert held["settings"]["threads"] == 1
    assert held["versions"].keys() >= {"python", "selfedit", "torch", "transformers"}
    assert known(store, "none") is None


def test_another_kind_of_machine_chooses_anew(store: Store) -> None:
    settle(store, FakeWorker(threads=1), "run")
    there = FakeWorker(threads=8, dtype="bfloat16")
    settle(store, there, "run")
    assert there.threads == 8
    held = known(store, "run")
    assert held is not None
    assert held["settings"]["threads"] == 8


def test_an_engine_takes_up_what_it_recorded(store: Store, tmp_path: Path) -> None:
    engine = Engine.load(save_tiny(tmp_path / "model", "llama"))
    engine.threads = 2
    settle(store, LocalWorker(engine), "run")
    again = Engine.load(tmp_path / "model")
    again.threads = 1
    settle(store, LocalWorker(again), "run")
    assert again.threads == 2
    assert again.limits() == engine.limits()
