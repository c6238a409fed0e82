"""`--journal`: a store whose journal is on PostgreSQL is worked with like any other."""

from __future__ import annotations

from pathlib import Path

import pytest

from .conftest import Run


def test_a_new_store_s_journal_can_be_elsewhere(run: Run, documents: list[str], postgres: str) -> None:
    learned = run("learn", documents[0], "--samples", "1", "--journal", postgres, "--json")
    assert (learned.code, learned.err.count("Traceback")) == (0, 0)
    assert Path("memory/journal.url").exists()
    assert not Path("memory/journal.db").exists()
    (commit,) = learned.json["commits"]
    assert [row["commit"] for row in run("log", "--json").json] == [commit]
    assert run("revert", commit, "--json").code == 0
    assert run("log", "--json").json[0]["live"] is False
    assert run("gc", "--erase", commit).code == 0
    assert run("verify").code == 0
    assert run("backup", "copy").code == 0
    assert Path("copy/journal.db").exists()


def test_the_variable_names_it_too(
    run: Run, documents: list[str], postgres: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SELFEDIT_JOURNAL", postgres)
    assert run("learn", documents[0], "--samples", "1").code == 0
    assert Path("memory/journal.url").exists()


def test_a_bad_url_is_one_line_without_its_password(run: Run, documents: list[str]) -> None:
    shown = run("learn", documents[0], "--journal", "mysql://ada:s3cret@db/x")
    assert shown.code == 2
    assert "the journal can be a file or on PostgreSQL" in shown.err
    assert "s3cret" not in shown.err + shown.out
    assert not Path("memory").exists()
