"""The script for a CUDA machine, as far as a machine without one can tell."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

SCRIPTS = Path(__file__).parents[2] / "scripts"


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, SCRIPTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", str(SCRIPTS / "cuda.sh"), *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, **environment},
    )


def test_bash_can_read_it():
    assert subprocess.run(["bash", "-n", str(SCRIPTS / "cuda.sh")]).returncode == 0


def test_without_a_known_part_it_says_what_there_is(tmp_path: Path):
    for arguments in ((), ("everything",)):
        ran = run(*arguments, OUT=str(tmp_path))
        assert ran.returncode == 2
        assert "parity | train" in ran.stderr


def test_a_finished_part_is_skipped_and_shown(tmp_path: Path):
    row = {
        "name": "train", "case": "c", "rival": "r", "ratio": 3.0, "ours": 3.0, "theirs": 1.0, "unit": "u",
        "machine": "m",
    }  # fmt: skip
    (tmp_path / "train.json").write_text(json.dumps([row]))
    ran = run("train", OUT=str(tmp_path), PYTHON=sys.executable)
    assert ran.returncode == 0
    assert "is done" in ran.stderr
    assert "3.00×" in ran.stdout
    assert json.loads((tmp_path / "rows.jsonl").read_text())["part"] == "train"


def test_a_failed_part_leaves_no_rows_and_is_named(tmp_path: Path):
    ran = run("train", OUT=str(tmp_path), PYTHON=sys.executable, MODEL=str(tmp_path / "absent"), DEVICE="cpu")
    assert ran.returncode == 1
    assert "failed: train" in ran.stderr
    assert not (tmp_path / "train.json").exists()


def test_parity_row_is_the_runners_closing_line():
    found = script("cuda_table").parity_row("...\n===== 12 passed, 3 deselected in 4.1s =====\n")
    assert found == {"name": "parity", "result": "12 passed, 3 deselected in 4.1s"}


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_shape_becomes_a_folder_that_loads(tmp_path: Path):
    script("cuda_shape").build("tiny", tmp_path, "cpu", torch.bfloat16)
    model = AutoModelForCausalLM.from_pretrained(tmp_path, dtype="auto")
    tokenizer = AutoTokenizer.from_pretrained(tmp_path)
    assert model.dtype == torch.bfloat16
    ids = tokenizer("The city of the river.")["input_ids"]
    assert max(ids) < model.config.vocab_size
    assert tokenizer.decode(ids) == "The city of the river."


def test_a_shape_too_large_is_refused(tmp_path: Path):
    module = script("cuda_shape")
    with pytest.raises(module.EngineError, match="too little memory"):
        module.check_room(1 << 60, tmp_path, "cpu")
