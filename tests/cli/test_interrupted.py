"""Ctrl-C and a full disk at every stage: the store stays whole, and the next run goes on."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from selfedit.cli import main, output
from selfedit.store import Store

from ..engine.tiny import save_tiny
from ..fakes import FakeWorker
from ..test_lifelong import NOTE
from .by_heart import put_in_place

BY_HEART = Path(__file__).parent / "by_heart.py"
STAGES = [
    *("loading the model", "writing questions", "asking before", "writing notes", "trying notes", "training"),
    *("asking after", "committing"),
]


def command(*arguments: str, pause: float = 0, width: int = 2) -> list[str]:
    return [sys.executable, str(BY_HEART), str(pause), str(width), *arguments]


def learning(folder: Path) -> list[str]:
    (folder / "harbour.md").write_text(NOTE, encoding="utf-8")
    return ["learn", "harbour.md", "--store", "memory", "--samples", "2"]


def stopped_at(stage: str, run: list[str], folder: Path) -> tuple[int, str]:
    """Run a command, press Ctrl-C when it announces the stage; its code and the rest of what it said."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        run, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, env=environment
    )
    assert process.stderr is not None
    with process, process.stderr as lines:
        for line in lines:
            if line.strip() == stage:
                process.send_signal(signal.SIGINT)
                break
        rest = lines.read()
        return process.wait(timeout=120), rest


def finished(run: list[str], folder: Path, **more: object) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        run, cwd=folder, capture_output=True, text=True, timeout=120, env=environment, **more
    )  # type: ignore[call-overload]


def commits(folder: Path) -> int:
    if not Store.exists(folder / "memory"):
        return 0
    with Store.open(folder / "memory") as store:
        assert store.verify().ok
        return len(store.log())


@pytest.fixture
def by_heart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    put_in_place(monkeypatch.setattr, FakeWorker())


@pytest.mark.usefixtures("by_heart")
@pytest.mark.parametrize("stage", STAGES)
def test_ctrl_c_as_a_stage_begins(
    stage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = learning(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(
            output, "say", lambda line: signal.raise_signal(signal.SIGINT) if line == stage else None
        )
        assert main.run(run) == 130
    assert capsys.readouterr().err == "selfedit: interrupted\n"
    assert commits(tmp_path) == 0
    assert main.run(run) == 0
    assert commits(tmp_path) == 1


@pytest.mark.parametrize("stage", ["trying notes", "committing"])
def test_ctrl_c_in_the_midst_of_a_stage(stage: str, tmp_path: Path) -> None:
    code, rest = stopped_at(stage, command(*learning(tmp_path), pause=0.3), tmp_path)
    if stage == "committing" and code == 0:  # the commit was done before the key was pressed
        assert commits(tmp_path) == 1
        return
    assert (code, rest.splitlines()[-1]) == (130, "selfedit: interrupted")
    assert "Traceback" not in rest
    assert commits(tmp_path) == 0


def test_ctrl_c_while_a_real_model_trains(tmp_path: Path) -> None:
    base = save_tiny(tmp_path / "base", "llama")
    (tmp_path / "note.txt").write_text("Tobiah keeps the lamp. It is 19 years old.\n", encoding="utf-8")
    run = [sys.executable, "-m", "selfedit.cli.main", "learn", "note.txt", "--store", "memory"]
    run += ["--base", str(base), "--epochs", "1000"]
    code, rest = stopped_at("training", run, tmp_path)
    assert (code, rest.splitlines()[-1]) == (130, "selfedit: interrupted")
    assert commits(tmp_path) == 0
    again = [*run[:-1], "1", "--learning-rate", "1e-6", "--no-gate", "--json"]
    done = finished(again, tmp_path)
    assert done.returncode in (0, 1), done.stderr  # a random model may count as collapsed
    assert len(json.loads(done.stdout)["commits"]) == commits(tmp_path)


def limit(kilobytes: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (kilobytes * 1024, kilobytes * 1024))


@pytest.mark.usefixtures("by_heart")
@pytest.mark.parametrize(("kilobytes", "width"), [(8, 2), (1000, 20_000)], ids=["journal", "adapter"])
def test_a_full_disk_is_one_line_and_harms_nothing(kilobytes: int, width: int, tmp_path: Path) -> None:
    assert main.run(learning(tmp_path)) == 0
    (tmp_path / "other.md").write_text(NOTE.replace("Tobiah", "Isaura"), encoding="utf-8")
    run = ["learn", "other.md", "--store", "memory", "--no-gate"]
    done = finished(command(*run, width=width), tmp_path, preexec_fn=limit(kilobytes))
    assert done.returncode == 2, (done.returncode, done.stderr)
    assert re.search(
        r"^selfedit: .*(disk failed while|cannot write the adapter) .*; ", done.stderr.splitlines()[-1]
    )
    assert "Traceback" not in done.stderr
    assert commits(tmp_path) == 1
    assert main.run(run) == 0
    assert commits(tmp_path) == 2
