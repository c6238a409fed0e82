"""What the engine chose for this machine, and what became of it: the record of a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, final

from selfedit.engine.memory import Limits


@final
@dataclass(frozen=True, slots=True)
class Settings:
    """Plain numbers and lines, so that `dataclasses.asdict` and JSON keep all of it.

    How many adapters, rows and tokens go together follows from these and from the work alone. A run keeps
    `engine.settings` when it begins, and adopts them when it goes on (`kept`). The same work is then cut into
    the same batches, whatever memory is free and however fast threads are by now.
    """

    device: str
    dtype: str
    threads: int
    gemm_gflops: float
    """What a matrix product reaches with those threads, by a short probe."""
    free: int
    """Bytes to plan with, and the sizes beyond which more gives no speed here."""
    most_slots: int
    most_tokens: int
    most_rows: int
    slots: int = 0
    """The most adapters that went together so far."""
    rows: int = 0
    """The most rows that were decoded together so far."""
    reductions: tuple[str, ...] = ()
    """Where memory ran out, and with how little the work went on."""
    notes: tuple[str, ...] = ()
    """What could not be used here, and why."""

    @staticmethod
    def kept(held: Mapping[str, Any]) -> Settings:
        """Of what a run kept as JSON; names that another version knew are left out."""
        names = {each.name for each in fields(Settings)}
        known = {name: value for name, value in held.items() if name in names}
        for name in ("reductions", "notes"):
            known[name] = tuple(known.get(name, ()))
        return Settings(**known)

    @property
    def limits(self) -> Limits:
        return Limits(self.free, self.most_slots, self.most_tokens, self.most_rows)


@final
@dataclass
class Log:
    """What a run tells of itself while it lasts; `Settings` is a picture of it."""

    slots: int = 0
    rows: int = 0
    reductions: list[str] = field(default_factory=list[str])
    notes: list[str] = field(default_factory=list[str])

    def together(self, slots: int, rows: int = 0) -> None:
        self.slots, self.rows = max(self.slots, slots), max(self.rows, rows)

    def reduced(self, line: str) -> None:
        if line not in self.reductions:
            self.reductions.append(line)
