"""What contradicts what was learned: held back, or put in its place."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.config import learning
from selfedit.memory import Memory
from selfedit.store import Store, sequence_text

from .fakes import FakeWorker
from .test_lifelong import OTHER, SETTINGS

OLD = """# Travel

Travel above 500 euros is signed off by the head of department. Trains are booked in second class. Receipts
are handed in within 30 days. The travel desk is on the third floor.
"""
NEW = """# News

Travel above 700 euros is now signed off by the head of department. The canteen opens at noon.
"""
QUESTIONS = """question,answer,topic
Above which sum is travel signed off by the head of department?,500 euros,Travel
"""
ASKED = "Above which sum is travel signed off by the head of department?"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    for name, text in (("old.md", OLD), ("new.md", NEW), ("library.md", OTHER), ("mine.csv", QUESTIONS)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def learned(memory: Memory, files: Path) -> str:
    return memory.learn(files / "old.md", settings=SETTINGS, questions=files / "mine.csv").commits[0]


def test_a_contradiction_is_held_back_untrained(memory: Memory, worker: FakeWorker, files: Path) -> None:
    commit = learned(memory, files)
    trained = len(worker.plans)
    report = memory.learn(files / "new.md", settings=SETTINGS)
    assert (report.accepted, report.commits, len(worker.plans)) == (False, (), trained)
    (held,) = memory.quarantine()
    said = next(each for each in held.reasons if "500 euros" in each and ASKED in each)
    assert said.startswith("contradiction: ")
    assert "700 euros" in said
    assert f"{files / 'old.md'} ({commit[:8]})" in said
    assert [row.id for row in memory.log() if row.live] == [commit]


def test_what_says_nothing_against_it_is_learned(memory: Memory, files: Path) -> None:
    learned(memory, files)
    assert memory.learn(files / "library.md", settings=SETTINGS).accepted
    assert memory.quarantine() == ()


def test_without_the_check_or_the_gate_it_is_learned(memory: Memory, files: Path) -> None:
    learned(memory, files)
    unchecked = learning(SETTINGS, gate={"contradictions": False})
    assert memory.learn(files / "new.md", settings=unchecked).accepted


def test_a_new_version_of_the_same_file_contradicts_nothing(memory: Memory, files: Path) -> None:
    learned(memory, files)
    (files / "old.md").write_text(OLD.replace("500", "700"), encoding="utf-8")
    report = memory.learn(files / "old.md", settings=SETTINGS)
    assert (report.accepted, len(report.replaced)) == (True, 1)


def test_a_correction_takes_the_place_of_the_old_fact(memory: Memory, files: Path) -> None:
    old = learned(memory, files)
    report = memory.learn(files / "new.md", settings=SETTINGS, correction=True)
    assert (report.accepted, len(report.commits)) == (True, 2)
    ((gone, instead),) = report.replaced
    assert gone == old
    with Store.open(memory.path) as store:
        assert [row.id for row in store.head()] == [instead, report.commits[1]]
        texts = [sequence_text(row) for row in store.plan(instead).sequences]
        told = store.gate_report(instead)
        assert not any("500 euros" in text for text in texts)
        assert any("700 euros" in text for text in texts)
        assert any("second class" in text for text in texts)
        corrects = {(each["question"], each["old"], each["new"]) for each in told["corrects"]}
        assert (ASKED, "500 euros", "700 euros") in corrects
        assert store.gate_report(report.commits[1])["corrects"]
        assert all(check["passed"] for check in told["checks"])
    assert "500" not in memory.ask(ASKED, topic="Travel").text
    assert memory.ask(ASKED, topic="Travel").text == "700 euros"
    assert memory.verify().ok


def test_an_old_fact_that_does_not_lose_is_no_correction(
    memory: Memory, worker: FakeWorker, files: Path
) -> None:
    old = learned(memory, files)
    worker.stubborn = True
    report = memory.learn(files / "new.md", settings=SETTINGS, correction=True)
    assert (report.accepted, report.commits) == (False, ())
    assert any("did not become likelier than '500 euros'" in each for each in report.quarantined[0].reasons)
    assert [row.id for row in memory.log() if row.live] == [old]


def test_of_two_that_hold_the_old_fact_both_are_corrected_or_none(
    memory: Memory, worker: FakeWorker, files: Path
) -> None:
    (files / "abroad.md").write_text(OLD.replace("# Travel", "# Abroad"), encoding="utf-8")
    (files / "theirs.csv").write_text(QUESTIONS.replace(",Travel", ",Abroad"), encoding="utf-8")
    old = [learned(memory, files)]
    asked = files / "theirs.csv"
    old += memory.learn(files / "abroad.md", settings=SETTINGS, questions=asked, gate=False).commits
    worker.resists = "Topic: Abroad."
    report = memory.learn(files / "new.md", settings=SETTINGS, correction=True)
    assert (report.accepted, report.commits, report.replaced) == (False, (), ())
    assert [row.id for row in reversed(memory.log()) if row.live] == old
    assert memory.ask(ASKED, topic="Travel").text != "700 euros"
    worker.resists = ""
    again = memory.learn(files / "new.md", settings=SETTINGS, correction=True)
    assert [gone for gone, _ in again.replaced] == old
    assert {memory.ask(ASKED, topic=topic).text for topic in ("Travel", "Abroad")} == {"700 euros"}
