"""Graders against verdicts: a small file of our own in the published layout."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from selfedit.bench import grading
from selfedit.errors import DocumentError, UsageError
from selfedit.rewards.local import fitted

PASSAGE = "The lamp of the harbour is kept by Tobiah Renwick. It was lit in 1832 by order of the guild."
ROWS = [
    ("Tobiah Renwick", "Tobiah Renwick", True),
    ("Tobiah Renwick", "It is kept by Tobiah Renwick.", True),
    ("Tobiah Renwick", "Renwick", True),
    ("1832", "In 1832", True),
    ("1832", "1834", False),
    ("Tobiah Renwick", "Anna Osk", False),
    ("the guild", "", False),
]


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Rows of two titles that nothing was fitted on, of one that tuned, and of one that was fitted."""
    held = fitted()
    titles = ["Harbour of Varn", "Lamps", min(held.tuned), min(held.titles - held.tuned)]
    rows = [
        {"title": title, "question": "Who or when?", "answer": gold, "prediction": said, "correct": right}
        for title in titles
        for gold, said, right in ROWS
    ]
    with gzip.open(tmp_path / "grading_verdicts.jsonl.gz", "wt") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    questions = [{"question": "Who keeps the lamp?", "answer": "Tobiah Renwick"}]
    (tmp_path / "squad").mkdir()
    squad = [{"title": "Harbour", "context": PASSAGE, "questions": questions}]
    (tmp_path / "squad" / "val_report.json").write_text(json.dumps(squad))
    return tmp_path


def test_every_grader_is_compared_on_titles_that_nothing_was_fitted_on(data: Path) -> None:
    rows = grading.command(data, "exact,f1,contained,rules,words", None)
    found = {(row["grader"], row["titles"]): row for row in rows if row["kind"] == "agreement"}
    assert {titles for _, titles in found} == {"untouched", "tuning"}
    assert found["exact", "untouched"]["rows"] == 14
    assert found["exact", "untouched"]["groups"] == 2
    assert found["exact", "tuning"]["rows"] == 7
    assert found["exact", "untouched"]["recall"] == pytest.approx(1 / 4)
    assert found["contained", "untouched"]["recall"] == pytest.approx(3 / 4)
    assert found["exact", "untouched"]["precision"] == 1.0


def test_the_controls_stand_beside_it(data: Path) -> None:
    rows = grading.command(data, "rules", None)
    found = {row["control"]: row["accuracy"] for row in rows if row["kind"] == "control"}
    assert found["gold"] == 1.0
    assert found["empty"] == 0.0
    assert set(found) >= {"title", "mismatch", "reciter", "lister"}
    text = grading.markdown(rows)
    assert "| rules | untouched |" in text
    assert "| grader | gold |" in text


def test_a_sample_is_the_same_sample_for_every_grader(data: Path) -> None:
    held = list(grading.by_titles(grading.read_rows(data / "grading_verdicts.jsonl.gz"))["untouched"])
    assert grading.drawn(held, 5) == grading.drawn(held, 5)
    assert len(grading.drawn(held, 5)) == 5
    assert grading.drawn(held, 100) == held


def test_rows_without_a_verdict_or_a_title_are_told(data: Path) -> None:
    with gzip.open(data / "grading_verdicts.jsonl.gz", "wt") as file:
        file.write(json.dumps({"question": "?", "answer": "a", "prediction": "b"}) + "\n")
    with pytest.raises(DocumentError, match="line 1: no verdict or no title"):
        grading.command(data, "rules", None)


def test_bad_words_on_the_command_line() -> None:
    with pytest.raises(UsageError, match="no data"):
        grading.command(None, "", None)
    with pytest.raises(UsageError, match="no grader 'oracle'"):
        grading.command("anywhere", "rules,oracle", None)
