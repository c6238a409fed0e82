"""Where the figures of a run are sent as they come about: TensorBoard, trackio or MLflow.

    tensorboard:FOLDER     event files
    trackio:PROJECT        trackio's own place
    mlflow:URI             a server, or what else MLflow is installed for; the experiment is called selfedit

The libraries are optional (`pip install 'selfedit[tracking]'`) and imported only when they are asked for.
Knows nothing of rounds or tables.
"""

from __future__ import annotations

import json
import math
import os
import re
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Protocol, cast, final

from selfedit.errors import UsageError

Setting = str | float
"""Numbers, and texts for all else."""


class Tracker(Protocol):
    """Takes the figures of one run."""

    def begin(self, name: str, settings: Mapping[str, Setting]) -> None:
        """Once, before all else: what the run is called, and its hyper-parameters."""
        ...

    def log(self, values: Mapping[str, float], step: int) -> None: ...

    def end(self) -> None: ...


def open_tracker(where: str) -> Tracker:
    """The tracker that `where` names, as KIND:PLACE. Raises UsageError; nothing is sent yet."""
    kind, _, place = where.partition(":")
    if kind not in TRACKERS or not place:
        raise UsageError(f"--track {where!r}: choose tensorboard:FOLDER, trackio:PROJECT or mlflow:URI")
    return TRACKERS[kind](place)


def flat(values: Mapping[str, Any], before: str = "") -> dict[str, Setting]:
    """Settings level by level under dotted names; lists and nothing as JSON."""
    found: dict[str, Setting] = {}
    for name, value in values.items():
        match value:
            case Mapping():
                found |= flat(cast(Mapping[str, Any], value), f"{before}{name}.")
            case str() | int() | float() if not isinstance(value, bool):
                found[f"{before}{name}"] = value
            case _:
                found[f"{before}{name}"] = json.dumps(value)
    return found


def numbers(values: Mapping[str, Any], before: str = "") -> dict[str, float]:
    """The finite numbers among the values, level by level."""
    found: dict[str, float] = {}
    for name, value in values.items():
        match value:
            case Mapping():
                found |= numbers(cast(Mapping[str, Any], value), f"{before}{name}/")
            case int() | float() if not isinstance(value, bool) and math.isfinite(value):
                found[f"{before}{name}"] = float(value)
            case _:
                pass
    return found


# -- the writers -------------------------------------------------------------------------------------------


def _missing(kind: str, error: ImportError) -> UsageError:
    what = f"--track {kind}: the library {error.name or kind} is missing"
    return UsageError(f"{what}; install it with pip install 'selfedit[tracking]'")


@final
class TensorBoard:
    """Event files in a folder, by TensorBoard's own writer; it needs neither TensorFlow nor torch."""

    def __init__(self, folder: str) -> None:
        try:
            self._events: Any = import_module("tensorboard.compat.proto.event_pb2")
            self._summaries: Any = import_module("tensorboard.compat.proto.summary_pb2")
            self._tags: Any = import_module("tensorboard.plugins.hparams.metadata")
            self._settings: Any = import_module("tensorboard.plugins.hparams.plugin_data_pb2")
            writer: Any = import_module("tensorboard.summary.writer.event_file_writer")
        except ImportError as error:
            raise _missing("tensorboard", error) from error
        try:
            self._writer = writer.EventFileWriter(folder)
        except OSError as error:
            raise UsageError(
                f"--track tensorboard:{folder}: {error.strerror}; choose another folder"
            ) from error

    def begin(self, name: str, settings: Mapping[str, Setting]) -> None:
        start = self._settings.SessionStartInfo(group_name=name, start_time_secs=time.time())
        for key, value in settings.items():
            field = "string_value" if isinstance(value, str) else "number_value"
            setattr(start.hparams[key], field, value)
        about = self._tags.create_summary_metadata(self._settings.HParamsPluginData(session_start_info=start))
        tag, nothing = self._tags.SESSION_START_INFO_TAG, self._tags.NULL_TENSOR
        value = self._summaries.Summary.Value(tag=tag, metadata=about, tensor=nothing)
        self._add(self._summaries.Summary(value=[value]), 0)

    def log(self, values: Mapping[str, float], step: int) -> None:
        summary = self._summaries.Summary
        each = [summary.Value(tag=tag, simple_value=value) for tag, value in values.items()]
        self._add(summary(value=each), step)
        self._writer.flush()

    def end(self) -> None:
        self._writer.close()

    def _add(self, summary: Any, step: int) -> None:
        self._writer.add_event(self._events.Event(wall_time=time.time(), step=step, summary=summary))


@final
class Trackio:
    """A project of trackio."""

    def __init__(self, project: str) -> None:
        self._project = project
        try:
            self._library: Any = import_module("trackio")
        except ImportError as error:
            raise _missing("trackio", error) from error

    def begin(self, name: str, settings: Mapping[str, Setting]) -> None:
        self._library.init(project=self._project, name=name, config=dict(settings))

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._library.log(dict(values), step=step)

    def end(self) -> None:
        self._library.finish()


EXPERIMENT = "selfedit"
"""What the runs are filed under in MLflow."""
RETRIES = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
"""How often it asks a server that does not answer; left to itself for minutes, and the run would wait."""


@final
class Mlflow:
    """A run at an MLflow server."""

    def __init__(self, uri: str) -> None:
        self._uri = uri
        try:
            self._library: Any = import_module("mlflow")
        except ImportError as error:
            raise _missing("mlflow", error) from error

    def begin(self, name: str, settings: Mapping[str, Setting]) -> None:
        os.environ.setdefault(RETRIES, "2")
        self._library.set_tracking_uri(self._uri)
        self._library.set_experiment(EXPERIMENT)
        self._library.start_run(run_name=name)
        self._library.log_params(dict(settings))

    def log(self, values: Mapping[str, float], step: int) -> None:
        self._library.log_metrics({_plain(name): value for name, value in values.items()}, step=step)

    def end(self) -> None:
        self._library.end_run()


def _plain(name: str) -> str:
    """MLflow's names of metrics have letters, digits and a few signs."""
    return re.sub(r"[^\w\-. /]", "_", name, flags=re.ASCII)


TRACKERS: Mapping[str, Callable[[str], Tracker]] = {
    "tensorboard": TensorBoard,
    "trackio": Trackio,
    "mlflow": Mlflow,
}
"""Kind → what opens a place of it."""
