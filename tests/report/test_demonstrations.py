"""Tasks of demonstrations on the page: their table, their grids as pictures, and what was picked for them."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.evaluating import Wanted, evaluate
from selfedit.memory import Memory
from selfedit.recipes import parse_recipe, reporting_tasks, training_tasks
from selfedit.report.configurations import RATES, distribution, rate, worded
from selfedit.report.found import About, Found
from selfedit.report.gathering import gather
from selfedit.report.grids import bars, picture, told
from selfedit.report.page import render, sections
from selfedit.report.shown import Attempt as Put
from selfedit.report.shown import Measured, OnTest, Picked, PickedBy, TaskShown, Tried, WayShown
from selfedit.store import Store
from selfedit.types import Example, FewShot, GenerationRequest, rng_for

from ..solvers import Solver, drawn
from .conftest import NASTY
from .test_page import WHEN, Reader

RECIPE = """
rounds: 2
data: {kind: KIND, train: "TRAIN", report: "REPORT", passages: 2, report_passages: 4}
few_shot:
  tasks: 2
  steps: 8
  guises: 2
  settings:
    - {tools: [], learning_rate: 1e-4, epochs: 1}
    - {tools: [TOOL], learning_rate: 2e-3, epochs: 1}
write: {formats: [few-shot], samples: 4, temperature: 1.0}
apply: {rank: 2, alpha: 4, batch_size: 2}
judge: {rewards: [{name: solved}, {name: likelihood}]}
select: {method: best, beat: [base]}
report:
  seeds: [0, 1]
  training: {rank: 2, alpha: 4, batch_size: 2, least_steps: 0}
  rows: [in-context, untrained, rounds, fixed, oracle]
"""


class Painter(Solver):
    """Without what it needs it paints one cell or mumbles, alike in all guises."""

    kind = "arc"

    def _said(self, request: GenerationRequest) -> str:
        if request.grammar:
            return drawn(request, self.kind)
        said = super()._said(request)
        if said != " no idea" or self.kind == "text":
            return said
        cells = sum(map(int, re.findall(r"[0-9]", self.right[str(request.prompt)])))
        return " 7" if cells % 4 else said


def made_task(number: int) -> dict[str, object]:
    """Mirrors a row of three colours."""
    rng = rng_for("grids", number)
    rows = [[rng.randint(0, 9) for _ in range(3)] for _ in range(4)]
    pairs = [{"input": [row, row[::-1]], "output": [row[::-1], row]} for row in rows]
    return {"train": pairs[:3], "test": pairs[3:]}


def recipe(kind: str, train: str, report: str, tool: str):
    parts = {"KIND": kind, "TRAIN": train, "REPORT": report, "TOOL": tool}
    text = RECIPE
    for name, value in parts.items():
        text = text.replace(name, value)
    return parse_recipe(text, "x.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with two rounds and a table on grids, and a table on texts. Only to be read."""
    folder = tmp_path_factory.mktemp("demonstrations")
    for name, numbers in (("train", range(2)), ("report", range(2, 6))):
        tasks = {f"{number:08x}": made_task(number) for number in numbers}
        (folder / f"{name}.json").write_text(json.dumps(tasks))
    grids = recipe("arc", str(folder / "train.json"), str(folder / "report.json"), "basic")
    texts = recipe("text", "generators:build", "generators:report", "reorder")
    for at, each in enumerate((grids, texts)):
        worker = Painter((*training_tasks(each, None), *reporting_tasks(each, None)), each.few_shot)
        worker.kind = "text" if at else "arc"
        if not at:
            Store.create(folder / "memory", base="smollm2-135m", weights=worker.base, dtype="float32").close()
        memory = Memory(folder / "memory", lambda worker=worker: worker)
        if not at:
            memory.reinforce(each)
        rows = ("in-context", "untrained", "oracle") if at else ()
        evaluate(memory, Wanted(each, None, rows, None))
    return folder / "memory"


@pytest.fixture(scope="module")
def found(place: Path) -> Found:
    with Store.open(place) as store:
        return gather(store)


@pytest.fixture(scope="module")
def page(found: Found) -> str:
    return render(found, WHEN)


