"""The learning bench: rows that are left out, and a folder that runs with other settings share."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from selfedit.bench import learning
from selfedit.bench.learning import Experiment, Line, run, table
from selfedit.bench.methods import METHODS, Study
from selfedit.edits.questions import BLANK
from selfedit.edits.recitation import is_recited
from selfedit.questioning import Author
from selfedit.types import Sequence, Task

from ..fakes import FakeWorker

QUESTION = {"question": "Who keeps the lamp?", "answers": [{"text": "Tobiah Renwick"}]}
PASSAGE = {
    "context": "The lamp of Orrskerry is kept by Tobiah Renwick. It was lit in 1911 with winter kale.",
    "qas": [QUESTION],
}


def test_only_lines_of_these_settings_are_in_the_table(tmp_path: Path) -> None:
    (tmp_path / "squad").mkdir()
    data = {"data": [{"title": "Harbour", "paragraphs": [PASSAGE]}]}
    (tmp_path / "squad" / "val_choose.json").write_text(json.dumps(data), encoding="utf-8")
    experiment = Experiment(tmp_path, "choose", ("gold",), joint=(), grader="rules")
    (task,) = experiment.tasks()
    passage = f"{task.title} {task.id[:8]}"
    lines = [
        Line(key, "gold", passage, ("Tobiah Renwick",), (answer,), 100, 1.0)
        for key, answer in (("these", "Tobiah Renwick"), ("others", "nobody"))
    ]
    file = tmp_path / "learning-00.jsonl"
    file.write_text("".join(json.dumps(asdict(line)) + "\n" for line in lines), encoding="utf-8")
    assert [row["concise"] for row in table(experiment, tmp_path, {"these"})] == [1.0]
    assert [row["concise"] for row in table(experiment, tmp_path, {"others"})] == [0.0]
    assert table(experiment, tmp_path, set()) == []


@pytest.mark.parametrize(
    ("name", "sentences", "gaps"),
    [("question-answer", True, True), ("own-questions", True, False), ("pairs", False, True)],
)
def test_a_method_leaves_out_what_it_says(name: str, sentences: bool, gaps: bool) -> None:
    task = Task("Harbour", PASSAGE["context"])
    (rows,) = METHODS[name](Study(Author(FakeWorker(writes=False))), [task])
    assert any(isinstance(row, str) for row in rows) is sentences
    assert any(BLANK in row.prompt for row in rows if isinstance(row, Sequence)) is gaps


def test_recited_rows_are_asked_for_their_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "squad").mkdir()
    data = {"data": [{"title": "Harbour", "paragraphs": [PASSAGE]}]}
    (tmp_path / "squad" / "val_choose.json").write_text(json.dumps(data), encoding="utf-8")
    worker = FakeWorker(grasps={"Who keeps the lamp?": "Tobiah Renwick"})
    monkeypatch.setattr(learning, "LocalWorker", lambda engine: worker)
    monkeypatch.setattr(learning.Engine, "load", lambda name, dtype: None)
    names = ("base-recited", "recited", "own-pairs")
    experiment = Experiment(tmp_path, "choose", names, joint=(), grader="rules")
    rows = {row["method"]: row for row in run(experiment, tmp_path / "runs")}
    assert [rows[name]["concise"] for name in names[:2]] == [0.0, 1.0]
    recited, pairs = (worker.plans[at].sequences for at in (0, 1))
    assert all(is_recited(row) for row in recited)
    assert not any(is_recited(row) for row in pairs)
    assert rows["recited"]["tokens"] > 0
