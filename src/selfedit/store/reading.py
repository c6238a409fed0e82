"""From rows back to nouns: tasks, self-edits, plans, probes, adapters, trials.

What holds an erased text cannot be had any more: it is left out of lists, and refused where it is asked for
by name. Knows nothing of the chain or of files.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from sqlalchemy import Connection, Row, Table, select

from selfedit.errors import StoreError
from selfedit.store import journal as j
from selfedit.store.rows import AdapterName, AdapterRow, MomentsName, ProbeAnswer, ProbeResult, TrialRow
from selfedit.types import (
    Constraint,
    Elastic,
    Example,
    Failure,
    FewShot,
    Head,
    NullSpace,
    Objective,
    Orthogonal,
    Outcome,
    Probe,
    Reward,
    SelfEdit,
    Sequence,
    Task,
    TrainingPlan,
)

_BATCH = 500
"""Values in one IN list: databases bound their number."""


def texts(connection: Connection, hashes: Iterable[str | None]) -> dict[str, str]:
    """The texts with these hashes; unknown and erased ones are left out."""
    rows = _by_key(connection, j.TEXTS, "hash", (each for each in hashes if each))
    return {row.hash: row.body.decode("utf-8", "surrogatepass") for row in rows if row.body is not None}


def tasks(connection: Connection, commit: str) -> tuple[Task, ...]:
    """The tasks of a commit, in order, each with the probes recorded for it."""
    part = j.COMMIT_TASKS
    query = select(j.TASKS, part.c.source).join(part, part.c.task == j.TASKS.c.id)
    rows = connection.execute(query.where(part.c.commit_id == commit).order_by(part.c.ordinal)).all()
    asked = _asked(connection, (row.id for row in rows))
    text = texts(connection, (each for row in rows for each in (row.title, row.passage)))
    return tuple(
        Task(text[row.title], text[row.passage], tuple(asked[row.id]), row.source)
        for row in rows
        if row.title in text and row.passage in text
    )


def known(connection: Connection, ids: Iterable[str]) -> dict[str, Task]:
    """Recorded tasks by id, each with all probes ever recorded for it."""
    rows = _by_key(connection, j.TASKS, "id", ids)
    asked = _asked(connection, (row.id for row in rows))
    text = texts(connection, (each for row in rows for each in (row.title, row.passage)))
    return {
        row.id: Task(text[row.title], text[row.passage], tuple(asked[row.id]))
        for row in rows
        if row.title in text and row.passage in text
    }


def demonstrations(connection: Connection, ids: Iterable[str]) -> dict[str, FewShot[Any]]:
    """Recorded tasks of demonstrations by id; passages are left out."""
    found = ((each, _demonstrations(task)) for each, task in known(connection, ids).items())
    return {each: task for each, task in found if task is not None and task.id == each}


def _demonstrations(task: Task) -> FewShot[Any] | None:
    """The task that `Draft.demonstrations` wrote; None for what is no such text."""
    try:
        body = json.loads(task.passage)
        shown, asked = (tuple(map(_example, body[name])) for name in ("demonstrations", "tests"))
        return FewShot(task.title, shown, asked, body["source"])
    except (ValueError, LookupError, TypeError):
        return None


def _example(pair: list[Any]) -> Example[Any]:
    given, wanted = pair
    return Example(_value(given), _value(wanted))


def _value(value: Any) -> Any:
    """A text, or a grid as tuples."""
    return value if isinstance(value, str) else tuple(tuple(row) for row in cast(list[list[int]], value))


def passages(connection: Connection, commits: Iterable[str]) -> dict[str, list[Task]]:
    """The tasks of these commits (ids) without probes, in order: commit → its tasks."""
    found: dict[str, list[Task]] = {commit: [] for commit in commits}
    part = j.COMMIT_TASKS
    query = select(part.c.commit_id, j.TASKS.c.title, j.TASKS.c.passage, part.c.source)
    query = query.join(part, part.c.task == j.TASKS.c.id).order_by(part.c.ordinal)
    every = (query.where(part.c.commit_id.in_(batch)) for batch in batches(found))
    rows = [row for each in every for row in connection.execute(each)]
    text = texts(connection, (each for row in rows for each in (row.title, row.passage)))
    for row in rows:
        if row.title in text and row.passage in text:
            found[row.commit_id].append(Task(text[row.title], text[row.passage], (), row.source))
    return found


def _asked(connection: Connection, tasks: Iterable[str]) -> dict[str, list[Probe]]:
    """The probes of each task, in order."""
    rows = sorted(_by_key(connection, j.TASK_PROBES, "task", tasks), key=lambda row: row.ordinal)
    known = probes(connection, (row.probe for row in rows))
    found: dict[str, list[Probe]] = defaultdict(list)
    for row in rows:
        if row.probe in known:
            found[row.task].append(known[row.probe])
    return found


def probes(connection: Connection, ids: Iterable[str]) -> dict[str, Probe]:
    """Probes by id."""
    rows = _by_key(connection, j.PROBES, "id", ids)
    text = texts(connection, (each for row in rows for each in (row.topic, row.question, row.answer)))
    return {
        row.id: Probe(text[row.question], text[row.answer], text[row.topic], row.origin)
        for row in rows
        if text.keys() >= {row.topic, row.question, row.answer}
    }


def results(connection: Connection, commits: Iterable[str]) -> dict[str, list[ProbeResult]]:
    """How the probes of these commits (ids) were answered: commit → its results, in order."""
    found: dict[str, list[ProbeResult]] = {commit: [] for commit in commits}
    rows = sorted(_by_key(connection, j.COMMIT_PROBES, "commit_id", found), key=lambda row: row.ordinal)
    known = probes(connection, (row.probe for row in rows))
    text = texts(connection, (each for row in rows for each in (row.answer_before, row.answer_after)))
    for row in rows:
        if row.probe in known:
            before = _answer(text.get(row.answer_before), row.correct_before, row.concise_before)
            after = _answer(text.get(row.answer_after), row.correct_after, row.concise_after)
            result = ProbeResult(known[row.probe], row.task, row.role, row.dropped, before, after)
            found[row.commit_id].append(result)
    return found


def edits(connection: Connection, commit: str) -> tuple[SelfEdit, ...]:
    """The self-edits that a commit was trained on, in order."""
    part = j.COMMIT_EDITS
    query = select(j.SELF_EDITS).join(part, part.c.edit == j.SELF_EDITS.c.id)
    rows = connection.execute(query.where(part.c.commit_id == commit).order_by(part.c.ordinal)).all()
    found = (_edit(connection, row) for row in rows)
    return tuple(edit for edit in found if edit)


def plan(connection: Connection, plan_id: str, head: Head | None) -> TrainingPlan:
    """A plan as it was trained, on `head` if on any. Raises StoreError if a text of it was erased."""
    row = connection.execute(select(j.PLANS).where(j.PLANS.c.id == plan_id)).one()
    body: dict[str, Any] = json.loads(row.body)
    sequences = _sequences(connection, body.pop("sequences"))
    if sequences is None:
        raise StoreError(
            f"plan {plan_id[:12]}: texts that it was trained on were erased; it cannot be had any more"
        )
    body["objective"] = _objective(body.get("objective"))
    body["constraint"] = _constraint(body.get("constraint"))
    return TrainingPlan(sequences, **body, head=head if row.head else None)


def _objective(told: Mapping[str, Any] | None) -> Objective | None:
    """Its reference is made of names: the store need not have kept those adapters."""
    if told is None:
        return None
    held = told["reference"]
    reference = Head(held[0], tuple(map(AdapterName, held[1]))) if held else None
    return Objective(told["weight"], told["divergence"], reference, told.get("rows", "all"))


def _constraint(told: Mapping[str, Any] | None) -> Constraint | None:
    """Made of names, as a reference is."""
    match told:
        case {"kind": "orthogonal", "adapters": adapters, "penalty": penalty}:
            return Orthogonal(tuple(map(AdapterName, adapters)), penalty)
        case {"kind": "null-space", "moments": moments, "energy": energy}:
            return NullSpace(MomentsName(moments), energy)
        case {"kind": "elastic", "moments": moments, "weight": weight}:
            return Elastic(MomentsName(moments), weight)
        case _:
            return None


def text_tasks(connection: Connection, commit: str) -> dict[str, str | None]:
    """Hash of a text that a commit was trained on → id of the task that it stems from, in order."""
    part = j.COMMIT_TEXTS
    rows = connection.execute(select(part).where(part.c.commit_id == commit).order_by(part.c.ordinal))
    return {row.text: row.task for row in rows}


def gate_report(connection: Connection, commit: str) -> dict[str, Any] | None:
    """The gate's report on a commit; None where there was no gate or the report was erased."""
    digest = connection.execute(select(j.COMMITS.c.gate).where(j.COMMITS.c.id == commit)).scalar()
    found = texts(connection, [digest])
    return json.loads(found[digest]) if digest in found else None


