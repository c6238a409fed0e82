"""The proof that a document is out of the model again, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfedit.cli.output import plain
from selfedit.cli.wording import change, clipped, count, short

MOVED = 5
"""So many questions are named whose verdict changed."""


def proof_lines(proof: Any) -> list[str]:
    """A `Proof`, or the report that the store keeps of one, in some lines."""
    found: Mapping[str, Any] = plain(proof)
    return [*_own(found), *_others(found)]


def _own(found: Mapping[str, Any]) -> list[str]:
    commit, asked = short(found["commit"]), count(found["asked"], "question")
    if found["back"] is None:
        return [f"{commit}: no question about it can be asked, so answers cannot show that it is out."]
    as_before = "as before it was learned" if found["back"] else "NOT as before it was learned"
    return [
        f"{commit}: its {asked} are answered {as_before}.",
        _right(found["right_before"], found["right_now"], found["difference_ci95"]),
        f"  the same word for word  {_percent(found['same_answers'])}",
    ]


def _others(found: Mapping[str, Any]) -> list[str]:
    asked, moved = found["others_asked"], found["moved"]
    if not asked:
        return ["  Nothing else is left that could have changed."]
    lines = [
        f"  Of what stays, {count(asked, 'question')}:",
        _right(found["others_then"], found["others_now"], found["others_ci95"]),
        f"  changed between right and wrong  {len(moved) or 'none'}",
    ]
    lines += [f"    - {clipped(question, 90)}" for question in moved[:MOVED]]
    return lines + ([f"    … {len(moved) - MOVED} more"] if len(moved) > MOVED else [])


def _right(before: float | None, now: float | None, ci95: tuple[float, float] | None) -> str:
    difference = f"   95% interval of the difference {ci95[0]:+.2f} to {ci95[1]:+.2f}" if ci95 else ""
    return f"  right  {change(before, now)}{difference}"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
