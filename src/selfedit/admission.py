"""What is let in: documents screened as they are read, rows of training before they are trained on.

Refuses, mends and remembers why; trains nothing, keeps nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import final

from selfedit.config import Policy
from selfedit.screening import Finding, Screened, screen, screen_rows
from selfedit.types import Sequence


@final
class Screening:
    """Mends each document's text as a policy says, and remembers what was found in it, by its path."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._found: dict[str, list[Screened]] = {}

    def __call__(self, path: str, text: str) -> str:
        """What may be learned of the text; what is refused stays as it is, for `refused` to tell of."""
        found = screen(text, self._policy)
        self._found.setdefault(path, []).append(found)
        return found.text if found.accepted else text

    def add(self, path: str, finding: Finding) -> None:
        """What was found after reading. What would be taken out is refused: it stands in passages already."""
        action = self._policy.action(finding.kind, finding.sure)
        if action in ("refuse", "redact"):
            self._found.setdefault(path, []).append(Screened("", refused=(finding,)))
        elif action == "warn":
            self._found.setdefault(path, []).append(Screened("", warned=(finding,)))

    def refused(self, path: str) -> tuple[str, ...]:
        """Why the document is not let in, a line for each reason; empty where it is."""
        reasons = (reason for found in self._found.get(path, ()) for reason in found.reasons)
        return tuple(dict.fromkeys(reasons))

    def notes(self, path: str) -> tuple[str, ...]:
        """What was taken out of the document, and what was only noticed, a line for each kind."""
        every = self._found.get(path, ())
        taken = _told((each for found in every for each in found.redacted), "taken out")
        return (*taken, *_told((each for found in every for each in found.warned), "noticed"))


def _told(findings: Iterable[Finding], how: str) -> tuple[str, ...]:
    count = Counter(finding.what for finding in findings)
    return tuple(f"{how}: {what}{f' ({times} times)' if times > 1 else ''}" for what, times in count.items())


def harmless(rows: Items[str | Sequence], policy: Policy) -> frozenset[str | Sequence]:
    """The rows that may be trained on: a row in which anything is refused or would be mended is left out."""
    return frozenset(row for row, found in screen_rows(rows, policy) if found.accepted and not found.redacted)
