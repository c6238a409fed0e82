"""Where a journal on PostgreSQL is: a URL without its password, and one schema in that database.

A password stands in no file of the store. It comes from where libpq looks for it (PGPASSWORD, PGPASSFILE,
~/.pgpass) or from the same URL, password and all, in the variable SELFEDIT_JOURNAL. Needs no driver.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self, final
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from selfedit.errors import StoreError

VARIABLE = "SELFEDIT_JOURNAL"
EXAMPLE = "postgresql://user@host/database"
_SPELLINGS = ("postgresql", "postgres", "postgresql+psycopg")
_SECRETS = ("password", "sslpassword")
_SCHEMA = re.compile(r"selfedit_[0-9a-f]{16}")


@final
@dataclass(frozen=True, slots=True)
class Address:
    """A PostgreSQL database, and the schema that belongs to one store."""

    url: str
    """For libpq; without a password, and without the schema."""
    schema: str
    password: str | None = field(default=None, repr=False, compare=False)

    @classmethod
    def new(cls, url: str) -> Self:
        """A schema of its own in the database that `url` names. Raises StoreError for what is no such URL."""
        plain, schema, password = _split(url)
        if schema is not None:
            raise StoreError(f"{_shown(url)}: the schema is chosen for each store; leave '?schema=' out")
        return cls(plain, f"selfedit_{secrets.token_hex(8)}", password)

    @classmethod
    def read(cls, path: Path, url: str = "") -> Self:
        """What `write` wrote to `path`, with the password of `url` or SELFEDIT_JOURNAL where they fit."""
        try:
            plain, schema, password = _split(path.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError, StoreError) as error:
            raise StoreError(f"{path}: cannot be used ({error}); put a backup of it in its place") from error
        if not _SCHEMA.fullmatch(schema or ""):
            raise StoreError(f"{path}: names no schema of selfedit; put a backup of it in its place")
        for given in (url, os.environ.get(VARIABLE, "")):
            password = password or _password_of(plain, given)
        return cls(plain, schema or "", password)

    def write(self, path: Path) -> None:
        """Keep it in the new file `path`, durably, without its password."""
        parts = urlsplit(self.url)
        query = urlencode([*parse_qsl(parts.query), ("schema", self.schema)])
        with path.open("x", encoding="utf-8") as file:
            file.write(f"{_joined(parts.netloc, parts.path, query)}\n")
            file.flush()
            os.fsync(file.fileno())

    @property
    def options(self) -> Mapping[str, str]:
        """What the URL says of the connection beside user, host and database."""
        return dict(parse_qsl(urlsplit(self.url).query))

    def __str__(self) -> str:
        """As a person would say it: `PostgreSQL at host:5432, database memories`."""
        parts = urlsplit(self.url)
        host = unquote(parts.netloc.rpartition("@")[2]) or self.options.get("host") or "this machine"
        name = unquote(parts.path.lstrip("/")) or self.options.get("dbname") or "of the user's name"
        return f"PostgreSQL at {host}, database {name}"


def _split(url: str) -> tuple[str, str | None, str | None]:
    """A URL taken apart: what libpq is given, the schema and the password. Raises StoreError."""
    scheme, mark, rest = url.partition("://")
    if not mark or scheme not in _SPELLINGS:
        what = f"the journal can be a file or on PostgreSQL ({EXAMPLE}), and on nothing else"
        raise StoreError(f"{_shown(url)}: {what}; give such a URL, or none for a file")
    parts = urlsplit(f"postgresql://{rest}")
    user, at, host = parts.netloc.rpartition("@")
    if parts.fragment or "@" in parts.path + parts.query or _odd_port(host):
        what = "cannot be read as a URL; in names and the password write / @ ? # : as %2F %40 %3F %23 %3A"
        raise StoreError(f"{_shown(url)}: {what}")
    user, _, password = user.partition(":")
    query = parse_qsl(parts.query, keep_blank_values=True)
    secret = [value for name, value in query if name == "password"]
    kept = urlencode([(name, value) for name, value in query if name not in (*_SECRETS, "schema")])
    plain = _joined(f"{user}{at}{host}", parts.path, kept)
    schema = next((value for name, value in query if name == "schema"), None)
    return plain, schema, unquote(password) or next(iter(secret), None)


def _joined(server: str, path: str, query: str) -> str:
    """By hand: `urlunsplit` would drop the slashes before an empty server."""
    return f"postgresql://{server}{path}{'?' if query else ''}{query}"


def _odd_port(hosts: str) -> bool:
    """Has any of the hosts (libpq takes several) a port that is no number: the start of a password?"""
    bare = re.sub(r"\[[^]]*\]", "", hosts)
    return any(":" in each and not each.rpartition(":")[2].isdigit() for each in bare.split(","))


def _shown(url: str) -> str:
    """What of a bad URL may be shown: nothing in which a password could be."""
    scheme, mark, _ = url.partition("://")
    return f"{scheme}://..." if mark and scheme.isascii() else "journal"


def _password_of(url: str, given: str) -> str | None:
    """The password in `given`, if that is `url` with a password."""
    try:
        plain, _, password = _split(given)
    except StoreError:
        return None
    return password if urlsplit(plain)[:3] == urlsplit(url)[:3] else None
