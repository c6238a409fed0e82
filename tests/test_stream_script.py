"""scripts/stream.sh: its parts in their order, how it says that there is more to do, and its recipe."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from selfedit.recipes import load_stream

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """In the interpreter's place: notes what it is told, prints a table, and ends with $CODE."""
    path = tmp_path / "python"
    path.write_text('#!/bin/sh\necho "$@" >> "$OUT/calls"\necho "{}"\nexit ${CODE:-0}\n')
    path.chmod(0o755)
    return path


def script(tmp_path: Path, stub: Path, *parts: str, **given: str) -> tuple[int, list[str], Path]:
    out = tmp_path / "out"
    held = {**os.environ, "OUT": str(out), "PYTHON": str(stub), "SELFEDIT_DATA": "data", **given}
    ended = subprocess.run(
        ["bash", str(SCRIPTS / "stream.sh"), *parts], env=held, capture_output=True, text=True
    )
    calls = (out / "calls").read_text().splitlines() if (out / "calls").exists() else []
    return ended.returncode, calls, out


def test_all_parts_in_their_order_in_one_store(tmp_path: Path, stub: Path) -> None:
    code, calls, out = script(tmp_path, stub, METHODS="naive,router", SEQUENCES="1")
    assert code == 0
    assert [call.split()[2] for call in calls] == ["stream", "stream", "stream", "report"]
    assert [Path(call.split()[3]).name for call in calls[:3]] == [
        "stream-screen",
        "stream.yaml",
        "stream-long",
    ]
    assert all(f"--store {out}/store" in call for call in calls)
    assert all("--methods naive,router --sequences 1" in call for call in calls[:3])
    assert {path.name for path in out.glob("*.json")} == {
        *("screen.json", "stream.json", "long.json", "report.json")
    }


@pytest.mark.parametrize(("code", "said"), [("130", 75), ("2", 2)])
def test_what_is_broken_off_is_no_failure_and_leaves_no_table(
    tmp_path: Path, stub: Path, code: str, said: int
) -> None:
    ended, calls, out = script(tmp_path, stub, "stream", "long", CODE=code)
    assert ended == said
    assert len(calls) == 1
    assert not (out / "stream.json").exists()


def test_an_unknown_part_is_refused(tmp_path: Path, stub: Path) -> None:
    assert script(tmp_path, stub, "dream")[0] == 2


def test_its_recipe_is_one_and_takes_all_that_report() -> None:
    recipe = load_stream(SCRIPTS / "stream.yaml")
    assert recipe.sequences * recipe.documents == 96
    assert {"naive", "router", "joint"} <= set(recipe.names)
