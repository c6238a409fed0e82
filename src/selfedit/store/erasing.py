"""Which texts and weights go for good with a commit or a run, and their going, in the journal.

A text goes if the commit brought it and nothing that stays holds it. What was recorded for the same passages
and never became a commit (notes that were tried, an attempt that the gate refused) goes as well, and so do
reports that quote what goes. A run that learned from such a text is to be dropped first. Rows and hashes
stay. Knows nothing of files.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any, cast

from sqlalchemy import Connection, select

from selfedit.errors import StoreError
from selfedit.store import history, reading, rounds
from selfedit.store import journal as j
from selfedit.store.reading import batches

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_LONG = 20
"""From so many characters on, a sentence is taken to come from one document alone."""
_TELLING = 8
"""From so many on, a text that is quoted in full is."""


@dataclass(frozen=True, slots=True)
class Erasure:
    """What is to go: ids of commits, hashes of texts and of adapters."""

    commits: tuple[str, ...]
    texts: frozenset[str]
    adapters: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Sides:
    """Ids of the commits, tasks and self-edits that go, and the texts that these and all others hold."""

    commits: set[str]
    tasks: set[str] = field(default_factory=set[str])
    edits: set[str] = field(default_factory=set[str])
    going: set[str] = field(default_factory=set[str])
    staying: set[str] = field(default_factory=set[str])

    def hold(self, goes: bool, texts: Iterable[str | None]) -> None:
        (self.going if goes else self.staying).update(text for text in texts if text)


def plan(connection: Connection, commits: Items[str]) -> Erasure:
    """What goes with `commits` (ids). Raises StoreError if one is live, or its texts are in use."""
    head = {each.id for each in history.live(connection)}
    if live := next((each for each in commits if each in head), None):
        raise StoreError(f"commit {live[:12]}: in the head; take it out first: selfedit revert {live[:12]}")
    sides = _Sides({*commits, *connection.execute(select(j.ERASURES.c.commit_id)).scalars()})
    for look in (_tasks, _edits, _texts_of_tasks, _texts_of_edits, _texts_of_probes, _reports):
        look(connection, sides)
    replayed = _trained_texts(connection, sides)
    texts = sides.going - sides.staying
    tainted = {commit for text in texts for commit in replayed.get(text, ())}
    if live := next(iter(sorted(tainted & head)), None):
        what = f"was trained on a text that only {commits[0][:12]} brought"
        raise StoreError(f"commit {live[:12]}: {what}; train it again first: selfedit retrain")
    told = {text for _, text in _told(connection)}
    quoting = _quoting(connection, texts - told, told)
    ours = {text: run for run, text in rounds.texts(connection)}
    if held := next(iter(sorted(_quoting(connection, texts - told, ours))), None):
        what = f"holds a text that only {commits[0][:12]} brought; drop it first (selfedit gc --drop-run)"
        raise StoreError(f"run {ours[held][:12]}: {what}")
    gone = frozenset(texts | quoting)
    return Erasure(tuple(commits), gone, _adapters(connection, {*commits, *tainted}, sides))


def plan_run(connection: Connection, run: str) -> Erasure:
    """What only `run` has: its recipe and records, what its policies were trained on, and themselves."""
    sides = _Sides(set())
    for look in (_texts_of_tasks, _texts_of_edits, _texts_of_probes, _reports, _trained_texts):
        look(connection, sides)
    for holder, text in rounds.texts(connection):
        sides.hold(holder == run, (text,))
    return Erasure((), frozenset(sides.going - sides.staying), _policies(connection, run))


def carry_out(connection: Connection, erasure: Erasure, time: str) -> tuple[int, int]:
    """Erase, in the caller's transaction. Returns how many texts and adapters went that had been there."""
    texts = adapters = 0
    for batch in batches(erasure.texts):
        there = j.TEXTS.c.hash.in_(batch) & j.TEXTS.c.body.is_not(None)
        texts += connection.execute(j.TEXTS.update().where(there).values(body=None, erased=time)).rowcount
    for batch in batches(erasure.adapters):
        there = j.ADAPTERS.c.hash.in_(batch) & j.ADAPTERS.c.erased.is_(None)
        adapters += connection.execute(j.ADAPTERS.update().where(there).values(erased=time)).rowcount
    known = set(connection.execute(select(j.ERASURES.c.commit_id)).scalars())
    new = [{"commit_id": commit, "time": time} for commit in erasure.commits if commit not in known]
    if new:
        connection.execute(j.ERASURES.insert(), new)
    return texts, adapters


