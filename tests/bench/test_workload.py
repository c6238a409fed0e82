"""The work: the same for every side, and refused in one line where there is no data."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.bench import Settings, settings_for, workload
from selfedit.bench.settings import from_json
from selfedit.errors import DocumentError, UsageError
from selfedit.types import Sequence


def of(data: Path, **more: object) -> Settings:
    return settings_for("train", data=str(data), plans=2, sequences=8, **more)


def test_plan_holds_titled_sentences_then_gold_questions_then_blanks(data: Path):
    plan = workload.plans(of(data))[1]
    texts = [row for row in plan.sequences if isinstance(row, str)]
    pairs = [row for row in plan.sequences if isinstance(row, Sequence)]
    assert texts[0] == "Mill\nThe mill stands by the river Orr."
    assert pairs[0] == Sequence("Topic: Mill. When was it built?\n", " 1802")
    assert pairs[1].prompt == "Topic: Mill. Fill in the blank: The mill ____ by the river Orr.\n"
    assert pairs[1].completion == " stands"
    assert len(plan.sequences) == 8


def test_passages_with_most_questions_come_first_and_repeat_when_they_run_out(data: Path):
    titles = [passage.title for passage in workload.passages(settings_for("train", data=str(data), plans=3))]
    assert titles == ["Orr", "Mill", "Orr"]


def test_rows_are_dealt_to_adapters_in_turn(data: Path):
    rows = workload.rows(of(data, requests=6), 4)
    assert workload.groups(rows) == {0: [0, 4], 1: [1, 5], 2: [2], 3: [3]}


def test_a_trial_always_has_five_questions(data: Path):
    asked = workload.questions(workload.passages(of(data))[0], 7)
    assert [row.completion for row in asked] == ["in the hills", "40 km"] * 2 + ["in the hills"]
    assert {row.adapter for row in asked} == {7}


def test_synthetic_texts_depend_on_the_seed_alone():
    one, again, other = (settings_for("trial", synthetic=True, seed=seed) for seed in (1, 1, 2))
    assert workload.plans(one) == workload.plans(again) != workload.plans(other)
    assert len(workload.passages(one)) == 60


def test_sides_rebuild_the_same_plans_from_settings_as_text(data: Path):
    settings = of(data)
    assert from_json(settings.to_json()) == settings
    assert workload.plans(from_json(settings.to_json())) == workload.plans(settings)


def test_no_data_names_the_remedy():
    with pytest.raises(UsageError, match="--synthetic"):
        workload.passages(settings_for("train"))


@pytest.mark.parametrize("content", [None, "{", '[{"title": "x"}]', "[]", "[3]"])
def test_bad_data_is_one_line(tmp_path: Path, content: str | None):
    (tmp_path / "squad").mkdir()
    if content is not None:
        (tmp_path / "squad" / "train.json").write_text(content)
    with pytest.raises(DocumentError, match=r"train\.json") as caught:
        workload.passages(settings_for("train", data=str(tmp_path)))
    assert "\n" not in str(caught.value)


def test_measured_plans_are_spread_over_all():
    assert settings_for("train", plans=32, subset=4).measured() == [0, 8, 16, 24]
    assert settings_for("train", plans=2, subset=4).measured() == [0, 1]


@pytest.mark.parametrize("given", [{"plans": 0}, {"rank": -1}, {"requests": 0}])
def test_counts_below_one_are_refused(given: dict[str, int]):
    with pytest.raises(UsageError, match=next(iter(given))):
        settings_for("train", **given)
