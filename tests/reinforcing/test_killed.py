"""A run that is killed with SIGKILL again and again ends as one that is left in peace."""

from __future__ import annotations

import json
import multiprocessing
import os
import random
import time
from pathlib import Path
from typing import Any

import pytest

from selfedit.store import Store

from ..engine import tiny
from . import killed

KILLS = int(os.environ.get("SELFEDIT_KILLS", "15"))
"""`make kills` sets 100."""
PRELOADED = ["selfedit.engine", "selfedit.reinforcing", "selfedit.store"]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(tiny.WIDE, "max_position_embeddings", 4096)  # a prompt for a configuration is long
        return tiny.save_tiny(tmp_path_factory.mktemp("tiny"), "llama")


def furnished(folder: Path, model: Path) -> Path:
    """A folder with passages, tasks of demonstrations and the model."""
    rows = [
        {
            "title": f"Place {at}",
            "context": f"The lamp of place {at} is kept by Tobiah Renwick. It was lit in {1800 + at} by Osk.",
            "questions": [{"question": f"When was lamp {at} lit?", "answer": str(1800 + at)}],
        }
        for at in range(6)
    ]
    (folder / "squad").mkdir(parents=True)
    (folder / "squad" / "train.json").write_text(json.dumps(rows))
    (folder / "train.jsonl").write_text("\n".join(map(json.dumps, map(task, "abcd"))))
    (folder / "model").symlink_to(model)
    return folder


def task(letter: str) -> dict[str, Any]:
    """Demonstrations of how often a letter comes."""
    shown, asked = ([{"input": n * letter, "output": str(n)} for n in some] for some in ((1, 2), (3,)))
    return {"demonstrations": shown, "tests": asked}


def start(kind: str, folder: Path) -> Any:
    """The run in a process of its own, which has its imports already."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    process = context.Process(target=killed.run, args=(kind, folder))
    process.start()
    return process


def in_peace(kind: str, folder: Path) -> float:
    """Run it undisturbed; returns the seconds that it took."""
    began = time.monotonic()
    process = start(kind, folder)
    process.join(300)
    assert process.exitcode == 0
    return time.monotonic() - began


def disturbed(kind: str, folder: Path, longest: float, rng: random.Random, most: int) -> int:
    """Run it to its end, killed at most so many times; returns how often it was."""
    kills = 0
    while True:
        process = start(kind, folder)
        process.join(rng.uniform(0, longest) if kills < most else 300)
        if process.exitcode == 0:
            return kills
        assert process.exitcode is None, "it fell over by itself"
        process.kill()
        process.join()
        kills += 1
        if Store.exists(folder / "store"):
            with Store.open(folder / "store") as store:
                assert store.verify().ok


@pytest.mark.parametrize("kind", killed.RECIPES)
def test_killed_anywhere_it_ends_the_same(kind: str, tmp_path: Path, model: Path) -> None:
    in_peace(kind, furnished(tmp_path / "first", model))  # so that no import is part of the time
    peace = furnished(tmp_path / "peace", model)
    longest = 0.7 * in_peace(kind, peace)
    wanted = killed.outcome(peace)
    assert len(wanted) == 2
    assert all(adapter for _, adapter, _, _ in wanted)
    rng, kills, runs = random.Random(0), 0, 0
    while kills < KILLS:
        folder = furnished(tmp_path / f"war {runs}", model)
        times = disturbed(kind, folder, longest, rng, KILLS - kills)
        assert killed.outcome(folder) == wanted
        kills, runs = kills + times, runs + 1
        longest *= 1.0 if times else 0.7  # a machine that was busy before is not any more
