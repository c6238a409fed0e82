"""Whoever decides whether an answer conveys the gold answer."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import Protocol

from selfedit.types import Failure, GradeRequest, Verdict


class Grader(Protocol):
    """One verdict a request, in order. A Failure is left out and counted, never wrong."""

    @property
    def name(self) -> str:
        """Names the grader in tables and in the keys of what depends on it."""
        ...

    def grade(self, requests: Items[GradeRequest]) -> list[Verdict | Failure]: ...
