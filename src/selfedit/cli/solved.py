"""The table on tasks of demonstrations, for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from selfedit.cli import output
from selfedit.cli.wording import count, span

if TYPE_CHECKING:
    from selfedit.evaluating import SolvedRow, SolvedTable


def tell(table: SolvedTable) -> None:
    """The rows, what was chosen, and which tasks can be solved at all."""
    heads = ("way", "solved", "at first", "less in-context", "less row before", "log-p", "less row before")
    output.table([*heads, "n", "tokens", "time"], [_cells(row) for row in table.rows])
    print(
        "solved: tests whose right output is among two attempts, mean over tasks, [95% interval]. Differences"
        " are paired.\nlog-p: of the right outputs' tokens. n: tasks (tests)."
    )
    for row in table.rows:
        if row.setting is not None:
            print(f"{row.method}: {_setting(row.setting)}{_chosen(row.method)}")
        if row.failures or row.unusable or row.malformed:
            print(f"{row.method}: {_trouble(row)}")
    if table.solvable is not None:
        names = {task.id: task.name for task in table.tasks}
        shown = ", ".join(names.get(task, task[:12]) for task in table.solvable)
        print(
            f"Solved by the best setting: {count(len(table.solvable), 'task')}{': ' if shown else ''}{shown}"
        )


def _cells(row: SolvedRow) -> tuple[str, ...]:
    return (
        row.method,
        figure(row.accuracy, row.ci95),
        figure(row.first),
        figure(row.against_in_context, row.against_in_context_ci95, signed=True),
        figure(row.against_before, row.against_before_ci95, signed=True),
        figure(row.logprob),
        figure(row.logprob_against_before, row.logprob_against_before_ci95, signed=True),
        f"{row.tasks} ({row.n})",
        f"{row.tokens:,}",
        span(row.seconds),
    )


def figure(value: float | None, ci95: tuple[float, float] | None = None, *, signed: bool = False) -> str:
    """A figure with its interval, or a dash."""
    if value is None:
        return "-"
    plus = "+" if signed else ""
    return f"{value:{plus}.2f}" + (f" [{ci95[0]:{plus}.2f}, {ci95[1]:{plus}.2f}]" if ci95 else "")


def _setting(setting: Mapping[str, Any]) -> str:
    tools = "+".join(setting["tools"]) or "no tools"
    loss = {"all": "all tokens", "output": "the output"}[setting["loss"]]
    return f"{tools}, loss on {loss}, rate {setting['learning_rate']:g}, {count(setting['epochs'], 'epoch')}"


def _chosen(method: str) -> str:
    where = {"oracle": "these very tasks", "fixed": "the tasks that rounds draw from"}
    return f" (chosen on {where[method]})"


def _trouble(row: SolvedRow) -> str:
    """What went wrong on the way, in words."""
    said: list[str] = []
    if row.failures:
        said.append(count(row.failures, "adapter") + " could not be trained")
    if row.unusable:
        said.append(count(row.unusable, "configuration") + " could not be read")
    if row.malformed:
        said.append(f"{row.malformed:.0%} of the answers could not be read")
    return ", ".join(said)