# -- what goes and what stays ---------------------------------------------------------------------


def _tasks(connection: Connection, sides: _Sides) -> None:
    """Those that no staying commit has: of the going commits, and of attempts at the same passages."""
    used: dict[bool, set[str]] = {True: set(), False: set()}
    part, text = j.COMMIT_TASKS.c, j.COMMIT_TEXTS.c
    brought = select(text.commit_id, text.task).where(text.task.is_not(None)).distinct()
    for query in (select(part.commit_id, part.task), brought):
        for row in connection.execute(query):
            used[row.commit_id in sides.commits].add(row.task)
    sides.tasks.update(used[True] - used[False])
    passage = {row.id: row.passage for row in connection.execute(select(j.TASKS.c.id, j.TASKS.c.passage))}
    attempts = passage.keys() - used[True] - used[False]
    body = reading.texts(connection, (passage[task] for task in (*sides.tasks, *attempts)))
    known = _sentences(body.get(passage[task], "") for task in sides.tasks)
    sides.tasks.update(each for each in attempts if known & _sentences([body.get(passage[each], "")]))


def _edits(connection: Connection, sides: _Sides) -> None:
    """Those of the going tasks, chosen or not, that no staying commit was trained on."""
    part = j.COMMIT_EDITS.c
    chosen = connection.execute(select(part.commit_id, part.edit))
    kept = {row.edit for row in chosen if row.commit_id not in sides.commits}
    rows = connection.execute(select(j.SELF_EDITS.c.id, j.SELF_EDITS.c.task))
    sides.edits.update(row.id for row in rows if row.task in sides.tasks and row.id not in kept)


def _texts_of_tasks(connection: Connection, sides: _Sides) -> None:
    for row in connection.execute(select(j.TASKS)):
        sides.hold(row.id in sides.tasks, (row.title, row.passage))


def _texts_of_edits(connection: Connection, sides: _Sides) -> None:
    """Those of self-edits, and of the trials that were made of them."""
    for row in connection.execute(select(j.SELF_EDITS.c.id, j.SELF_EDITS.c.text, j.SELF_EDITS.c.lines)):
        sides.hold(row.id in sides.edits, (row.text, *_named(json.loads(row.lines))))
    both = j.OUTCOMES.outerjoin(j.PLANS, j.PLANS.c.id == j.OUTCOMES.c.plan)
    for row in connection.execute(
        select(j.OUTCOMES.c.edit, j.OUTCOMES.c.what, j.PLANS.c.body).select_from(both)
    ):
        trained = _named(json.loads(row.body)["sequences"]) if row.body else ()
        sides.hold(row.edit in sides.edits, (row.what, *trained))


def _texts_of_probes(connection: Connection, sides: _Sides) -> None:
    """Those of the going tasks' probes, and the answers that commits noted."""
    texts = {row.id: (row.topic, row.question, row.answer) for row in connection.execute(select(j.PROBES))}
    for row in connection.execute(select(j.TASK_PROBES)):
        sides.hold(row.task in sides.tasks, texts[row.probe])
    for row in connection.execute(select(j.COMMIT_PROBES)):
        noted = (*texts[row.probe], row.answer_before, row.answer_after)
        sides.hold(row.commit_id in sides.commits, noted)


def _reports(connection: Connection, sides: _Sides) -> None:
    for about, text in _told(connection):
        sides.hold(about in sides.commits, (text,))


