"""`selfedit export`: what it writes and prints, what it refuses, and that nothing half done is left."""

from __future__ import annotations

import json
import os
import re
import resource
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from selfedit.cli import output
from selfedit.store import Store

from ..fakes import FakeWorker
from .conftest import Run


def test_json_gives_the_figures(run: Run, here: Path, commits: list[str]) -> None:
    ended = run("export", "out", "--json")
    assert ended.code == 0
    found = ended.json
    assert (found["form"], found["base"], found["dtype"]) == ("merged", "smollm2-135m", "float32")
    assert (found["commits"], found["lora"], found["stale"]) == (commits, None, [])
    assert found["folder"] == str(here / "out")
    assert (found["files"], found["bytes"] > 0, found["seconds"] >= 0) == (1, True, True)
    assert sorted(os.listdir("out")) == ["README.md", "manifest.json", "model.safetensors"]
    assert ended.err.splitlines() == ["loading the model", "writing the model"]


def test_a_person_sees_what_was_written(run: Run, commits: list[str]) -> None:
    ended = run("export", "out")
    assert re.match(
        r"Wrote the whole model to .*/out: \d+ B in 1 file\.\nHolds 3 commits on smollm2", ended.out
    )


def test_one_lora_tells_what_it_loses(run: Run, commits: list[str]) -> None:
    found = run("export", "out", "--form", "lora", "--rank", "2", "--json").json
    assert set(found["lora"]) == {"rank", "full_rank", "error", "worst_error", "worst_layer"}
    assert found["probes"]["asked"] > found["probes"]["passages"] == 3
    assert found["probes"]["right_head"] == found["probes"]["right_export"] == 0
    ended = run("export", "two", "--form", "lora", "--error", "0.1")
    for line in (
        "- rank 1, where 1 loses nothing",
        "- off by 0.00% of",
        "- right: ",
        "- answers that differ",
    ):
        assert line in ended.out
    assert ended.err.splitlines()[-2:] == ["asking the head", "asking the LoRA"]


def test_adapters_need_no_model(run: Run, commits: list[str]) -> None:
    ended = run("export", "out", "--form", "adapters", "--at", commits[1])
    assert ended.code == 0
    assert "Wrote 2 adapters to" in ended.out
    assert ended.err == ""
    folders = [f"00{number}-{commit[:12]}" for number, commit in enumerate(commits[:2], 1)]
    assert sorted(os.listdir("out")) == [*folders, "README.md", "manifest.json"]
    for folder in folders:
        config = json.loads((Path("out") / folder / "adapter_config.json").read_text())
        assert "smollm2-135m" in config["base_model_name_or_path"]


def test_what_waits_for_retraining_is_said(run: Run, commits: list[str]) -> None:
    run("rollback", "base")
    with Store.open("memory", write=True) as store:
        store.move_head("revert", commits[1:])
    ended = run("export", "out")
    assert f"not yet retrained after a revert, so that traces of it may remain: {commits[1][:8]}" in ended.out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["memory"], r"memory: not empty, or the folder that you are in; name a new or empty folder"),
        (["harbour.md"], r"harbour.md: a file is in the way; name a new or empty folder"),
        (["out", "--form", "gguf"], r"form 'gguf': unknown; choose merged, lora, adapters"),
        (["out", "--rank", "4"], r"a rank or an error bound is for one LoRA; .*"),
        (["out", "--at", "zz"], r"commit 'zz': none has an id that begins so; .*"),
        (["out", "--at", "base"], r".*: nothing is learned there; .*"),
    ],
)
def test_what_cannot_be_is_one_line(run: Run, commits: list[str], arguments: list[str], line: str) -> None:
    ended = run("export", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert re.fullmatch(f"selfedit: {line}\n", ended.err)
    assert not Path("out").exists()


def test_ctrl_c_leaves_nothing(
    run: Run, here: Path, commits: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(os.listdir())
    with monkeypatch.context() as patch:
        patch.setattr(
            output,
            "say",
            lambda line: signal.raise_signal(signal.SIGINT) if line == "asking the LoRA" else None,
        )
        ended = run("export", "out", "--form", "lora")
    assert (ended.code, ended.err) == (130, "selfedit: interrupted\n")
    assert set(os.listdir()) == before
    assert run("export", "out", "--form", "lora").code == 0


@contextmanager
def full_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.mark.parametrize("form", ["merged", "lora", "adapters"])
def test_a_full_disk_is_one_line_and_leaves_nothing(
    form: str, run: Run, worker: FakeWorker, documents: list[str]
) -> None:
    worker.width = 20_000
    assert run("learn", *documents).code == 0
    before = set(os.listdir())
    with full_disk(8000):
        ended = run("export", "out", "--form", form)
    assert (ended.code, ended.out) == (2, "")
    last = ended.err.splitlines()[-1]
    assert re.match(
        r"selfedit: .*/out\S*: .*(cannot be written|cannot write).*File too large.*; free space", last
    )
    assert "/.out" not in last
    assert set(os.listdir()) == before
    assert run("export", "out", "--form", form).code == 0