def table_of(found: Found, rows: int):
    return next(each for each in found.solved if len(each.rows) == rows)


def test_the_table_says_what_was_solved_and_what_can_be(found: Found, page: str) -> None:
    table = table_of(found, 6)
    assert [row.method for row in table.rows] == [
        *("in-context", "untrained", "round 1", "round 2", "fixed", "oracle")
    ]
    assert (table.rows[0].accuracy, table.rows[-1].accuracy) == (0.0, 1.0)
    assert table.tried == table.tasks == table.by_any == 4
    assert table.solvable is not None
    assert sorted(table.solvable) == [f"{number:08x}" for number in range(2, 6)]
    assert [each.chosen for each in table.settings] == [(), ("fixed", "oracle")]
    assert [each.here and each.here[0] for each in table.settings] == [0.0, 1.0]
    assert "The best fixed setting solves 4 of 4 tasks: 0000" in page
    assert "oracle is basic; loss on the output; 2e−3; 1 epoch." in page
    assert {each.id for each in sections(found)} >= {"tables", "configurations", "demonstrations", "trials"}
    assert "The same passages were taught" not in page


def test_attempts_are_held_against_the_expected_output_and_give_the_table(found: Found) -> None:
    table = table_of(found, 6)
    for row in table.rows:
        means: list[float] = []
        for each in found.tasks:
            ways = [w for m in each.measured if m.table == table.id for w in m.ways if w.method == row.method]
            for tried in (tried for way in ways for tried in way.tried):
                right = [any(one.right for one in test.attempts[:2]) for test in tried.tests]
                means += [float(all(right))] * max(1, len(tried.seeds))
        assert row.accuracy == pytest.approx(sum(means) / len(means))
    some = [one for each in found.tasks for one in each.measured[0].ways[0].tried[0].tests]
    assert any(test.written for test in some if not test.attempts)
    assert any(not one.right for test in some for one in test.attempts)


def test_seeds_that_ended_alike_are_told_once(found: Found) -> None:
    table = table_of(found, 6)
    (mine,) = (each for each in found.tasks[0].measured if each.table == table.id)
    assert [way.method for way in mine.ways] == [row.method for row in table.rows]
    (tried,) = mine.ways[-1].tried
    assert tried.seeds == ("seed 0", "seed 1")


def test_every_grid_is_a_picture_with_its_cells_in_words(found: Found, page: str) -> None:
    read = Reader(page)
    assert (read.wrong, read.open, read.loads) == ([], [], [])
    assert len(read.ids) == len(set(read.ids))
    pictures = re.findall(r'<svg class="g" role="img"[^>]*><title>([^<]+)</title>', page)
    for each in found.tasks:
        for example in (*each.task.demonstrations, *each.task.tests):
            for value in (example.input, example.output):
                if each.task.kind == "arc":
                    assert told(value) in pictures
                else:
                    assert str(picture(value)) in page
    assert "✓ right" in page
    assert "✗ no answer that could be read" in page
    assert '{"demonstrations"' not in page, "no task as JSON"


def test_a_grid_is_drawn_cell_by_cell() -> None:
    drawn_ = str(picture(((0, 0, 3), (3, 3, 3))))
    assert "<title>2 × 3: 003 333</title>" in drawn_
    assert '<path class="c0" d="M0 0h2"/>' in drawn_
    assert '<path class="c3" d="M2 0h1M0 1h3"/>' in drawn_
    assert 'd="M0 1h3M1 0v2M2 0v2"' in drawn_
    assert 'width="54" height="36"' in drawn_
    assert "<rect" not in str(bars([0, 0], "none"))
    assert str(bars([1, 2], "x")).count("<rect") == 2


def test_texts_are_text_whatever_stands_in_them() -> None:
    assert NASTY not in picture(NASTY)
    assert picture("") == "<i>empty</i>"
    task = FewShot(NASTY, (Example(NASTY, "b"),), (Example("c", NASTY),))
    tried = Tried(None, (), (OnTest((), -1.0, 8, 8, NASTY),), NASTY)
    shown = TaskShown(task, False, (Measured("f" * 64, (WayShown(NASTY, (tried,), 1),)),))
    about = About("memory", "tiny", "f" * 64, "float32", "2026-01-01T00:00:00+00:00")
    text = render(Found(about, tasks=(shown,)), WHEN)
    assert NASTY not in text
    assert text.count("&lt;script&gt;alert(1)") >= 6


