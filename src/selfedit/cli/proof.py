"""The proof that a document is out of the model again, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfedit.cli.output import plain
from selfedit.cli.wording import clipped, count, share, short

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
    verdict = "as often as" if found["back"] else "NOT as often as"
    return [
        f"{commit}: its {asked} are answered rightly {verdict} before it was learned.",
        f"  right before it was learned {share(found['right_before'])}, now {share(found['right_now'])}"
        f"{_difference(found['difference_ci95'])}",
        f"  answers that are the same word for word: {_percent(found['same_answers'])}",
    ]


def _others(found: Mapping[str, Any]) -> list[str]:
    asked, moved = found["others_asked"], found["moved"]
    if not asked:
        return ["  Nothing else is left that could have changed."]
    lines = [
        f"  Of what stays, {count(asked, 'question')}:",
        f"  right with it {share(found['others_then'])}, without it {share(found['others_now'])}"
        f"{_difference(found['others_ci95'])}",
        f"  changed between right and wrong: {len(moved) or 'none'}",
    ]
    lines += [f"    - {clipped(question, 90)}" for question in moved[:MOVED]]
    return lines + ([f"    … {len(moved) - MOVED} more"] if len(moved) > MOVED else [])


def _difference(ci95: tuple[float, float] | None) -> str:
    """The interval, where there is more than a point: one passage alone has none."""
    if ci95 is None or ci95[0] == ci95[1]:
        return ""
    return f"; difference within {ci95[0]:+.2f} to {ci95[1]:+.2f} (95%)"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
