"""What is read out of a store: held against the store itself, and against what is gone from it."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from selfedit.report import commits
from selfedit.report.gathering import gather
from selfedit.report.page import render
from selfedit.report.teaching import taught
from selfedit.rewards import bootstrap_interval
from selfedit.store import Store
from selfedit.types import Sequence

from .conftest import ROWS


def test_rounds_in_figures(whole: Path) -> None:
    with Store.open(whole) as store:
        found = gather(store)
        (run,) = store.runs()
        record = store.rounds(run.id)[0].record
    first = found.runs[0].rounds[0]
    tried = [each for each in record["tried"] if each["rewards"]]
    means = {each["edit"]: sum(each["rewards"]) / len(each["rewards"]) for each in tried}
    by_passage: dict[str, list[float]] = {}
    for each in tried:
        by_passage.setdefault(each["task"], []).append(means[each["edit"]])
    assert first.reward.value == pytest.approx(
        sum(sum(mine) / len(mine) for mine in by_passage.values()) / len(by_passage)
    )
    assert first.reward.ci95 == bootstrap_interval(by_passage, seed=0)
    assert sorted(first.values) == sorted(means.values())
    assert len(first.values_kept) == record["kept"]
    assert sum(form.written for form in first.formats) == len(record["tried"])
    assert first.told["choice"]["edits"] > 0


def test_passages_of_rounds_have_every_edit_with_its_text(whole: Path) -> None:
    with Store.open(whole) as store:
        found = gather(store)
    edits = [edit for each in found.tried for tries in each.tries for edit in tries.edits]
    assert len(edits) == sum(each.told["edits"] for each in found.runs[0].rounds)
    assert all(edit.text for edit in edits)
    assert all(len(edit.held_out) == 1 for edit in edits if edit.rewards)
    pairs = next(edit for edit in edits if edit.format == "question-answer")
    assert all(prompt.endswith("Answer:") for prompt, _ in pairs.taught.rows)
    assert pairs.taught.own > 0
    assert all(each.passage and each.questions for each in found.tried)


def test_answers_and_verdicts_give_the_table(whole: Path) -> None:
    with Store.open(whole) as store:
        found = gather(store)
    (table,) = found.tables
    assert [row.method for row in table.rows if row.method in ROWS] == ["base", "passage", "gold"]
    for row in table.rows:
        ways = [way for each in found.asked for way in each.asked[0].ways if way.method == row.method]
        assert len(ways) == row.passages == 8
        means: list[float] = []
        for way in ways:
            said = [one for question in way.answers for one in question]
            assert all(one.correct is not None for one in said)
            means.append(sum(bool(one.correct) for one in said) / len(said))
        assert row.accuracy == pytest.approx(sum(means) / len(means))
        assert sum(way.tokens for way in ways) == row.tokens
    assert {len(way.seeds) for each in found.asked for way in each.asked[0].ways} == {1, 2}


def test_without_runs_db_the_table_stays(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "memory"
    shutil.copytree(whole, place)
    (place / "runs.db").unlink()
    with Store.open(place) as store:
        found = gather(store)
    (table,) = found.tables
    assert table.gone
    assert table.rows[0].accuracy is not None
    assert found.asked == ()
    assert found.tried, "the journal has what rounds tried"


def test_history_is_told_from_the_oldest(whole: Path) -> None:
    with Store.open(whole) as store:
        history, log = gather(store).history, store.log()
    assert history
    assert [each.row.id for each in history.commits] == [row.id for row in reversed(log)]
    assert (history.earlier, history.untold, history.live) == (0, 0, 2)
    assert {each.state for each in history.commits} == {"live"}
    assert all(each.notes for each in history.commits)
    assert {each.role for one in history.commits for each in one.questions} == {"report"}


def test_a_long_history_is_cut_and_says_so(whole: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(whole) as store:
        full = gather(store).history
        monkeypatch.setattr(commits, "TOLD", 1)
        untold = gather(store).history
        monkeypatch.setattr(commits, "SHOWN", 1)
        found = gather(store)
    assert full
    assert untold
    assert found.history
    assert (untold.earlier, untold.untold) == (0, 1)
    assert [bool(each.notes) for each in untold.commits] == [False, True]
    assert (found.history.earlier, found.history.untold, found.history.live) == (1, 0, 2)
    assert found.history.cost == full.cost
    page = render(found, datetime(2026, 1, 1, tzinfo=UTC))
    assert "2 commits, 2 live" in page
    assert "Only the newest of them are shown, 1 of 2." in page


def test_what_was_taken_out_says_how(whole: Path, tmp_path: Path) -> None:
    place = tmp_path / "memory"
    shutil.copytree(whole, place)
    with Store.open(place, write=True) as store:
        store.move_head("revert", [store.head()[1].id])
        history = gather(store).history
    assert history
    assert [each.state for each in history.commits] == ["reverted", "live, awaits retraining"]
    assert all(each.entered for each in history.commits)


def test_an_empty_store(tmp_path: Path) -> None:
    with Store.create(tmp_path / "memory", base="tiny", weights="f" * 64, dtype="float32") as store:
        found = gather(store)
    assert (found.runs, found.tables, found.history, found.asked, found.tried) == ((), (), None, (), ())


def test_what_the_passage_says_itself_is_only_counted() -> None:
    passage = "The lamp was lit in 1801. Osk lit it."
    rows = [
        "Lamp\nThe lamp was lit in 1801.",
        "Lamp\nIt is old.",
        Sequence("Who?", " Osk"),
        f"Lamp\n{passage}",
    ]
    found = taught("Lamp", passage, rows)
    assert found.rows == (("", "It is old."), ("Who?", " Osk"))
    assert found.own == 2


def test_machine_and_versions_stand_by_run_and_table(whole: Path) -> None:
    with Store.open(whole) as store:
        found = gather(store)
        (run,) = store.runs()
    assert set(found.machines) == {f"run {run.id[:8]}", *(f"table {table.id[:8]}" for table in found.tables)}
    assert all("threads: 1" in text and "torch:" in text for text in found.machines.values())
    page = render(found, datetime(2026, 1, 1, tzinfo=UTC))
    assert f"Machine and versions of run {run.id[:8]}" in page