def _trained_texts(connection: Connection, sides: _Sides) -> dict[str, set[str]]:
    """What commits were trained on. Returns text → the staying commits that replayed it.

    Who replays a text holds it only if nobody that goes is known to have brought it. To be called last.
    """
    replayed: dict[str, set[str]] = defaultdict(set)
    part = j.COMMIT_TEXTS.c
    rows = connection.execute(select(part.commit_id, part.text, part.task)).all()
    for row in rows:
        if row.task is not None:
            sides.hold(row.commit_id in sides.commits, (row.text,))
    brought = set(sides.going)
    for row in rows:
        if row.task is None and row.commit_id not in sides.commits and row.text in brought:
            replayed[row.text].add(row.commit_id)
        elif row.task is None:
            sides.hold(row.commit_id in sides.commits, (row.text,))
    return replayed


def _quoting(connection: Connection, texts: Iterable[str], among: Iterable[str]) -> set[str]:
    """Those of the texts `among` in which one of `texts` is quoted; no report should be one of these.

    What stands in a report that goes is not sought in others: most of it ("accepted") stands in all.
    """
    quoted = reading.texts(connection, texts).values()
    bodies = [each for body in quoted for each in _strings(body, names=False)]
    sought = _sentences(bodies) | {each for each in map(_plain, bodies) if len(each) >= _TELLING}
    return {
        digest
        for digest, body in reading.texts(connection, among).items()
        for each in _strings(body)
        if _plain(each) in sought or sought & _sentences([each])
    }


def _adapters(connection: Connection, commits: set[str], sides: _Sides) -> frozenset[str]:
    """The adapters of `commits`, without those that a staying commit or a run has too."""
    rows = connection.execute(select(j.COMMITS.c.id, j.COMMITS.c.adapter)).all()
    kept = {row.adapter for row in rows if row.id not in sides.commits and row.id not in commits}
    kept |= {adapter for _, adapter in rounds.adapters(connection)}
    return frozenset(row.adapter for row in rows if row.id in commits and row.adapter not in kept)


def _policies(connection: Connection, run: str) -> frozenset[str]:
    """The adapters of a run, without those that a commit or another run has too."""
    kept = set(connection.execute(select(j.COMMITS.c.adapter)).scalars())
    kept |= {adapter for each, adapter in rounds.adapters(connection) if each != run}
    return frozenset(adapter for each, adapter in rounds.adapters(connection) if each == run) - kept


def _told(connection: Connection) -> Iterator[tuple[str, str]]:
    """Commit and text of each report on it, the gate's included."""
    gates = select(j.COMMITS.c.id, j.COMMITS.c.gate).where(j.COMMITS.c.gate.is_not(None))
    for query in (gates, select(j.REPORTS.c.subject, j.REPORTS.c.value)):
        for row in connection.execute(query):
            yield row[0], row[1]


# -- texts ----------------------------------------------------------------------------------------


def _named(lines: Items[Items[Any]]) -> list[str]:
    """The hashes in the lines of a self-edit or the sequences of a plan."""
    return [line[0] for line in lines]


def _sentences(texts: Iterable[str]) -> set[str]:
    """The sentences of `texts` that are long enough to be known again."""
    found = (_plain(each) for text in texts for each in _SENTENCE.split(text))
    return {each for each in found if len(each) >= _LONG}


def _plain(text: str) -> str:
    return " ".join(text.split())


def _strings(body: str, *, names: bool = True) -> list[str]:
    """The strings in a text that is JSON, with `names` those of its fields too; of any other, itself."""
    try:
        return _leaves(json.loads(body), names)
    except ValueError:
        return [body]


def _leaves(value: Any, names: bool) -> list[str]:
    if isinstance(value, dict):
        pairs = cast(dict[str, Any], value).items()
        return [leaf for name, each in pairs for leaf in (*([name] if names else []), *_leaves(each, names))]
    if isinstance(value, list):
        return [leaf for each in cast(list[Any], value) for leaf in _leaves(each, names)]
    return [value] if isinstance(value, str) else []
