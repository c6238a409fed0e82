"""Which live commits rest on what is no longer live, told from the journal alone.

A live commit is stale if the head that it was trained on holds a commit that is not live before it now, or if
it replayed a text that now only dead commits brought. Nothing is marked, so nothing can be lost between the
step that took a commit out and the retraining of the others. Knows nothing of how they are retrained.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Sequence as Items

from sqlalchemy import Connection, select

from selfedit.store import history
from selfedit.store import journal as j
from selfedit.store.history import Live
from selfedit.store.reading import batches
from selfedit.store.spans import Numbers, runs


def stale(connection: Connection) -> list[Live]:
    """The live commits that want retraining, in the head's order."""
    head = history.live(connection)
    columns = select(j.COMMITS.c.id, j.COMMITS.c.trained_on)
    trained_on = {row.id: row.trained_on for row in connection.execute(columns).all()}
    lost = _replaying_lost(connection, head, trained_on)
    before, found = Numbers(), list[Live]()
    for commit in head:
        stands = all(before.hold(first, last) for first, last in runs(trained_on[commit.id]))
        if not stands or commit.id in lost:
            found.append(commit)
        before.add(commit.seq)
    return found


def _replaying_lost(connection: Connection, head: Items[Live], ids: Iterable[str]) -> set[str]:
    """Those of the head that replayed a text of dead commits which no live commit before them brought."""
    place = {commit.id: at for at, commit in enumerate(head)}
    used = [
        each for each in _replayed(connection, (one for one in ids if one not in place)) if each[0] in place
    ]
    first = dict[str, int]()
    for commit, text in _brought(connection, (text for _, text in used)):
        if commit in place:
            first[text] = min(place[commit], first.get(text, len(head)))
    return {commit for commit, text in used if first.get(text, len(head)) >= place[commit]}


def _replayed(connection: Connection, dead: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Commit and text, wherever a text that a commit of `dead` brought was replayed."""
    owner, user = j.COMMIT_TEXTS.alias(), j.COMMIT_TEXTS.alias()
    both = owner.join(user, owner.c.text == user.c.text)
    query = select(user.c.commit_id, user.c.text).select_from(both)
    query = query.where(owner.c.task.is_not(None), user.c.task.is_(None))
    for batch in batches(dead):
        for row in connection.execute(query.where(owner.c.commit_id.in_(batch))):
            yield row.commit_id, row.text


def _brought(connection: Connection, texts: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Commit and text, wherever a commit brought one of `texts` with a task of its own."""
    part = j.COMMIT_TEXTS
    query = select(part.c.commit_id, part.c.text).where(part.c.task.is_not(None))
    for batch in batches(texts):
        for row in connection.execute(query.where(part.c.text.in_(batch))):
            yield row.commit_id, row.text
