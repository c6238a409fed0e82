"""What a check reports, and what every check is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol, final

from selfedit.config import Policy
from selfedit.screening.folding import Page

MOST_QUOTED = 160


@final
@dataclass(frozen=True, slots=True)
class Finding:
    """Something in a text: its kind (a field of `Policy`), what, from where to where, how sure, a remedy."""

    kind: str
    what: str
    start: int
    end: int
    sure: float
    remedy: str
    instead: str = ""
    """What stands in its place when it is redacted."""
    quote: str = ""
    """The place as it is, cut where long, unseen characters as `<U+200B>`; masked where it is secret."""


class Check(Protocol):
    """One kind of harm. Total on every text: a check never raises."""

    def __call__(self, page: Page, policy: Policy, /) -> Iterator[Finding]: ...


def quoted(text: str) -> str:
    """A place as a message can show it."""
    shown = "".join(c if c.isprintable() else " " if c.isspace() else f"<U+{ord(c):04X}>" for c in text[:400])
    shown = " ".join(shown.split())
    return shown if len(shown) <= MOST_QUOTED else shown[: MOST_QUOTED - 1] + "…"


def masked(text: str) -> str:
    """A secret as a message can show it: its first characters and its length."""
    return f"{quoted(text)[:3]}… ({len(text)} characters)"
