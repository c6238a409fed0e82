"""Work in the background: detached, alone, and silent but for its log. No model is loaded."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from selfedit.cli import background
from selfedit.errors import StoreError
from selfedit.store import Store

TELL = """
import json, os, sys
print(json.dumps({
    "session": os.getsid(0) == os.getpid(),
    "stdin": sys.stdin.read(),
    "files": sorted(os.listdir("/proc/self/fd")),
}))
print("and to the other stream", file=sys.stderr)
"""


@pytest.fixture
def store(tmp_path: Path) -> Path:
    place = tmp_path / "memory"
    Store.create(place, base="fake", weights="f" * 64, dtype="float32").close()
    return place


@pytest.fixture
def tells(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "command", lambda *given: [sys.executable, "-c", TELL])


def written(log: Path, end: str) -> str:
    """What the log holds once it ends so."""
    until = time.monotonic() + 30
    while not (text := log.read_text(encoding="utf-8")).endswith(end):
        assert time.monotonic() < until, text
        time.sleep(0.02)
    return text


def ended(pid: int) -> None:
    assert os.waitpid(pid, 0)[1] == 0


@pytest.mark.usefixtures("tells")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_it_runs_in_a_session_of_its_own_and_inherits_nothing(store: Path, tmp_path: Path) -> None:
    with (tmp_path / "ours").open("w") as ours:
        os.set_inheritable(ours.fileno(), True)
        found = background.begin("retrain", store)
    assert found.log == store.resolve() / "retrain.log"
    assert found.pid is not None
    said = written(found.log, "stream\n").splitlines()
    assert re.fullmatch(r"-- retraining, \d{4}-\d\d-\d\d \d\d:\d\d:\d\d", said[0])
    told = json.loads(said[1])
    assert (told["session"], told["stdin"]) == (True, "")
    assert told["files"] == ["0", "1", "2", "3"]  # the last one reads the list
    ended(found.pid)


@pytest.mark.usefixtures("tells")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_the_log_is_added_to(store: Path) -> None:
    (store / "retrain.log").write_text("earlier\n", encoding="utf-8")
    found = background.begin("retrain", store)
    assert found.pid is not None
    assert written(found.log, "stream\n").startswith("earlier\n-- retraining, ")
    ended(found.pid)


def test_a_second_one_is_not_started(store: Path) -> None:
    with Store.open(store, write=True, verb="retrain"):
        assert background.begin("retrain", store) == background.Background(
            store.resolve() / "retrain.log", None
        )
    assert not (store / "retrain.log").exists()


@pytest.mark.usefixtures("tells")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_one_that_waits_for_another_writer_is_started(store: Path) -> None:
    with Store.open(store, write=True, verb="learn"):
        found = background.begin("retrain", store)
    assert found.pid is not None
    ended(found.pid)


def test_where_nothing_can_be_started_is_one_line(store: Path) -> None:
    (store / "retrain.log").mkdir()
    with pytest.raises(StoreError, match=r"retrain\.log: retraining could not be started .*directory"):
        background.begin("retrain", store)


def test_the_command_is_the_program_itself(store: Path, tmp_path: Path) -> None:
    (tmp_path / "selfedit").mkdir()
    (tmp_path / "selfedit" / "__init__.py").write_text("raise SystemExit('another selfedit')\n")
    run = background.command("retrain", store, "cpu")
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, ""), done.stderr
    assert "Nothing" in done.stdout
