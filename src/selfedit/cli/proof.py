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
    commit, asked = short(found["commit"]), found["asked"]
    if found["back"] is None:
        return [f"{commit}: no question about it can be asked, so that it is out cannot be shown by answers."]
    verdict = "back where they were before it was learned" if found["back"] else "NOT back where they were"
    return [
        f"{commit}: the answers to its {count(asked, 'question')} are {verdict}.",
        f"  right before it was learned {share(found['right_before'])}, now {share(found['right_now'])}; "
        f"difference {_interval(found['difference_ci95'])}",
        f"  the same word for word as before: {_percent(found['same_answers'])}",
    ]


def _others(found: Mapping[str, Any]) -> list[str]:
    asked, moved = found["others_asked"], found["moved"]
    if not asked:
        return ["  nothing else was learned that could have moved"]
    lines = [
        f"  the {count(asked, 'question')} of what stays: right {share(found['others_then'])} with it, "
        f"{share(found['others_now'])} now; difference {_interval(found['others_ci95'])}",
        f"  of these, {len(moved) or 'none'} changed between right and wrong" + (":" if moved else ""),
    ]
    lines += [f"    - {clipped(question, 90)}" for question in moved[:MOVED]]
    return lines + ([f"    … {len(moved) - MOVED} more"] if len(moved) > MOVED else [])


def _interval(ci95: tuple[float, float] | None) -> str:
    return f"within {ci95[0]:+.2f} to {ci95[1]:+.2f} (95%)" if ci95 else "without an interval"


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"
