"""The runs of a store: rounds in figures, and the passages that they drew with every edit that was tried."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import Any

from selfedit.report.found import (
    EditTried,
    FormatShare,
    PassageTried,
    Point,
    RoundFound,
    RunFound,
    Taught,
    Tries,
)
from selfedit.report.shown import Picked, PickedBy, Settings
from selfedit.report.teaching import as_yaml, taught
from selfedit.rewards import bootstrap_interval, mean_over_passages
from selfedit.store import RoundRow, Store
from selfedit.types import FewShot, SelfEdit, Task
from selfedit.writing import sequences_of

Record = Mapping[str, Any]

ABSENT: dict[str, Any] = {"choice": None, "reliability": None, "adapter": None, "reasons": {}, "rules": {}}
"""What a round of an earlier version may not have noted."""


def gather(store: Store) -> tuple[tuple[RunFound, ...], tuple[PassageTried, ...]]:
    """Every run that has a round, and the passages of all of them."""
    runs = [(run, store.rounds(run.id)) for run in store.runs()]
    told = tuple(
        RunFound(run.id, run.time, as_yaml(dict(run.recipe)), tuple(map(_round, rounds)))
        for run, rounds in runs
        if rounds
    )
    return told, _passages(store, [row for _, rounds in runs for row in rounds])


def picked(tried: Items[PassageTried]) -> tuple[PickedBy, ...]:
    """The configurations that the rounds of each run tried, and those that they kept."""
    found: dict[str, dict[str, list[Settings]]] = defaultdict(lambda: defaultdict(list))
    rounds = ((tries, edit) for each in tried for tries in each.tries for edit in tries.edits)
    for tries, edit in sorted(rounds, key=lambda each: (each[0].run, each[0].round)):
        if edit.settings is not None:
            mine = found[tries.run]
            mine[f"round {tries.round}, tried"].append(edit.settings)
            if edit.weight > 0:
                mine[f"round {tries.round}, kept"].append(edit.settings)
    return tuple(
        PickedBy(run, True, tuple(Picked(name, tuple(mine)) for name, mine in groups.items()))
        for run, groups in found.items()
    )


# -- a round in figures ------------------------------------------------------------------------------------


def _round(row: RoundRow) -> RoundFound:
    tried: list[Record] = [each for each in row.record.get("tried", ()) if each["rewards"]]
    kept = [each for each in tried if each["weight"] > 0]
    floors = {task: [value] for task, value in row.record.get("floors", {}).items()}
    return RoundFound(
        number=row.number,
        told=ABSENT | {name: value for name, value in row.record.items() if name not in ("tried", "floors")},
        reward=_point(_by_passage(tried)),
        kept=_point(_by_passage(kept)),
        floor=_point(floors),
        values=tuple(map(_mean, tried)),
        values_kept=tuple(map(_mean, kept)),
        formats=_formats(row.number, row.record.get("tried", ())),
    )


def _mean(each: Record) -> float:
    rewards: list[float] = each["rewards"]
    return sum(rewards) / len(rewards)


def _by_passage(tried: Items[Record]) -> dict[str, list[float]]:
    found: dict[str, list[float]] = defaultdict(list)
    for each in tried:
        found[each["task"]].append(_mean(each))
    return found


def _point(values: Mapping[str, list[float]]) -> Point:
    return Point(mean_over_passages(values), bootstrap_interval(values, seed=0))


def _formats(number: int, written: Items[Record]) -> tuple[FormatShare, ...]:
    groups: dict[str, list[Record]] = defaultdict(list)
    for each in written:
        groups[each["format"]].append(each)
    return tuple(
        FormatShare(
            number,
            name,
            len(mine),
            sum(each["weight"] > 0 for each in mine),
            _point(_by_passage([each for each in mine if each["rewards"]])),
        )
        for name, mine in sorted(groups.items())
    )


# -- the passages ------------------------------------------------------------------------------------------


def _passages(store: Store, rounds: Items[RoundRow]) -> tuple[PassageTried, ...]:
    drawn: dict[str, list[tuple[RoundRow, list[Record]]]] = defaultdict(list)
    for row in rounds:
        mine: dict[str, list[Record]] = defaultdict(list)
        for each in row.record.get("tried", ()):
            mine[each["task"]].append(each)
        for task, edits in mine.items():
            drawn[task].append((row, edits))
    known, shown = store.known_tasks(drawn), store.demonstrations(drawn)
    found = [
        _demonstrated(store, shown[task], tries)
        if task in shown
        else _passage(store, task, known.get(task), tries)
        for task, tries in drawn.items()
    ]
    return tuple(sorted(found, key=lambda each: (each.title, each.task)))


def _demonstrated(
    store: Store, task: FewShot[Any], tries: Items[tuple[RoundRow, list[Record]]]
) -> PassageTried:
    """Its edits are configurations: what is trained on comes of them and of the task."""
    return PassageTried(task.id, task.name, None, (), _tries(tries, _teller(store, None)), task)


def _passage(
    store: Store, task: str, held: Task | None, tries: Items[tuple[RoundRow, list[Record]]]
) -> PassageTried:
    tell = _teller(store, held)
    return PassageTried(
        task,
        held.title if held else "",
        held.passage if held else None,
        tuple((probe.question, probe.answer) for probe in held.probes) if held else (),
        _tries(tries, tell),
    )


def _tries(
    tries: Items[tuple[RoundRow, list[Record]]], tell: Callable[[Record], EditTried]
) -> tuple[Tries, ...]:
    return tuple(
        Tries(
            row.run,
            row.number,
            row.record.get("floors", {}).get(edits[0]["task"]),
            tuple(map(tell, edits)),
        )
        for row, edits in tries
    )


def _teller(store: Store, task: Task | None) -> Callable[[Record], EditTried]:
    def tell(each: Record) -> EditTried:
        edit = store.edit(each["edit"])
        return EditTried(
            each["edit"],
            each["format"],
            edit.text if edit else None,
            _taught(task, edit),
            tuple(each["rewards"]),
            tuple(each.get("held_out", ())),
            each["weight"],
            edit.settings if edit and edit.format == "few-shot" else None,
        )

    return tell


def _taught(task: Task | None, edit: SelfEdit | None) -> Taught:
    if task is None or edit is None:
        return Taught()
    return taught(task.title, task.passage, sequences_of(task, edit))
