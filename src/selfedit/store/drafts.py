"""From nouns to rows: what is to be inserted, gathered first and written in one go.

Every text becomes a row of its own and is referred to by its hash, so that it can be erased later while all
that mentions it stays as it is. Knows nothing of heads, files or of who calls.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import fields
from typing import Any, final

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite

from selfedit.errors import StoreError
from selfedit.store import journal as j
from selfedit.store.blobs import Blob
from selfedit.store.rows import NewAdapter, ProbeAnswer, ProbeResult, Source
from selfedit.types import (
    Constraint,
    Elastic,
    Failure,
    FewShot,
    NullSpace,
    Objective,
    Orthogonal,
    Probe,
    Reward,
    SelfEdit,
    Sequence,
    Task,
    TrainingPlan,
    Trial,
    content_hash,
)

_SHARED = (j.SOURCES, j.TASKS, j.PROBES, j.TASK_PROBES, j.SELF_EDITS, j.PLANS, j.OUTCOMES)
"""Named by their contents: to insert one again changes nothing."""
_ORDER = (j.TEXTS, *_SHARED, j.ADAPTERS, j.REPORTS, j.RUNS, j.ROUNDS)
"""Nothing before what it refers to."""
_COMMIT = (j.COMMITS, j.COMMIT_SOURCES, j.COMMIT_TASKS, j.COMMIT_EDITS, j.COMMIT_TEXTS, j.COMMIT_PROBES)
"""After all of `_ORDER`, and once only."""


def text_hash(text: str) -> str:
    """SHA-256 in hexadecimal of the text's UTF-8 bytes: its name in the store."""
    return hashlib.sha256(_bytes(text)).hexdigest()


def sequence_text(sequence: str | Sequence) -> str:
    """The one text that stands for a training sequence: itself, or `["prompt","completion"]`."""
    return sequence if isinstance(sequence, str) else json.dumps([sequence.prompt, sequence.completion])


def texts_of(plan: TrainingPlan) -> tuple[str, ...]:
    """The hashes of the texts that a plan trains on, each once, in the plan's order."""
    return tuple(dict.fromkeys(text_hash(sequence_text(sequence)) for sequence in plan.sequences))


def trial_key(trial: Trial) -> str:
    """A key for a trial whose outcome depends on its edit and plan alone."""
    return content_hash(["trial", trial.edit.id, trial.plan.id if trial.plan else None])


