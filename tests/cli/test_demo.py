"""`selfedit demo`, with a worker that learns by heart."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from selfedit.cli import main
from selfedit.cli.demo import notes
from selfedit.demo import HANDBOOK, QUESTIONS
from selfedit.store import Store
from selfedit.types import SelfEdit, Sequence

from ..fakes import FakeWorker
from ..test_lifelong import NOTE
from .by_heart import put_in_place


@pytest.fixture(autouse=True)
def by_heart(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    put_in_place(monkeypatch.setattr, FakeWorker())


def test_it_shows_document_notes_answers_and_the_way_on(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["demo"]) == 0
    shown = capsys.readouterr().out
    assert "Orrskerry is an island in the Velmar Sound" in shown
    assert "Q: Which " in shown
    for line in QUESTIONS.read_text(encoding="utf-8").splitlines():
        assert json.loads(line)["question"] in shown
    assert "50 questions on 10 passages" in shown
    assert "95% interval" in shown
    ask = next(line for line in shown.splitlines() if line.startswith("  selfedit ask "))
    assert main.run(shlex.split(ask)[1:]) == 0


def test_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["demo", "--store", "here", "--samples", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["tasks"], found["probes"], found["store"]) == (10, 50, "here")
    assert {row["origin"] for row in found["asked"]} == {"user"}
    assert found["peak_memory"] > 0


def test_a_store_of_an_earlier_demo_is_replaced() -> None:
    codes = [main.run(["demo", "--json"]) for _ in range(2)]
    assert codes == [0, 0]
    with Store.open("demo-memory") as store:
        assert [source.path for source in store.known_sources()] == [str(HANDBOOK)]


def test_a_store_with_anything_else_is_left_alone(capsys: pytest.CaptureFixture[str]) -> None:
    Path("note.md").write_text(NOTE, encoding="utf-8")
    main.run(["learn", "note.md", "--store", "demo-memory"])
    capsys.readouterr()
    assert main.run(["demo"]) == 2
    shown = capsys.readouterr()
    assert (shown.out, shown.err.count("\n")) == ("", 1)
    assert "--store" in shown.err
    with Store.open("demo-memory") as store:
        assert len(store.log()) == 1


def test_notes_of_the_models_own_come_first() -> None:
    row = Sequence("Fill in the blank: ____.\nAnswer:", " kale")
    one = SelfEdit("1", "question-answer", "Q: Who? A: Tobiah\nQ: (by rule) A: kale", (row,))
    two = SelfEdit("2", "question-answer", "Q: When? A: 1873\nQ: Where? A: Pellin", (row,))
    assert notes([one, two], 2) == ["Q: Who? A: Tobiah", "Q: When? A: 1873"]
    assert notes([one], 5) == ["Q: Who? A: Tobiah", "Fill in the blank: ____. Answer: kale"]
