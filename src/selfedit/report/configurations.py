"""Configurations of few-shot self-edits in words and in figures. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from statistics import median
from typing import final

from markupsafe import Markup

from selfedit.edits.few_shot import BOUNDS, EXTRA_TEXT_TOOLS, GRID_TOOLS, TEXT_TOOLS
from selfedit.report.grids import bars
from selfedit.report.shown import PickedBy, Settings
from selfedit.report.wording import minus
from selfedit.types import content_hash

TOOLS = (*GRID_TOOLS, *TEXT_TOOLS, *EXTRA_TEXT_TOOLS)
RATES = tuple(step * 10.0**power for power in range(-6, -2) for step in (1, 2, 5))
"""Where the columns of learning rates begin."""
EPOCHS = tuple(range(round(BOUNDS["epochs"][0]), round(BOUNDS["epochs"][1]) + 1))


@final
@dataclass(frozen=True)
class Line:
    """Configurations in figures."""

    name: str
    count: int
    distinct: int
    tools: tuple[float, ...]
    """The share in which each tool is on."""
    whole: float
    """The share with loss on all tokens."""
    rate: str
    rates: Markup
    epochs: float
    spread: Markup
    """Epochs as columns."""


@final
@dataclass(frozen=True)
class Distribution:
    """What a run's rounds tried, or a table's policies picked."""

    name: str
    of_run: bool
    tools: tuple[str, ...]
    lines: tuple[Line, ...]


def distribution(picked: PickedBy) -> Distribution:
    """In figures."""
    every = {name for group in picked.groups for each in group.settings for name in each}
    tools = tuple(tool for tool in TOOLS if tool in every)
    lines = tuple(_line(group.name, group.settings, tools) for group in picked.groups)
    return Distribution(picked.name, picked.of_run, tools, lines)


def _line(name: str, settings: Items[Settings], tools: Items[str]) -> Line:
    rates, epochs = ([each[name] for each in settings] for name in ("learning_rate", "epochs"))
    return Line(
        name,
        len(settings),
        len({content_hash(dict(each)) for each in settings}),
        tuple(_share(bool(each.get(tool)) for each in settings) for tool in tools),
        _share(each["loss"] == "all" for each in settings),
        rate(median(rates)),
        bars(_binned(rates), f"Learning rates: {_counted(rates)}"),
        sum(epochs) / len(epochs),
        bars([epochs.count(each) for each in EPOCHS], f"Epochs: {_counted(epochs)}"),
    )


def _share(there: Iterable[bool]) -> float:
    held = list(there)
    return sum(held) / len(held)


def _binned(rates: Items[float]) -> list[int]:
    """A hair of room, so that a rate lies in the column that begins with it."""
    places = Counter(sum(each * 1.0001 >= low for low in RATES) for each in rates)
    return [places[at + 1] for at in range(len(RATES))]


def _counted(values: Items[float]) -> str:
    return ", ".join(f"{rate(value)} × {times}" for value, times in sorted(Counter(values).items()))


def rate(value: float) -> str:
    """A learning rate in few characters; whole numbers as they are."""
    if value >= 1:
        return f"{value:g}"
    digits, _, power = f"{value:.1e}".partition("e")
    return minus(f"{digits.removesuffix('.0')}e{int(power)}")


def worded(settings: Settings) -> str:
    """A configuration in a line."""
    tools = settings.get("tools", [tool for tool in TOOLS if settings.get(tool)])
    epochs = settings["epochs"]
    where = "all tokens" if settings["loss"] == "all" else "the output"
    times = f"{epochs} epoch{'' if epochs == 1 else 's'}"
    return f"{', '.join(tools) or 'no tools'}; loss on {where}; {rate(settings['learning_rate'])}; {times}"
