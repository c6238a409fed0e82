"""scripts/arc.sh: which parts it runs, how it says that there is more to do, and that its recipe is one."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from selfedit.recipes import load_recipe, training_tasks

SCRIPTS = Path(__file__).parents[1] / "scripts"


@pytest.fixture
def stub(tmp_path: Path) -> Path:
    """In the interpreter's place: notes what it is told, prints a table, and ends with $CODE."""
    path = tmp_path / "python"
    path.write_text('#!/bin/sh\necho "$@" >> "$OUT/calls"\necho "[]"\nexit ${CODE:-0}\n')
    path.chmod(0o755)
    return path


def script(tmp_path: Path, stub: Path, *parts: str, **given: str) -> tuple[int, list[str], Path]:
    out = tmp_path / "out"
    held = {**os.environ, "OUT": str(out), "PYTHON": str(stub), **given}
    ended = subprocess.run(
        ["bash", str(SCRIPTS / "arc.sh"), *parts], env=held, capture_output=True, text=True
    )
    calls = (out / "calls").read_text().splitlines() if (out / "calls").exists() else []
    return ended.returncode, calls, out


def test_all_parts_in_their_order(tmp_path: Path, stub: Path) -> None:
    code, calls, out = script(tmp_path, stub, LIMIT="3")
    assert code == 0
    assert [call.split()[2] for call in calls] == ["eval", "train", "eval", "report"]
    assert "--rows in-context,oracle" in calls[0]
    assert all("--limit 3" in call for call in (calls[0], calls[2]))
    assert "--limit" not in calls[1]
    assert all(str(SCRIPTS / "arc.yaml") in call for call in calls[:3])
    assert {path.name for path in out.glob("*.json")} == {
        "search.json",
        "train.json",
        "eval.json",
        "report.json",
    }


@pytest.mark.parametrize(("code", "said"), [("130", 75), ("2", 2)])
def test_what_is_broken_off_is_no_failure_and_leaves_no_table(
    tmp_path: Path, stub: Path, code: str, said: int
) -> None:
    ended, calls, out = script(tmp_path, stub, "train", "eval", CODE=code)
    assert ended == said
    assert len(calls) == 1
    assert not (out / "train.json").exists()


def test_a_part_that_there_is_not(tmp_path: Path, stub: Path) -> None:
    assert script(tmp_path, stub, "serch")[0] == 2


def test_its_recipe_is_one() -> None:
    recipe = load_recipe(SCRIPTS / "arc.yaml")
    assert len(recipe.few_shot.settings) == 16
    assert len(training_tasks(recipe, None)) == 40
