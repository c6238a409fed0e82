"""What tests of several rooms need: a store with a fake worker, a PostgreSQL server."""

from __future__ import annotations

import os
import runpy
from pathlib import Path

import pytest

from selfedit.memory import Memory
from selfedit.store import Store

from .fakes import FakeWorker

SERVER = runpy.run_path(str(Path(__file__).with_name("store") / "server.py"))


@pytest.fixture(scope="session")
def server():
    """A PostgreSQL server that the tests may stop and start."""
    if programs := SERVER["binaries"]():
        server = SERVER["Server"](programs)
        yield server
        server.remove()
    elif any(os.environ.get(name) for name in SERVER["REQUIRED"]):
        pytest.fail(SERVER["MISSING"])
    else:
        pytest.skip(SERVER["MISSING"])


@pytest.fixture
def postgres(request):
    """The URL of a PostgreSQL database."""
    return os.environ.get(SERVER["GIVEN"]) or request.getfixturevalue("server").url()


@pytest.fixture
def worker() -> FakeWorker:
    return FakeWorker()


@pytest.fixture
def memory(tmp_path: Path, worker: FakeWorker) -> Memory:
    """An empty store beside the test's files."""
    place = tmp_path / "memory"
    Store.create(place, base="fake", weights=worker.base, dtype="float32").close()
    return Memory(place, lambda: worker)