def test_what_rounds_tried_stands_with_its_task_and_configuration(found: Found, place: Path) -> None:
    with Store.open(place) as store:
        (run,) = store.runs()
        records = [each for row in store.rounds(run.id) for each in row.record["tried"]]
    edits = [edit for each in found.tried for tries in each.tries for edit in tries.edits]
    assert len(edits) == len(records) > 0
    assert all(edit.settings and not edit.taught.own for edit in edits)
    assert all(each.shown and each.shown.kind == "arc" for each in found.tried)


def test_configurations_before_and_after(found: Found, place: Path, page: str) -> None:
    run, *tables = map(distribution, found.picked)
    assert run.of_run
    assert [line.name for line in run.lines[:2]] == ["round 1, tried", "round 1, kept"]
    assert run.tools == ("basic", "size", "chain", "repeat")
    with Store.open(place) as store:
        first = store.rounds(run.name)[0].record["tried"]
        settings = [edit.settings for each in first if (edit := store.edit(each["edit"]))]
    line = run.lines[0]
    assert line.count == len(settings)
    assert line.tools[0] == pytest.approx(sum(each["basic"] for each in settings) / len(settings))
    assert line.whole == pytest.approx(sum(each["loss"] == "all" for each in settings) / len(settings))
    mine = next(each for each in tables if each.name == table_of(found, 6).id)
    assert [each.name for each in mine.lines] == ["untrained", "round 1", "round 2"]
    assert {each.count for each in mine.lines} == {4}, "once for all seeds"
    assert "Learning rates: " in page


def test_learning_rates_lie_in_the_column_that_begins_with_them() -> None:
    settings = [{"loss": "all", "learning_rate": each, "epochs": 1} for each in RATES]
    (line,) = distribution(PickedBy("x", True, (Picked("all", tuple(settings)),))).lines
    heights = re.findall(r'height="([\d.]+)"/>', str(line.rates))
    assert len(heights) == len(RATES)
    assert len(set(heights)) == 1
    assert (rate(2e-3), rate(1.5e-4), rate(3)) == ("2e−3", "1.5e−4", "3")
    assert worded(settings[0] | {"size": True}) == "size; loss on all tokens; 1e−6; 1 epoch"


def test_equal_stores_give_equal_pages(place: Path, page: str) -> None:
    with Store.open(place) as store:
        assert render(gather(store), WHEN) == page


def test_without_runs_db_the_table_stays(place: Path, tmp_path: Path) -> None:
    shutil.copytree(place, tmp_path / "memory")
    (tmp_path / "memory" / "runs.db").unlink()
    with Store.open(tmp_path / "memory") as store:
        left = gather(store)
    assert [each.gone for each in left.solved] == [True, True]
    assert left.tasks == ()
    assert "are not in the store any more" in render(left, WHEN)


def test_a_large_table_makes_no_large_page(found: Found) -> None:
    """20 tasks with 6 rows on grids of 20×20 without any order: more than ARC's have."""
    cells = rng_for("cells", 0)
    grids = [tuple(tuple(cells.randint(0, 9) for _ in range(20)) for _ in range(20)) for _ in range(8)]
    task = FewShot("x", tuple(Example(*grids[at : at + 2]) for at in range(3)), (Example(*grids[6:]),))
    test = OnTest((Put(grids[0], False, 5), Put(grids[1], False, 3)), -1.0, 8, 0, "")
    settings = {"basic": True, "loss": "all", "learning_rate": 1e-4, "epochs": 2}
    ways = tuple(WayShown(f"round {n}", (Tried(settings, ("seed 0",), (test,), ""),), 0) for n in range(6))
    shown = TaskShown(task, True, (Measured("f" * 64, ways),))
    assert len(render(replace(found, tasks=(shown,) * 20), WHEN).encode()) < 3_000_000
