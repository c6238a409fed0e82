"""What operating system and database complain of, told as one `StoreError` line with its remedy.

Knows nothing of what was being done beyond the words that it is given.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DataError, DBAPIError

from selfedit.errors import StoreBusyError, StoreError

_FULL = (
    "disk full while {doing} ({why}); free space and run the command again; nothing that was stored is lost"
)
_BROKEN = "the disk failed while {doing} ({why}); check it and run again; nothing that was stored is lost"
_CLOSED = "no permission while {doing} ({why}); make the place writable, or choose another with --store"
_ODD = "{doing} failed ({why}); nothing that was stored is lost"
_BUSY = (
    "the journal stayed locked while {doing} ({why}); run the command again when the other process is done"
)
_CORRUPT = "the file is damaged ({why}); put a backup of it in its place"
_UNKNOWN = (
    "{doing} failed ({why}): it refers to a task, edit or text that was never recorded; record that first"
)
_LOST = (
    "cannot be opened while {doing} ({why}); see that it exists and that its folder can be read and written"
)
_GONE = (
    "the database server went away while {doing} ({why}); run the command again when it is back;"
    " nothing that was stored is lost"
)
_SLOW = "the database server took too long while {doing} ({why}); run the command again when it is less busy"
_RIGHTS = "the database refused it while {doing} ({why}); its owner says: GRANT CREATE ON DATABASE ... TO ..."
_UNKEPT = "{doing} failed ({why}): a name in it has a character that the database cannot keep; take it out"

_SYSTEM = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), _FULL),
    errno.EIO: _BROKEN,
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), _CLOSED),
}
_SQLITE = {
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_IOERR: _BROKEN,
    **dict.fromkeys((sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM), _CLOSED),
    **dict.fromkeys((sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB), _CORRUPT),
    **dict.fromkeys((sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED), _BUSY),
    sqlite3.SQLITE_CONSTRAINT: _UNKNOWN,
    sqlite3.SQLITE_CANTOPEN: _LOST,
}
_POSTGRES = {
    **dict.fromkeys(("08", "57P01", "57P02", "57P03", "57P05", "25P03", "25P04"), _GONE),
    **dict.fromkeys(("53100", "53400"), _FULL),
    "58": _BROKEN,
    "42501": _RIGHTS,
    **dict.fromkeys(("25006", "28"), _CLOSED),
    **dict.fromkeys(("40", "55P03", "55006"), _BUSY),
    "57014": _SLOW,
    "XX001": _CORRUPT,
    "XX002": _CORRUPT,
    "23": _UNKNOWN,
    **dict.fromkeys(("22021", "22P05"), _UNKEPT),
}
"""PostgreSQL's error code, or the class that it begins with, → what to say."""

_CHECK_URL = "see that the URL is right; it stands in journal.url, without the password"
_SECRET = "give the password in PGPASSWORD, in ~/.pgpass, or in the URL in SELFEDIT_JOURNAL"
_AWAY = "start the server, or see that it can be reached from here"
_LATER = "the server is busy; run the command again in a moment"
_NO_ENTRY = {
    "password": _SECRET,
    "permission denied": "let this user in: GRANT CONNECT ON DATABASE ... TO ...",
    "database": "make it with `createdb`, or name another in the URL",
    "role": "make it with `createuser`, or name another in the URL",
    "no pg_hba.conf entry": "let this user in from here in the server's pg_hba.conf",
    **dict.fromkeys(("starting up", "shutting down", "recovery", "too many", "slots"), _LATER),
    **dict.fromkeys(("refused", "No such file", "resolve", "timeout", "timed out", "reach"), _AWAY),
}
"""Words of libpq and the server → what to do; the first that fit."""


def unreachable(place: Path, server: str, why: str) -> str:
    """The line for a database that gives no connection, from what libpq says of it."""
    said = " ".join(why.split()).removeprefix("connection failed: ").removeprefix("connection is bad: ")
    remedy = next((remedy for words, remedy in _NO_ENTRY.items() if words in said), _CHECK_URL)
    return f"{place}: no connection to {server} ({said}); {remedy}"


@contextmanager
def explained(doing: str, place: Path) -> Generator[None]:
    """Turn the errors of what runs inside into one line: `place: what went wrong while doing; remedy`."""
    try:
        yield
    except OSError as error:
        text = _SYSTEM.get(error.errno or 0, _ODD)
        raise StoreError(_line(text, doing, place, error.strerror or str(error))) from error
    except DBAPIError as error:
        text = _told(error)
        kind = StoreBusyError if text is _BUSY else StoreError
        raise kind(_line(text, doing, place, str(error.orig))) from error
    except UnicodeEncodeError as error:
        raise StoreError(_line(_UNKEPT, doing, place, error.reason)) from error


def _line(text: str, doing: str, place: Path, why: str) -> str:
    return f"{place}: {text.format(doing=doing, why=' '.join(why.split()))}"


def _told(error: DBAPIError) -> str:
    code: object = getattr(error.orig, "sqlite_errorcode", None)
    if isinstance(code, int):
        return _SQLITE.get(code & 0xFF, _ODD)  # without its extension
    state: object = getattr(error.orig, "sqlstate", None)
    if isinstance(state, str):
        return _POSTGRES.get(state) or _POSTGRES.get(state[:2], _ODD)
    if error.connection_invalidated:
        return _GONE
    return _UNKEPT if isinstance(error, DataError) else _ODD
