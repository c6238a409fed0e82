"""`selfedit backup`: a store like any other, made while another process writes."""

from __future__ import annotations

from pathlib import Path

from selfedit.store import Store

from .conftest import Run


def test_the_copy_is_a_store(run: Run, commits: list[str]) -> None:
    with Store.open("memory", write=True, verb="learn"):
        shown = run("backup", "copy")
    assert (shown.code, shown.err) == (0, "")
    assert "copy: 3 adapters, " in shown.out
    with Store.open("copy") as copy:
        assert copy.verify().ok
        assert [row.id for row in copy.head()] == commits


def test_json_and_a_place_that_is_taken(run: Run, commits: list[str], here: Path) -> None:
    assert set(run("backup", "copy", "--json").json) >= {"path", "blobs", "bytes"}
    for place in ("copy", "harbour.md"):
        shown = run("backup", place)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
