"""`selfedit verify`: whole, or what is wrong and code 1."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from .conftest import Run


def test_a_whole_store(run: Run, commits: list[str]) -> None:
    found = run("verify", "--json")
    assert found.code == 0
    assert set(found.json) == {"ok", "checked", "problems"}
    assert (found.json["ok"], found.json["problems"]) == (True, [])
    assert run("verify").out == f"Whole: {found.json['checked']:,} things checked, each as it was written.\n"


def test_a_changed_text_and_a_lost_adapter_are_found(run: Run, commits: list[str], here: Path) -> None:
    next((here / "memory" / "blobs").rglob("*.safetensors")).unlink()
    with sqlite3.connect("memory/journal.db") as connection:
        connection.execute("update texts set body = x'78' where rowid = (select min(rowid) from texts)")
    connection.close()
    found = run("verify", "--json")
    assert (found.code, found.json["ok"], len(found.json["problems"])) == (1, False, 2)
    shown = run("verify")
    assert shown.code == 1
    assert shown.out.count("\n- ") + shown.out.startswith("- ") == 2
    assert "2 problems among " in shown.out


def test_no_store(run: Run) -> None:
    shown = run("verify")
    assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
