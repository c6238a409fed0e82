"""What a recipe will cost, counted on a few passages with a worker that counts words."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.errors import UsageError
from selfedit.recipes import parse_recipe
from selfedit.reinforcing import foretell

from ..fakes import FakeWorker

RECIPE = """
rounds: 2
data: {passages: 3}
write: {samples: 3, spans: 4}
judge: {seeds: [0, 1]}
select: {method: best, beat: [passage]}
report: {rows: [base, passage]}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    rows = [
        {
            "title": f"Place {at}",
            "context": f"The lamp of place {at} is kept by Tobiah Renwick. It was lit in {1800 + at} by Osk.",
            "questions": [{"question": f"When was lamp {at} lit?", "answer": str(1800 + at)}],
        }
        for at in range(5)
    ]
    (tmp_path / "squad").mkdir()
    for name in ("train", "val_report"):
        (tmp_path / "squad" / f"{name}.json").write_text(json.dumps(rows))
    return tmp_path


def test_adapters_are_counted_as_they_will_be_trained(data: Path) -> None:
    found = foretell(FakeWorker(), parse_recipe(RECIPE, "x.yaml"), data)
    assert (found.passages, found.report_passages) == (5, 5)
    first, second = found.estimate.rounds
    assert first == second
    assert first.edits == 3 * 3
    assert first.adapters == 3 * 3 * 2 + 3 * 2 + 1, "edits by seeds, floors by seeds, and the policy"
    assert found.estimate.report.adapters == 5, "the base needs none"
    assert found.costs["total"]["adapters"] == 2 * first.adapters + 5
    assert all(cost["seconds"] > 0 for cost in found.costs.values())


def test_more_samples_and_longer_notes_cost_more(data: Path) -> None:
    def trained(text: str) -> float:
        return foretell(FakeWorker(), parse_recipe(text, "x.yaml"), data).estimate.rounds[0].trained

    assert trained(RECIPE.replace("samples: 3", "samples: 6")) > trained(RECIPE)
    notes = RECIPE.replace("samples: 3", "samples: 3, formats: [implications]")
    assert trained(notes) != trained(RECIPE)


def test_a_missing_data_set_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such data set"):
        foretell(FakeWorker(), parse_recipe(RECIPE, "x.yaml"), tmp_path)
    with pytest.raises(UsageError, match="no data folder"):
        foretell(FakeWorker(), parse_recipe(RECIPE, "x.yaml"), None)
