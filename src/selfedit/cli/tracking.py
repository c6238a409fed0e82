"""`--track`: the figures of `train` and `eval` sent elsewhere as they come about.

A tracker that fails is told of once, and then left alone: no run ends for it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from types import TracebackType
from typing import Annotated, Any, Self, final

import typer

from selfedit.cli import output

Track = Annotated[
    str,
    typer.Option(
        help="Send figures as they come about: tensorboard:FOLDER, trackio:PROJECT or mlflow:URI.",
        show_default=False,
    ),
]


@final
class Tracking:
    """What is sent to the tracker that `where` names; with none, nothing. A context manager."""

    def __init__(self, where: str, name: str, settings: Mapping[str, Any]) -> None:
        """Raises UsageError for a tracker that there is not, before any work begins."""
        self._where = where
        self._name = name
        self._settings = settings
        self._tracker = None
        if where:
            from selfedit.tracking import open_tracker

            self._tracker = open_tracker(where)

    def __enter__(self) -> Self:
        from selfedit.tracking import flat

        self._safely(lambda tracker: tracker.begin(self._name, flat(self._settings)))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._safely(lambda tracker: tracker.end())

    def log(self, values: Mapping[str, Any], step: int, before: str) -> None:
        """The numbers among the values, under names that begin so."""
        from selfedit.tracking import numbers

        self._safely(lambda tracker: tracker.log(numbers(values, before), step))

    def _safely(self, tell: Callable[[Any], None]) -> None:
        if self._tracker is None:
            return
        try:
            with redirect_stdout(sys.stderr):  # libraries print; standard output is the verb's
                tell(self._tracker)
        except Exception as error:
            self._tracker = None
            told = output.one_line(f"{type(error).__name__}: {error}")
            output.say(f"--track {self._where}: {told}; nothing more is sent there, the work goes on")
