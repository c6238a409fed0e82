"""Tasks of demonstrations by name, from generators and from files; what cannot be used is one line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from selfedit.config import Recipe
from selfedit.errors import DocumentError, UsageError
from selfedit.recipes import load_recipe, parse_recipe, reporting_tasks, training_tasks
from selfedit.tasks.generators import BUILD, REPORT

BASE = """
data: {{kind: {kind}, train: "{train}", report: "{report}", report_passages: null}}
few_shot: {{{terms}}}
write: {{formats: [few-shot]}}
select: {{beat: []}}
report: {{rows: [in-context], training: {{least_steps: 0}}}}
"""


def recipe(
    kind: str, train: str = "generators:build", report: str = "generators:report", terms: str = "tasks: null"
) -> Recipe:
    return parse_recipe(BASE.format(kind=kind, train=train, report=report, terms=terms), "x.yaml")


def test_generators_to_build_on_and_to_report_on() -> None:
    held = recipe("text", terms="instances: 2")
    train, report = training_tasks(held, None), reporting_tasks(held, None)
    assert {task.name.split(":")[0] for task in train} == {*BUILD}
    assert {task.name.split(":")[0] for task in report} == {*REPORT}
    assert (len(train), len(report)) == (2 * len(BUILD), 2 * len(REPORT))


def test_fresh_instances_of_what_was_built_on() -> None:
    held = recipe("text", report="generators:fresh")
    train, report = training_tasks(held, None), reporting_tasks(held, None)
    assert sorted(each.name.split(":")[0] for each in train) == sorted(
        each.name.split(":")[0] for each in report
    )
    assert not {task.id for task in train} & {task.id for task in report}


def test_fewer_tasks_are_the_first_of_more() -> None:
    few, many = (training_tasks(recipe("text", terms=f"tasks: {n}"), None) for n in (4, 9))
    assert many[:4] == few
    assert len(many) == 9


def test_small_grids_by_name() -> None:
    held = recipe("arc", "arc1:training", "arc1:evaluation", "largest: 3")
    found = training_tasks(held, None)
    assert found
    assert all(
        len(grid) <= 3 for task in found for each in task.demonstrations for grid in (each.input, each.output)
    )
    assert len(training_tasks(load_recipe("arc-llama-3.2-1b"), None)) == 12


def test_files_lie_below_the_data_folder(tmp_path: Path) -> None:
    for name, letter in (("a", "x"), ("b", "y")):
        shown = [{"input": letter * n, "output": str(n)} for n in (1, 2)]
        row = {"demonstrations": shown, "tests": [{"input": letter * 5, "output": "5"}]}
        (tmp_path / f"{name}.jsonl").write_text(json.dumps(row))
    held = recipe("text", "a.jsonl", "b.jsonl")
    assert len(training_tasks(held, tmp_path)) == len(reporting_tasks(held, tmp_path)) == 1
    with pytest.raises(UsageError, match="say --data FOLDER"):
        training_tasks(held, None)
    with pytest.raises(UsageError, match="no such data set"):
        training_tasks(recipe("text", "gone.jsonl", "b.jsonl"), tmp_path)


def test_a_task_that_is_trained_on_does_not_report() -> None:
    held = recipe("arc", "arc-seal:train", "arc1:training", "largest: 6")
    with pytest.raises(
        UsageError, match=r"data.report: \d+ of its tasks \(such as \w+\) are in data.train too"
    ):
        reporting_tasks(held, None)


@pytest.mark.parametrize(
    ("kind", "train", "terms", "line"),
    [
        ("text", "generators:all", "tasks: 3", "choose among generators:build, generators:report"),
        ("arc", "arc1:train", "tasks: 3", "no such set of ARC tasks"),
        ("arc", "arc2:evaluation", "largest: 1", "no task has such small grids"),
    ],
)
def test_what_there_is_not_is_one_line(kind: str, train: str, terms: str, line: str) -> None:
    report = "arc1" if kind == "arc" else "generators:report"
    with pytest.raises((UsageError, DocumentError), match=line) as raised:
        training_tasks(recipe(kind, train, report, terms), None)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("before", "after", "line"),
    [
        (
            "formats: [few-shot]",
            "formats: [rewrite]",
            "write.formats: are of passages; choose [few-shot] for",
        ),
        ("beat: []", "beat: [passage]", "select.beat: has passage; choose [base] or []"),
        ("rows: [in-context]", "rows: [base]", "report.rows: has base; choose among in-context, untrained"),
        ("least_steps: 0", "least_steps: 9", "report.training.least_steps: choose 0 for data.kind text"),
        ("kind: text", "kind: passages", "is a set of tasks of demonstrations; choose data.kind arc or text"),
        (
            "kind: text",
            "kind: arc",
            "data.train: is no set for data.kind arc; choose arc-seal:..., or a path",
        ),
        ("tasks: null", "largest: 5", "few_shot.largest: is of grids; choose null"),
        ("tasks: null", "tasts: 5", "few_shot.tasts: no such key; did you mean tasks?"),
        (
            "tasks: null",
            "settings: [{tool: 1}]",
            "few_shot.settings[0].tool: no such key; did you mean tools?",
        ),
        (
            "tasks: null",
            "settings: [{tools: [basic]}]",
            "few_shot.settings[0].tools: is basic; choose among reorder",
        ),
        (
            "select:",
            "judge: {rewards: [{name: recall}]}\nselect:",
            "judge.rewards[0].name: is recall; choose among",
        ),
        ("select:", "judge: {probes: own}\nselect:", "judge.probes: choose gold for data.kind text"),
    ],
)
def test_what_does_not_go_with_the_kind_is_one_line(before: str, after: str, line: str) -> None:
    text = BASE.format(kind="text", train="generators:build", report="generators:report", terms="tasks: null")
    assert before in text
    with pytest.raises(UsageError) as raised:
        parse_recipe(text.replace(before, after), "x.yaml")
    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


def test_rows_of_demonstrations_are_of_no_passages() -> None:
    with pytest.raises(UsageError, match=r"report\.rows: has oracle, which is for data.kind arc or text"):
        parse_recipe("report: {rows: [base, oracle]}", "x.yaml")


def test_what_the_table_shows_is_no_part_of_a_run() -> None:
    plain = recipe("text")
    for terms in ("report_samples: 3", "solvable: true", "settings: [{epochs: 3}]"):
        assert recipe("text", terms=terms).id == plain.id
    for terms in ("steps: 3", "copies: 2", "tasks: 3", "instances: 2"):
        assert recipe("text", terms=terms).id != plain.id


def test_passages_are_what_they_were() -> None:
    """Ids and records of runs that began before there was another kind of task."""
    held = load_recipe("knowledge-smollm2")
    assert held.id == "d44197529b21ce97706559e3c843357fa7d3a59689c8ea8b2103aedba6bd029a"
    assert load_recipe("knowledge-qwen2.5-7b").id.startswith("99db39cd9c9d99cdca72619fc30d1e6e")
    assert "few_shot" not in held.depended_on()
    assert held.depended_on()["data"].keys() == {"train", "passages"}
    assert "kind" not in held.told()["data"]
