"""The bench counts what it says; a reader is a function of the test."""

from __future__ import annotations

import json

import pytest
from typer.testing import CliRunner

from selfedit.bench import contradictions
from selfedit.bench.conflicts import PARTS, Pair, pairs
from selfedit.bench.conflicts.reading import Old
from selfedit.cli.main import app
from selfedit.types import Probe, Task

PROBE = Probe("How much is the toll?", "5 crowns", "Toll")
OTHER = Probe("When does the gate open?", "7:00", "Toll")
OLD = Old("test", "en", "tune", Task("Toll", "The toll is 5 crowns. The gate opens at 7:00.", (PROBE, OTHER)))


def test_only_the_fact_that_is_changed_counts_as_found() -> None:
    new = Task("Toll news", "The toll is 9 crowns.")
    assert contradictions.outcome(Pair(OLD, "contradiction", new, PROBE))
    assert not contradictions.outcome(Pair(OLD, "contradiction", new, OTHER))


def test_any_conflict_is_a_false_alarm_where_nothing_changes() -> None:
    assert contradictions.outcome(Pair(OLD, "adds", Task("Toll news", "The toll is 9 crowns."), None))
    assert not contradictions.outcome(
        Pair(OLD, "adds", Task("Toll news", "The toll goes to the town."), None)
    )


@pytest.fixture(scope="module")
def rows() -> list[dict[str, object]]:
    return contradictions.command()


def test_rows_add_up(rows: list[dict[str, object]]) -> None:
    counted = {(row["half"], row["label"]): (row["n"], row["told"]) for row in rows}
    for part in PARTS:
        for total, labels in (
            ("all that contradict", contradictions.CONFLICTING),
            ("all that do not", contradictions.HARMLESS),
        ):
            sums = tuple(
                sum(column) for column in zip(*(counted[part, name] for name in labels), strict=True)
            )
            assert counted[part, total] == sums
        assert counted[part, "all that contradict"][0] + counted[part, "all that do not"][0] == len(
            pairs(part)
        )
    lines = contradictions.markdown(rows).splitlines()
    assert len(lines) == 2 + len(rows)
    assert len({line.count("|") for line in lines}) == 1


def test_the_tuned_half_keeps_to_its_limits(rows: list[dict[str, object]]) -> None:
    shares = {(row["half"], row["label"]): float(str(row["share"])) for row in rows}
    assert shares["tune", "all that contradict"] >= 0.95
    assert shares["tune", "all that do not"] <= 0.05


def test_real_passages_of_which_anything_is_told() -> None:
    held = Task("Toll", "The toll is 5 crowns.", (PROBE,))
    wrong, right = Task("Toll", "The toll is 9 crowns."), Task("Toll", "The gate is green.")
    assert contradictions.alarmed([held], [wrong, right]) == {wrong.id}


def test_the_command_loads_no_model_unless_a_base_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked: list[str | None] = []

    def counted(base: str | None, data: object) -> list[dict[str, object]]:
        asked.append(base)
        return []

    monkeypatch.setattr(contradictions, "command", counted)
    for options in ([], ["--base", "smollm2-135m"]):
        result = CliRunner().invoke(app("bench"), ["bench", "contradictions", "--json", *options])
        assert json.loads(result.stdout) == []
    assert asked == [None, "smollm2-135m"]