def adapter(connection: Connection, digest: str) -> AdapterRow:
    """An adapter by its identity. Raises StoreError if the store never kept it."""
    found = connection.execute(select(j.ADAPTERS).where(j.ADAPTERS.c.hash == digest)).mappings().first()
    if found is None:
        raise StoreError(f"adapter {digest[:12]}: not in this store; `selfedit log` lists what is")
    row: dict[str, Any] = dict(found)
    row |= {"config": json.loads(row["config"]), "losses": json.loads(row["losses"])}
    row["erased"] = row["erased"] is not None
    return AdapterRow(**row)


def trials(connection: Connection, keys: Iterable[str]) -> dict[str, TrialRow]:
    """Trials by key."""
    rows = _by_key(connection, j.OUTCOMES, "key", keys)
    text = texts(connection, (row.what for row in rows))
    return {row.key: TrialRow(row.key, row.edit, row.plan, row.adapter, _outcome(row, text)) for row in rows}


def edit(connection: Connection, edit_id: str) -> SelfEdit | None:
    """A self-edit by id; None if it is unknown or erased."""
    row = connection.execute(select(j.SELF_EDITS).where(j.SELF_EDITS.c.id == edit_id)).first()
    return _edit(connection, row) if row else None


def _edit(connection: Connection, row: Row[Any]) -> SelfEdit | None:
    text = texts(connection, [row.text]).get(row.text)
    lines = _sequences(connection, json.loads(row.lines))
    if text is None or lines is None:
        return None
    return SelfEdit(row.task, row.format, text, lines, json.loads(row.settings))


