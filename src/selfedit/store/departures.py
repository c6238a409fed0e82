"""Which step took a commit out of the head, told from the head's log. Knows nothing of why."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

from sqlalchemy import Connection, select

from selfedit.store import history
from selfedit.store import journal as j
from selfedit.store.spans import runs


def left(connection: Connection) -> dict[str, str]:
    """Id of a commit that is not live → the verb of the head move that it left the head with."""
    alive = set(history.live_seqs(connection))
    commits = connection.execute(select(j.COMMITS.c.seq, j.COMMITS.c.id).order_by(j.COMMITS.c.seq))
    ids = {row.seq: row.id for row in commits if row.seq not in alive}
    sought, found, verb = list(ids), dict[str, str](), ""
    moves = j.HEAD_MOVES.c
    for move in connection.execute(select(moves.live, moves.verb).order_by(moves.seq.desc())):
        if not sought:
            break
        for first, last in runs(move.live):
            begin, end = bisect_left(sought, first), bisect_right(sought, last)
            found |= {ids[seq]: verb for seq in sought[begin:end]}
            del sought[begin:end]
        verb = move.verb
    return found
