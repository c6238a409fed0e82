"""The streams of a store: matrices and figures of every method, as `selfedit stream` kept them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from selfedit.report.shown import StreamFound
from selfedit.report.teaching import as_yaml
from selfedit.store import Store
from selfedit.streaming.figures import Figure
from selfedit.streaming.measuring import KIND
from selfedit.streaming.tabulating import CanaryFigures, StreamRow

GROUPS = (
    *("just_learned", "after_last", "kept", "backward", "forward"),
    *("never_edited", "against_base", "against_first", "routing"),
)
"""Fields of a row that are figures by name."""


def gather(store: Store) -> tuple[StreamFound, ...]:
    """Every table, the oldest first."""
    return tuple(
        StreamFound(
            row.subject,
            row.time,
            as_yaml(row.value["recipe"]),
            row.value["dtype"],
            row.value["recipe"]["grader"],
            tuple(read_row(each) for each in row.value["rows"]),
        )
        for row in store.reports(KIND)
    )


def read_row(value: Mapping[str, Any]) -> StreamRow:
    """The row that was kept as JSON."""
    held: dict[str, Any] = {field.name: value[field.name] for field in fields(StreamRow)}
    held |= {name: {each: _figure(x) for each, x in value[name].items()} for name in GROUPS}
    held["matrix"] = {name: tuple(tuple(row) for row in rows) for name, rows in value["matrix"].items()}
    held["average"] = {name: tuple(each) for name, each in value["average"].items()}
    held["scales"] = tuple(value["scales"])
    sung = value["canaries"]
    held["canaries"] = sung and CanaryFigures(sung["n"], _figure(sung["right"]), _figure(sung["logprob"]))
    return StreamRow(**held)


def _figure(held: Mapping[str, Any]) -> Figure:
    ci95 = held["ci95"]
    return Figure(held["value"], (ci95[0], ci95[1]) if ci95 else None)
