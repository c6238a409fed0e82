"""From a store to a page in a file: whole, or not at all. Changes nothing in the store."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import final

from selfedit.errors import UsageError
from selfedit.report.gathering import gather
from selfedit.report.page import GENERATOR, holds, render, sections
from selfedit.store import Store

HEAD = 4096
"""Bytes in which a page of ours says that it is one."""


@final
@dataclass(frozen=True)
class Written:
    """A page as it was written."""

    page: Path
    sections: tuple[str, ...]
    bytes: int
    holds: str
    """What the store holds, in a line."""


def write(store: Path, out: Path, written: datetime, *, force: bool = False) -> Written:
    """Write the page of the store. Raises StoreError, or UsageError where `out` cannot be written.

    A file that is no page of ours is replaced only by `force`.
    """
    check(store, out, force=force)
    with Store.open(store) as opened:
        found = gather(opened)
    data = render(found, written).encode("utf-8", "replace")
    _replace(out, data)
    return Written(out, tuple(section.id for section in sections(found)), len(data), holds(found))


def check(store: Path, out: Path, *, force: bool = False) -> None:
    """Raise UsageError where a page at `out` would take the place of something else. Writes nothing."""
    try:
        problem = _problem(store, out, force=force)
    except (OSError, ValueError) as error:
        raise _unwritable(out, error) from error
    if problem:
        raise UsageError(f"{out}: {problem}")


def _problem(store: Path, out: Path, *, force: bool) -> str:
    place = Path(os.path.realpath(out))
    if place.is_relative_to(os.path.realpath(store)):
        return "inside the store, which has its own files; choose another place with --out"
    if not place.parent.is_dir():
        return "no such folder; make it first, or choose another place with --out"
    if place.exists() and not place.is_file():
        return "not a plain file; name the page to write, --out FILE.html"
    if place.exists() and not force and not _ours(place):
        return "a file that selfedit report did not write; choose another place with --out, or --force"
    return ""


def _ours(place: Path) -> bool:
    with place.open("rb") as file:
        head = file.read(HEAD)
    return not head or f'<meta name="generator" content="{GENERATOR}">'.encode() in head


def _replace(out: Path, data: bytes) -> None:
    place = Path(os.path.realpath(out))
    incoming = place.with_name(f".{place.name[:200]}.{os.getpid()}")
    try:
        with incoming.open("xb") as file:
            file.write(data)
        incoming.replace(place)
    except OSError as error:
        raise _unwritable(out, error) from error
    finally:
        incoming.unlink(missing_ok=True)


def _unwritable(place: Path, error: OSError | ValueError) -> UsageError:
    why = (isinstance(error, OSError) and error.strerror) or str(error)
    return UsageError(f"{place}: cannot be written ({why}); choose another place with --out")
