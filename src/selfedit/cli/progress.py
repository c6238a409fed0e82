"""Stages of long work on standard error: bars on a terminal, else one line a stage.

Knows nothing of what the stages do.
"""

from __future__ import annotations

import sys
from types import TracebackType
from typing import TYPE_CHECKING, Self, final

from selfedit.cli import output

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


@final
class Stages:
    """Shows one stage after another; `watch` is what the work tells."""

    def __init__(self) -> None:
        self._bars = _bars() if sys.stderr.isatty() else None
        self._stage = ""
        self._bar: TaskID | None = None

    def __enter__(self) -> Self:
        if self._bars:
            self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bars:
            self._end()
            self._bars.stop()

    def watch(self, stage: str, done: int, total: int) -> None:
        """`stage` stands at `done` of `total`; a total of 0: it begins."""
        if stage != self._stage:
            self._begin(stage)
        if self._bars and self._bar is not None and total:
            self._bars.update(self._bar, completed=done, total=total)

    def _begin(self, stage: str) -> None:
        self._end()
        self._stage = stage
        if self._bars:
            self._bar = self._bars.add_task(stage, total=None)
        else:
            output.say(stage)

    def _end(self) -> None:
        """Fill the bar of the stage before: a stage ends when the next begins."""
        if self._bars and self._bar is not None:
            done = next(task.completed for task in self._bars.tasks if task.id == self._bar)
            self._bars.update(self._bar, total=max(done, 1), completed=max(done, 1))


def _bars() -> Progress:
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        """What is done in a second."""

        def render(self, task: Task) -> Text:
            speed = task.finished_speed or task.speed
            return Text(f"{speed:,.1f}/s" if speed and task.completed > 1 else "", style="dim")

    return Progress(
        TextColumn("{task.description:<18}"),
        BarColumn(),
        TextColumn("{task.completed:>6,.0f}"),
        Rate(),
        TimeElapsedColumn(),
        console=output.console(),
        redirect_stdout=sys.stdout.isatty(),  # else what goes to a file or a pipe would land here
    )
