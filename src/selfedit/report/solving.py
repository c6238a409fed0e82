"""The tables of a store on tasks of demonstrations: rows, settings, and each task with every attempt."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.evaluating.competing import REPORT
from selfedit.evaluating.standings import SolvedRow
from selfedit.report.shown import (
    Answer,
    Attempt,
    Measured,
    OnTest,
    Picked,
    PickedBy,
    SettingFound,
    Settings,
    SolvedFound,
    TaskShown,
    Tried,
    WayShown,
)
from selfedit.report.teaching import as_yaml
from selfedit.report.wording import beginning
from selfedit.store import ReportRow, Store
from selfedit.types import Example, FewShot

MOST = 4
"""Of a row on a task at most so many configurations and outcomes are shown."""
WRITTEN = 300
"""Characters of what a model wrote in the place of an answer."""

Task = FewShot[Any]


@final
@dataclass(frozen=True)
class Kept:
    """A line of a table as it was kept."""

    task: str
    seed: int | None
    sample: int
    value: Mapping[str, Any]


Lines = Mapping[str, Items[Kept]]
"""Row → its lines."""


def gather(store: Store) -> tuple[tuple[SolvedFound, ...], tuple[TaskShown, ...], tuple[PickedBy, ...]]:
    """Every table, the tasks of all of them, and what the policies of each picked."""
    tables: list[SolvedFound] = []
    picked: list[PickedBy] = []
    tasks: dict[str, tuple[Task, list[Measured]]] = {}
    solvable: set[str] = set()
    for row in store.reports(REPORT):
        known, lines = store.demonstrations(row.value["tasks"]), _lines(store, row)
        solvable |= {*(row.value["solvable"] or ())}
        for id in row.value["tasks"]:
            if id in known and (ways := _ways(lines, known[id])):
                tasks.setdefault(id, (known[id], []))[1].append(Measured(row.subject, ways))
        tables.append(_table(row, gone=not any(lines.values())))
        if groups := _picked(row, lines):
            picked.append(PickedBy(row.subject, False, groups))
    shown = (TaskShown(task, id in solvable, tuple(held)) for id, (task, held) in tasks.items())
    return tuple(tables), tuple(shown), tuple(picked)


def _lines(store: Store, row: ReportRow) -> Lines:
    """What is still there of them, in the order of the rows: nothing where runs.db was dropped."""
    return {
        method: [
            Kept(task, seed, sample, value)
            for task, seed, sample, key in row.value["lines"].get(method, ())
            if (value := store.result("row", key))
        ]
        for method in (each["method"] for each in row.value["table"])
    }


# -- a table -------------------------------------------------------------------------------------------


def _table(row: ReportRow, *, gone: bool) -> SolvedFound:
    value = row.value
    names = SolvedRow.__dataclass_fields__
    solvable = value["solvable"]
    return SolvedFound(
        row.subject,
        row.time,
        as_yaml(value["recipe"]),
        value["dtype"],
        tuple(SolvedRow(**{name: each.get(name) for name in names}) for each in value["table"]),
        len(value["tasks"]),
        len({line[0] for each in value["grids"].get("report", ())[:1] for line in each["lines"]}),
        None if solvable is None else tuple(value["tasks"].get(id, id[:12]) for id in solvable),
        len(value["solvable_by_any"] or ()),
        _settings(value),
        gone and bool(value["table"]),
    )


def _settings(value: Mapping[str, Any]) -> tuple[SettingFound, ...]:
    """The settings that were tried, where any were."""
    grids = value["grids"]

    def told(name: str, at: int) -> tuple[float | None, float | None] | None:
        return (grids[name][at]["accuracy"], grids[name][at]["logprob"]) if name in grids else None

    return tuple(
        SettingFound(
            each,
            told("report", at),
            told("train", at),
            tuple(row for row, chosen in value["chosen"].items() if chosen == at),
        )
        for at, each in enumerate(value["settings"] if grids else ())
    )


def _picked(row: ReportRow, lines: Lines) -> tuple[Picked, ...]:
    """What each policy picked, once for all seeds; rows of one setting for all tasks picked nothing."""
    groups: list[Picked] = []
    for method in (each["method"] for each in row.value["table"] if each.get("setting") is None):
        found = {(each.task, each.sample): each.value["settings"] for each in lines.get(method, ())}
        if settings := tuple(each for each in found.values() if each):
            groups.append(Picked(method, settings))
    return tuple(groups)


# -- a row on a task -----------------------------------------------------------------------------------


def _ways(lines: Lines, task: Task) -> tuple[WayShown, ...]:
    found = {method: [each for each in mine if each.task == task.id] for method, mine in lines.items()}
    return tuple(_way(method, mine, task) for method, mine in found.items() if mine)


def _way(method: str, lines: Items[Kept], task: Task) -> WayShown:
    """Lines that ended alike are told together."""
    several = len({each.sample for each in lines}) > 1
    seeds: dict[str, list[str]] = {}
    first: dict[str, Kept] = {}
    for each in lines:
        value = each.value
        tests = [[test["attempts"], test["written"]] for test in value["tests"]]
        alike = repr([value["settings"], tests, value["failure"], value["unusable"]])
        first.setdefault(alike, each)
        if each.seed is not None:
            name = f"seed {each.seed}"
            seeds.setdefault(alike, []).append(f"sample {each.sample + 1}, {name}" if several else name)
    shown = [_tried(each, seeds.get(alike, ()), task) for alike, each in first.items()]
    return WayShown(method, tuple(shown[:MOST]), len(shown[MOST:]))


def _tried(each: Kept, seeds: Items[str], task: Task) -> Tried:
    value = each.value
    tests = tuple(_test(test, kept) for test, kept in zip(task.tests, value["tests"], strict=False))
    settings: Settings | None = value["settings"]
    return Tried(settings, tuple(seeds), tests, value["failure"] or value["unusable"] or "")


def _test(test: Example[Any], kept: Mapping[str, Any]) -> OnTest:
    votes = [count for _, count, _ in kept["candidates"]]
    attempts = tuple(
        Attempt(answer, answer == test.output, count)
        for answer, count in zip(map(_answer, kept["attempts"]), votes, strict=False)
    )
    written = "" if attempts else beginning(next(iter(kept["written"]), ""), WRITTEN)
    return OnTest(attempts, kept["logprob"], kept["asked"], kept["malformed"], written)


def _answer(value: Any) -> Answer:
    """A text, or a grid as tuples."""
    return value if isinstance(value, str) else tuple(tuple(row) for row in value)