def _sequences(connection: Connection, items: list[list[Any]]) -> tuple[str | Sequence, ...] | None:
    text = texts(connection, (item[0] for item in items))
    if any(item[0] not in text for item in items):
        return None
    return tuple(
        text[item[0]] if len(item) == 1 else Sequence(*json.loads(text[item[0]]), weight=item[1])
        for item in items
    )


def _outcome(row: Row[Any], text: Mapping[str, str]) -> Outcome:
    if row.failed_at is None:
        return Reward(row.reward, json.loads(row.parts))
    return Failure(row.failed_at, text.get(row.what, "(erased)"))


def _answer(text: str | None, correct: bool | None, concise: bool | None) -> ProbeAnswer | None:
    return None if text is None else ProbeAnswer(text, correct, concise)


def _by_key(connection: Connection, table: Table, key: str, values: Iterable[str]) -> list[Row[Any]]:
    """The rows of `table` whose column `key` is among `values`."""
    queries = (select(table).where(table.c[key].in_(batch)) for batch in batches(values))
    return [row for query in queries for row in connection.execute(query)]


def batches(values: Iterable[str]) -> Iterator[list[str]]:
    """The distinct values, a few hundred at a time."""
    wanted = list(dict.fromkeys(values))
    yield from (wanted[at : at + _BATCH] for at in range(0, len(wanted), _BATCH))
