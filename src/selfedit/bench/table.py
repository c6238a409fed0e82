"""The rows of a benchmark, and how they are shown."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Row:
    """Ours against one rival in one case. Rates: larger is better; `ratio` is ours over theirs."""

    name: str
    case: str
    rival: str
    ours: float
    theirs: float
    unit: str
    machine: str
    more: Mapping[str, Any] = field(default_factory=dict)
    """How it was measured: threads, peak memory, arithmetic reached, agreement, what was scaled."""

    @property
    def ratio(self) -> float:
        return self.ours / self.theirs

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "case": self.case,
            "rival": self.rival,
            "ratio": _short(self.ratio),
            "ours": _short(self.ours),
            "theirs": _short(self.theirs),
            "unit": self.unit,
            "machine": self.machine,
            **{key: _short(value) for key, value in self.more.items()},
        }


def _short(value: Any) -> Any:
    """Floats to four figures: more would claim what a clock cannot know."""
    return float(f"{value:.4g}") if isinstance(value, float) else value


COLUMNS = (
    "bench",
    "case",
    "rival",
    "ours",
    "theirs",
    "ratio",
    "agreement",
    "GEMM share",
    "peak MiB",
    "threads",
)


def markdown(rows: Items[Mapping[str, Any]]) -> str:
    """A table of rows as JSON gives them, for a terminal and for docs/results.md."""
    if not rows:
        return "no rows"
    lines = ["| " + " | ".join(COLUMNS) + " |", "|" + "---|" * len(COLUMNS)]
    lines += ["| " + " | ".join(_cells(row)) + " |" for row in rows]
    machines = sorted({str(row["machine"]) for row in rows})
    return "\n".join([*lines, "", *[f"Machine: {machine}. Pairs are ours / theirs." for machine in machines]])


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        row["name"],
        row["case"],
        row["rival"],
        f"{row['ours']:g} {row['unit']}",
        f"{row['theirs']:g}",
        f"{row['ratio']:.2f}×",
        _agreement(row),
        _pair(row, "gemm_share", lambda value: f"{value:.0%}"),
        _pair(row, "memory_mb", _memory),
        _pair(row, "threads", str),
    ]


def _agreement(row: Mapping[str, Any]) -> str:
    found = row.get("agreement")
    return "" if found is None else f"{found:g} ({row.get('agreement_kind', '')})"


def _pair(row: Mapping[str, Any], key: str, show: Any) -> str:
    pair = [row.get(f"{side}_{key}") for side in ("ours", "theirs")]
    return " / ".join("?" if value is None else show(value) for value in pair)


def _memory(marks: Mapping[str, float]) -> str:
    return f"{marks['device']:.0f} (device)" if "device" in marks else f"{marks['host']:.0f}"
