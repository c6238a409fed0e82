"""What was found out about a commit after it was made (such as a proof), kept by kind and subject.

Only ever added to; the newest of a kind and subject counts. A report is a text like any other, so it can be
erased. Knows nothing of what a report says.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, func, select

from selfedit.store import journal as j
from selfedit.store import reading
from selfedit.store.drafts import Draft, to_json
from selfedit.store.rows import ReportRow
from selfedit.types import content_hash


def keep(connection: Connection, draft: Draft, key: tuple[str, str, str], value: Mapping[str, Any]) -> None:
    """Add a report; `key` is its kind, its subject and its time."""
    kind, subject, time = key
    last = connection.execute(select(func.max(j.REPORTS.c.seq))).scalar() or 0
    text = draft.text(to_json(dict(value)))
    row = {"seq": last + 1, "kind": kind, "subject": subject, "time": time, "value": text}
    draft.row(j.REPORTS, id=report_id(row), **row)
    draft.write(connection)


def newest(connection: Connection, kind: str, subject: str) -> dict[str, Any] | None:
    """The newest report; None if there is none or it was erased."""
    rows = select(j.REPORTS.c.value).where(j.REPORTS.c.kind == kind, j.REPORTS.c.subject == subject)
    digest = connection.execute(rows.order_by(j.REPORTS.c.seq.desc()).limit(1)).scalar()
    found = reading.texts(connection, [digest])
    return json.loads(found[digest]) if digest in found else None


def every(connection: Connection, kind: str) -> list[ReportRow]:
    """The newest report on each subject, the oldest of them first; erased ones are left out."""
    query = select(j.REPORTS).where(j.REPORTS.c.kind == kind).order_by(j.REPORTS.c.seq)
    rows = connection.execute(query).all()
    last = sorted({row.subject: row for row in rows}.values(), key=lambda row: row.seq)
    found = reading.texts(connection, (row.value for row in last))
    return [
        ReportRow(row.subject, row.time, json.loads(found[row.value])) for row in last if row.value in found
    ]


def report_id(row: Mapping[str, Any]) -> str:
    """The hash of all that stands about a report, its text by hash."""
    return content_hash(["report", *(row[name] for name in ("seq", "kind", "subject", "time", "value"))])
