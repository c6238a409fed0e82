"""`--track`: what `train` and `eval` send as they go, and that no run ends for a tracker."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from selfedit import tracking

from ..evaluating.conftest import PLACES, place
from ..fakes import FakeWorker
from .conftest import Run

RECIPE = """
rounds: 2
data: {passages: 3}
write: {samples: 2, spans: 3}
judge: {grader: rules}
report: {training: {rank: 2, alpha: 4, learning_rate: 0.001, epochs: 1}}
"""


@pytest.fixture
def recipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv("SELFEDIT_DATA", "data")
    (here / "data" / "squad").mkdir(parents=True)
    for name in ("train", "val_report"):
        rows = [place(at, f"{name} {place_of}") for at, place_of in enumerate(PLACES)]
        (here / "data" / "squad" / f"{name}.json").write_text(json.dumps(rows))
    (here / "small.yaml").write_text(RECIPE)
    return "small.yaml"


def read(folder: Path) -> EventAccumulator:
    held = EventAccumulator(str(folder))
    held.Reload()
    return held


def test_each_round_is_sent_once_as_it_ends(run: Run, recipe: str, here: Path) -> None:
    ended = run("train", recipe, "--track", "tensorboard:board", "--json")
    assert ended.code == 0, ended.err
    held = read(here / "board")
    sent = [(each.step, each.value) for each in held.Scalars("round/reward")]
    assert sent == [(each["round"], pytest.approx(each["reward"])) for each in ended.json]
    assert {"round/kept", "round/trials", "round/failures", "round/seconds"} <= set(held.Tags()["scalars"])
    again = run("train", recipe, "--track", "tensorboard:again", "--json")
    assert again.json == ended.json
    assert read(here / "again").Tags()["scalars"] == []


def test_each_row_of_the_table_is_sent(run: Run, recipe: str, here: Path) -> None:
    ended = run("eval", recipe, "--rows", "base,gold", "--track", "tensorboard:board", "--json")
    assert ended.code == 0, ended.err
    held = read(here / "board")
    for row in ended.json:
        (sent,) = held.Scalars(f"table/{row['method']}/accuracy")
        assert sent.value == pytest.approx(row["accuracy"])


def test_a_tracker_that_breaks_ends_no_run(run: Run, recipe: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []

    class Broken:
        def __init__(self, where: str) -> None: ...

        def begin(self, name: str, settings: Any) -> None:
            calls.append(name)
            print("a line of the library's own")

        def log(self, values: Any, step: int) -> None:
            calls.append("log")
            raise ConnectionError("nobody\nanswers")

        def end(self) -> None:
            calls.append("end")

    monkeypatch.setattr(tracking, "TRACKERS", {"mlflow": Broken})
    ended = run("train", recipe, "--track", "mlflow:http://127.0.0.1:1", "--json")
    assert ended.code == 0
    assert [each["round"] for each in ended.json] == [1, 2]
    assert "a line of the library's own" in ended.err
    assert calls == ["train small.yaml", "log"]
    line = "ConnectionError: nobody answers; nothing more is sent there, the work goes on"
    assert ended.err.count(line) == 1


@pytest.mark.parametrize("verb", ["train", "eval"])
def test_no_such_tracker_is_told_before_anything_is_done(
    verb: str, run: Run, recipe: str, worker: FakeWorker, here: Path
) -> None:
    ended = run(verb, recipe, "--track", "wandb:x", "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "--track 'wandb:x': choose tensorboard:FOLDER" in ended.err
    assert worker.asked == []
    assert not (here / "memory").exists()
