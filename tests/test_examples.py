"""The examples run, on a tiny random model in the base's place: they say what they do, not what it learns."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

import pytest

from .engine.tiny import save_tiny

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny(tmp_path_factory.mktemp("tiny"), "llama"))


def example(name: str) -> dict[str, Any]:
    return runpy.run_path(str(EXAMPLES / name))


def test_every_example_is_run_here() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == {"learn_and_ask.py", "train_two_adapters.py"}


def test_learn_and_ask(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    given = example("learn_and_ask.py")
    given["main"](base)
    shown = capsys.readouterr().out
    assert shown.startswith("commits:")
    assert all(question in shown for question in given["QUESTIONS"])


def test_train_two_adapters(base: str, capsys: pytest.CaptureFixture[str]) -> None:
    example("train_two_adapters.py")["main"](base)
    shown = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in shown] == [
        "taught nobody", "taught Tobiah Renwick", "taught Isaura Quill", "saved",
    ]  # fmt: skip
    assert shown[-1] == "saved: adapter_config.json adapter_model.safetensors"


@pytest.mark.model
def test_two_adapters_learn_contradicting_facts(capsys: pytest.CaptureFixture[str]) -> None:
    example("train_two_adapters.py")["main"]()
    lines = capsys.readouterr().out.splitlines()
    assert "Tobiah Renwick" in lines[1].split(": ", 1)[1]
    assert "Isaura Quill" in lines[2].split(": ", 1)[1]
