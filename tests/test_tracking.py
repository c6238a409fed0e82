"""Trackers: TensorBoard's own files, and what trackio and MLflow are told."""

from __future__ import annotations

import math
import sys
import types
from pathlib import Path
from typing import Any

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams.plugin_data_pb2 import HParamsPluginData

from selfedit.errors import UsageError
from selfedit.tracking import Tracker, flat, numbers, open_tracker

SETTINGS = {"seed": 3.0, "apply.rank": 8.0, "base": "smollm2-135m"}


def tell(tracker: Tracker) -> None:
    tracker.begin("train small", SETTINGS)
    tracker.log({"round/reward": -2.5, "round/kept": 4.0}, 1)
    tracker.log({"round/reward": -2.25, "table/untrained:rewrite/n": 7.0}, 2)
    tracker.end()


class Recorder(types.ModuleType):
    """A library that writes down its calls."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.calls: list[tuple[Any, ...]] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *positional, **named: self.calls.append((name, *positional, *named.items()))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Recorder:
    made = Recorder(request.param)
    monkeypatch.setitem(sys.modules, request.param, made)
    return made


def test_tensorboard_reads_what_was_written(tmp_path: Path) -> None:
    tell(open_tracker(f"tensorboard:{tmp_path}/board"))
    held = EventAccumulator(str(tmp_path / "board"))
    held.Reload()
    assert [(each.step, each.value) for each in held.Scalars("round/reward")] == [(1, -2.5), (2, -2.25)]
    assert [each.value for each in held.Scalars("table/untrained:rewrite/n")] == [7.0]
    (start,) = held.PluginTagToContent("hparams").values()
    started = HParamsPluginData.FromString(start).session_start_info
    assert started.group_name == "train small"
    assert started.hparams["apply.rank"].number_value == 8.0
    assert started.hparams["base"].string_value == "smollm2-135m"


@pytest.mark.parametrize("recorder", ["trackio"], indirect=True)
def test_trackio_is_told(recorder: Recorder) -> None:
    tell(open_tracker("trackio:seal"))
    assert recorder.calls == [
        ("init", ("project", "seal"), ("name", "train small"), ("config", SETTINGS)),
        ("log", {"round/reward": -2.5, "round/kept": 4.0}, ("step", 1)),
        ("log", {"round/reward": -2.25, "table/untrained:rewrite/n": 7.0}, ("step", 2)),
        ("finish",),
    ]


@pytest.mark.parametrize("recorder", ["mlflow"], indirect=True)
def test_mlflow_is_told_in_names_that_it_takes(recorder: Recorder) -> None:
    tell(open_tracker("mlflow:http://127.0.0.1:5000"))
    assert recorder.calls == [
        ("set_tracking_uri", "http://127.0.0.1:5000"),
        ("set_experiment", "selfedit"),
        ("start_run", ("run_name", "train small")),
        ("log_params", SETTINGS),
        ("log_metrics", {"round/reward": -2.5, "round/kept": 4.0}, ("step", 1)),
        ("log_metrics", {"round/reward": -2.25, "table/untrained_rewrite/n": 7.0}, ("step", 2)),
        ("end_run",),
    ]


@pytest.mark.parametrize("where", ["", "tensorboard", "tensorboard:", "wandb:project", ":x"])
def test_what_is_no_tracker(where: str) -> None:
    with pytest.raises(UsageError, match="choose tensorboard:FOLDER, trackio:PROJECT or mlflow:URI"):
        open_tracker(where)


@pytest.mark.parametrize("kind", ["tensorboard", "trackio", "mlflow"])
def test_a_missing_library_is_a_line_with_the_remedy(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in sys.modules if name.split(".")[0] == kind]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, kind, None)
    with pytest.raises(
        UsageError, match=rf"--track {kind}: the library .* pip install 'selfedit\[tracking\]'"
    ):
        open_tracker(f"{kind}:somewhere")


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="choose another folder"):
        open_tracker(f"tensorboard:{tmp_path}/file/board")


def test_settings_lie_flat() -> None:
    held = {"seed": 0, "data": {"train": "a.json", "passages": None}, "judge": {"seeds": [0, 1]}, "on": True}
    assert flat(held) == {
        "seed": 0,
        "data.train": "a.json",
        "data.passages": "null",
        "judge.seeds": "[0, 1]",
        "on": "true",
    }


def test_only_finite_numbers_are_sent() -> None:
    held = {
        "reward": -1,
        "adapter": "ab",
        "floor": None,
        "far": math.inf,
        "ok": True,
        "choice": {"looked": 0.5},
    }
    assert numbers(held, "round/") == {"round/reward": -1.0, "round/choice/looked": 0.5}
