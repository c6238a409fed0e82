"""Verbs run in a folder of their own, by a worker that learns by heart."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from selfedit.cli import main

from ..fakes import FakeWorker
from ..test_lifelong import NOTE, OTHER
from .by_heart import put_in_place

THIRD = """# Market

The Saturday market of Dunmarrow opens at 06:15 under the salt arcade. Its oldest stall is called Lanternfish.
The warden of weights is Perrin Osk.
"""


@dataclass(frozen=True)
class Ended:
    """What a command left: its code, and what it printed."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Run = Callable[..., Ended]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder to stand in, and an environment that is put back."""
    monkeypatch.delenv("SELFEDIT_DEBUG", raising=False)
    monkeypatch.delenv("SELFEDIT_JOURNAL", raising=False)
    monkeypatch.chdir(tmp_path)
    before = dict(os.environ)
    yield tmp_path
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def worker(monkeypatch: pytest.MonkeyPatch) -> FakeWorker:
    """Who computes in the model's place."""
    made = FakeWorker()
    put_in_place(monkeypatch.setattr, made)
    return made


@pytest.fixture
def run(here: Path, worker: FakeWorker, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `selfedit ARGUMENTS... --store memory`."""

    def ran(*arguments: str) -> Ended:
        code = main.run([*arguments, "--store", "memory"])
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return ran


@pytest.fixture
def documents(here: Path) -> list[str]:
    """Three documents, by name."""
    for name, text in (("harbour.md", NOTE), ("library.md", OTHER), ("market.md", THIRD)):
        (here / name).write_text(text, encoding="utf-8")
    return ["harbour.md", "library.md", "market.md"]


@pytest.fixture
def commits(run: Run, documents: list[str]) -> list[str]:
    """The ids of three commits, oldest first, each trained on those before: one for each document."""
    told = run("learn", *documents, "--each", "--no-recite", "--retention", "naive", "--json")
    return told.json["commits"]
