"""What the gate reported of a commit, as the page tells it. What an older store did not keep is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from selfedit.gate import Check
from selfedit.report.found import Fact, GateFound
from selfedit.store import Store


def gather(store: Store, commit: str) -> GateFound | None:
    """The report; None where there was no gate, or the report was erased."""
    report = store.gate_report(commit)
    return None if report is None else of(report)


def of(report: Mapping[str, Any]) -> GateFound:
    """Its parts, as far as they are there."""
    return GateFound(
        report.get("reason") or "",
        tuple(Check(each["name"], each["passed"], each["told"]) for each in report.get("checks", ())),
        report.get("scale", 1.0),
        tuple(Fact(each["question"], each["old"], each["new"]) for each in report.get("corrects", ())),
    )