def to_json(value: Any) -> str:
    """JSON text that every database takes: sorted, all in ASCII. Raises StoreError for what is no JSON."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreError(
            f"cannot be stored as JSON ({error}); use plain numbers, strings, lists and dicts"
        ) from error


def path_text(path: str) -> str:
    """`path` as text that every database takes; bytes that are no UTF-8 are written out."""
    return path.encode("utf-8", "backslashreplace").decode()


@final
class Draft:
    """Rows to be written together. The methods take nouns and give back what other rows call them by."""

    def __init__(self, now: str) -> None:
        self._now = now
        self._texts: set[str] = set()
        self._rows: dict[Table, list[dict[str, Any]]] = defaultdict(list)

    def row(self, table: Table, **values: Any) -> None:
        self._rows[table].append(values)

    def text(self, text: str) -> str:
        digest = text_hash(text)
        if digest not in self._texts:
            self._texts.add(digest)
            self.row(j.TEXTS, hash=digest, body=_bytes(text))
        return digest

    def source(self, source: Source) -> str:
        path = path_text(source.path)
        self.row(j.SOURCES, path=path, sha256=source.sha256, bytes=source.bytes)
        return path

    def task(self, task: Task) -> str:
        self.row(j.TASKS, id=task.id, title=self.text(task.title), passage=self.text(task.passage))
        for ordinal, probe in enumerate(task.probes):
            self.row(j.TASK_PROBES, task=task.id, probe=self.probe(probe), ordinal=ordinal)
        return task.id

    def demonstrations(self, task: FewShot[Any]) -> str:
        """Its name is the title and all else, as JSON, the passage."""
        parts = {"demonstrations": task.demonstrations, "tests": task.tests}
        shown = {name: [[each.input, each.output] for each in part] for name, part in parts.items()}
        body = to_json({**shown, "source": task.source})
        self.row(j.TASKS, id=task.id, title=self.text(task.name), passage=self.text(body))
        return task.id

    def probe(self, probe: Probe) -> str:
        texts = {name: self.text(getattr(probe, name)) for name in ("topic", "question", "answer")}
        self.row(j.PROBES, id=probe.id, origin=probe.origin, **texts)
        return probe.id

    def edit(self, edit: SelfEdit) -> str:
        lines, settings = to_json(self._sequences(edit.lines)), to_json(dict(edit.settings))
        values = {"task": edit.task, "format": edit.format, "text": self.text(edit.text)}
        self.row(j.SELF_EDITS, id=edit.id, lines=lines, settings=settings, **values)
        return edit.id

    def plan(self, plan: TrainingPlan) -> str:
        """Without its head's adapters: the commit's row knows them, and they would grow with the history."""
        body = {each.name: getattr(plan, each.name) for each in fields(plan) if each.name != "head"}
        body["sequences"] = self._sequences(plan.sequences)
        body["objective"] = _objective(plan.objective)
        body["constraint"] = _constraint(plan.constraint)
        plan_id = plan.id
        self.row(j.PLANS, id=plan_id, head=plan.head.id if plan.head else None, body=to_json(body))
        return plan_id

    def adapter(self, adapter: NewAdapter, blob: Blob, plan: str, head: str, rank: int) -> str:
        """`plan` and `head` are the ids of what trained it and of what it was trained on."""
        values = {"config": to_json(dict(adapter.config)), "losses": to_json(dict(adapter.losses))}
        values |= {"plan": plan, "head_trained_on": head}
        self.row(j.ADAPTERS, hash=adapter.hash, blob=blob.hash, bytes=blob.bytes, rank=rank, **values)
        return adapter.hash

    def trial(self, key: str, trial: Trial) -> str:
        """Raises StoreError for a reward that is no finite number: that is a Failure."""
        row: dict[str, Any] = dict.fromkeys(("reward", "parts", "failed_at", "what"))
        match trial.outcome:
            case Reward(value, parts):
                if not math.isfinite(value):
                    raise StoreError(
                        f"self-edit {trial.edit.id}: a reward of {value} cannot be stored; it is a Failure"
                    )
                row |= {"reward": float(value), "parts": to_json(dict(parts))}
            case Failure(where, what):
                row |= {"failed_at": where, "what": self.text(what)}
        row |= {"edit": self.edit(trial.edit), "plan": self.plan(trial.plan) if trial.plan else None}
        self.row(j.OUTCOMES, key=key, adapter=trial.adapter, time=self._now, **row)
        return key

    def result(self, result: ProbeResult) -> dict[str, Any]:
        """What a commit's row about a probe holds, its place apart."""
        row = {"probe": self.probe(result.probe), "task": result.task, "role": result.role}
        return {
            **row,
            "dropped": result.dropped,
            **self._answer("before", result.before),
            **self._answer("after", result.after),
        }

    def write(self, connection: Connection, *, commit: bool = True) -> None:
        """Insert all of it in the caller's transaction; without `commit` all but the commit and its parts."""
        for table in (*_ORDER, *(_COMMIT if commit else ())):
            if rows := self._rows[table]:
                _insert(connection, table, rows)

    def _sequences(self, sequences: Iterable[str | Sequence]) -> list[list[Any]]:
        return [
            [self.text(sequence_text(each))]
            if isinstance(each, str)
            else [self.text(sequence_text(each)), each.weight]
            for each in sequences
        ]

    def _answer(self, when: str, answer: ProbeAnswer | None) -> dict[str, Any]:
        return {
            f"answer_{when}": self.text(answer.text) if answer else None,
            f"correct_{when}": answer.correct if answer else None,
            f"concise_{when}": answer.concise if answer else None,
        }


def _objective(objective: Objective | None) -> dict[str, Any] | None:
    """With the reference's adapters by name: no other row knows them."""
    if objective is None:
        return None
    held = objective.reference
    reference = [held.base, [adapter.hash for adapter in held.adapters]] if held else None
    told = {"weight": objective.weight, "divergence": objective.divergence, "reference": reference}
    return told if objective.rows == "all" else {**told, "rows": objective.rows}


def _constraint(constraint: Constraint | None) -> dict[str, Any] | None:
    """Adapters and moments by name."""
    match constraint:
        case None:
            return None
        case Orthogonal(adapters, penalty):
            return {"kind": "orthogonal", "adapters": [each.hash for each in adapters], "penalty": penalty}
        case NullSpace(moments, energy):
            return {"kind": "null-space", "moments": moments.hash, "energy": energy}
        case Elastic(moments, weight):
            return {"kind": "elastic", "moments": moments.hash, "weight": weight}


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows. What was erased and is learned again comes back; what is there already stays as it is."""
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    statement = insert(table)
    if table is j.TEXTS:
        new = {"body": statement.excluded.body, "erased": None}
        statement = statement.on_conflict_do_update(
            index_elements=["hash"], set_=new, where=j.TEXTS.c.body.is_(None)
        )
    elif table is j.ADAPTERS:
        new = {"blob": statement.excluded.blob, "bytes": statement.excluded.bytes, "erased": None}
        again = j.ADAPTERS.c.erased.is_not(None)
        statement = statement.on_conflict_do_update(index_elements=["hash"], set_=new, where=again)
    elif table in _SHARED:
        statement = statement.on_conflict_do_nothing()
    connection.execute(statement, rows)
