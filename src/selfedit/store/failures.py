"""What operating system and database complain of, told as one `StoreError` line with its remedy.

Knows nothing of what was being done beyond the words that it is given.
"""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError

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


@contextmanager
def explained(doing: str, place: Path) -> Generator[None]:
    """Turn the errors of what runs inside into one line: `place: what went wrong while doing; remedy`."""
    try:
        yield
    except OSError as error:
        text = _SYSTEM.get(error.errno or 0, _ODD)
        raise StoreError(_line(text, doing, place, error.strerror or str(error))) from error
    except DBAPIError as error:
        text = _SQLITE.get(_primary_code(error), _ODD)
        kind = StoreBusyError if text is _BUSY else StoreError
        raise kind(_line(text, doing, place, str(error.orig))) from error


def _line(text: str, doing: str, place: Path, why: str) -> str:
    return f"{place}: {text.format(doing=doing, why=' '.join(why.split()))}"


def _primary_code(error: DBAPIError) -> int:
    """SQLite's result code without its extension; 0 for the driver's own errors and other databases'."""
    code = getattr(error.orig, "sqlite_errorcode", 0)
    return code & 0xFF if isinstance(code, int) else 0
