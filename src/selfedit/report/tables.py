"""The tables of a store, and the passages that they were measured on with every answer and verdict."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import Any, final

from selfedit.evaluating.figures import TableRow
from selfedit.evaluating.notes import gold_recited, gold_rows, or_passage, whole_passage
from selfedit.evaluating.verdicts import read_verdicts, verdict_key
from selfedit.report.found import Answered, Asked, PassageAsked, TableFound, Taught, Way
from selfedit.report.teaching import as_yaml, taught
from selfedit.rewards.grading import short
from selfedit.samples import from_json
from selfedit.store import ReportRow, Store
from selfedit.types import GradeRequest, Probe, SelfEdit, Task, content_hash

BY_RULE = {"passage": whole_passage, "gold": gold_rows, "gold-recited": gold_recited}
"""Rows whose training sequences need no model: they are made again."""
TOGETHER = " joint:"
"""Stands in the name of a row whose adapter is for many passages."""


def gather(store: Store) -> tuple[tuple[TableFound, ...], tuple[PassageAsked, ...]]:
    """Every table, and the passages of all of them."""
    asked: dict[str, tuple[Task, list[Asked]]] = {}
    tables: list[TableFound] = []
    for row in store.reports("eval"):
        mine = _tasks(store, row.value["passages"])
        for task in mine:
            key = content_hash([task.id, [probe.id for probe in task.probes]])
            if ways := _ways(store, row, task):
                asked.setdefault(key, (task, []))[1].append(Asked(row.subject, ways))
        tables.append(_table(row, gone=not mine))
    return tuple(tables), tuple(_passage(task, tuple(found)) for task, found in asked.values())


def _table(row: ReportRow, *, gone: bool) -> TableFound:
    value = row.value
    names = TableRow.__dataclass_fields__
    return TableFound(
        row.subject,
        row.time,
        as_yaml(value["recipe"]),
        value["grader"],
        value["dtype"],
        tuple(TableRow(**{name: each.get(name) for name in names}) for each in value["table"]),
        len(value["passages"]),
        gone,
    )


def _tasks(store: Store, keys: Mapping[str, str]) -> list[Task]:
    """The passages as they were kept; none where runs.db was dropped."""
    found = (store.result("row", key) for key in keys.values())
    return [
        Task(held["title"], held["passage"], tuple(Probe(**each) for each in held["questions"]))
        for held in found
        if held
    ]


def _passage(task: Task, asked: tuple[Asked, ...]) -> PassageAsked:
    questions = tuple((probe.question, probe.answer) for probe in task.probes)
    return PassageAsked(task.id, task.title, task.passage, questions, asked)


# -- a row on a passage ------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Kept:
    """A line of a table as it was kept."""

    seed: int | None
    value: Mapping[str, Any]


def _ways(store: Store, row: ReportRow, task: Task) -> tuple[Way, ...]:
    found: list[Way] = []
    for method in (each["method"] for each in row.value["table"]):
        lines = row.value["lines"].get(method, ())
        held = [(seed, store.result("row", key)) for owner, seed, key in lines if owner == task.id]
        kept = [Kept(seed, value) for seed, value in held if value]
        if kept:
            found.append(_way(store, row, task, method, kept))
    return tuple(found)


def _way(store: Store, row: ReportRow, task: Task, method: str, kept: Items[Kept]) -> Way:
    edit = _edit(store, task, kept[0].value.get("sample"))
    said = [_answers(store, row, task, each.value) for each in kept if each.value["answers"]]
    trouble = [each.value[name] for each in kept for name in ("failure", "unusable") if each.value.get(name)]
    return Way(
        method,
        tuple(each.seed for each in kept if each.value["answers"]),
        tuple(zip(*said, strict=True)),
        edit.text if edit else None,
        _taught(task, method, edit),
        sum(each.value["tokens"] for each in kept),
        sum(each.value["seconds"] for each in kept) + kept[0].value["writing"],
        tuple(each.value["adapter"] for each in kept if each.value["adapter"]),
        tuple(dict.fromkeys(trouble)),
    )


def _answers(store: Store, row: ReportRow, task: Task, kept: Mapping[str, Any]) -> list[Answered]:
    pairs = list(zip(task.probes, kept["answers"], strict=False))
    recited = kept.get("recited") or ((),) * len(pairs)
    asked = [GradeRequest(probe.question, probe.answer, answer) for probe, answer in pairs]
    judged = store.result("verdict", verdict_key(row.value["grader"], store.weights, asked))
    verdicts = read_verdicts(judged) or (None,) * len(asked)
    return [
        Answered(
            answer,
            None if verdict is None else verdict.correct,
            None if verdict is None else verdict.correct and short(answer, probe.answer),
            tuple(said),
        )
        for (probe, answer), verdict, said in zip(pairs, verdicts, recited, strict=True)
    ]


def _edit(store: Store, task: Task, key: str | None) -> SelfEdit | None:
    """The self-edit that was trained on; None where it came by rule, failed, or is gone."""
    sample = store.result("sample", key) if key else None
    edit = from_json(task, sample["edits"][sample["chosen"]]) if sample else None
    return edit if isinstance(edit, SelfEdit) else None


def _taught(task: Task, method: str, edit: SelfEdit | None) -> Taught:
    """An adapter for many passages was taught the same of each."""
    if make := BY_RULE.get(method.partition(TOGETHER)[0]):
        return taught(task.title, task.passage, make(task))
    return taught(task.title, task.passage, or_passage(task, edit)) if edit else Taught()
