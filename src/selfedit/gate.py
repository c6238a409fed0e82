"""The tests that a candidate must pass before it becomes a commit. Knows nothing of how it was trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final


@final
@dataclass(frozen=True)
class Verdict:
    """Accepted or not, and why."""

    accepted: bool
    reason: str


def pass_gate(before: float | None, after: float | None, answers: Sequence[str]) -> Verdict:
    """Refuse what knows less of its own document than before, or answers nothing at all."""
    if answers and not any(answers):
        return Verdict(False, "after training every answer is empty")
    if before is not None and after is not None and after < before:
        return Verdict(False, f"recall of the document itself fell from {before:.2f} to {after:.2f}")
    return Verdict(True, "recall did not fall")
