"""`selfedit sources`: each version of each document once, and where it stands."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.store import Store

from .conftest import Run


def test_a_line_for_each_document(run: Run, commits: list[str]) -> None:
    found = run("sources", "--json").json
    assert [row["path"] for row in found] == ["market.md", "library.md", "harbour.md"]
    assert [row["commit"] for row in found] == commits[::-1]
    assert all(row["live"] and row["state"] == "live" and len(row["sha256"]) == 64 for row in found)
    lines = run("sources").out.splitlines()
    assert lines[0].split() == ["document", "SHA-256", "size", "commit", "when", "state"]
    assert lines[1].split()[:2] == ["market.md", found[0]["sha256"][:12]]


def test_a_version_is_named_with_the_commit_that_holds_it_now(run: Run, commits: list[str]) -> None:
    run("revert", commits[0], "--now")
    found = run("sources", "--json").json
    assert [(row["path"], row["state"]) for row in found] == [
        ("market.md", "live"), ("library.md", "live"), ("harbour.md", "reverted"),
    ]  # fmt: skip
    assert found[0]["commit"] not in commits
    assert found[2]["commit"] == commits[0]


def test_a_changed_file_is_a_version_more(run: Run, commits: list[str], here: Path) -> None:
    with (here / "market.md").open("a", encoding="utf-8") as file:
        file.write("\nThe bell of the arcade is rung by Ottoline Vance.\n")
    assert run("learn", "market.md", "--samples", "1", "--retention", "naive").code == 0
    new, old = (row for row in run("sources", "--json").json if row["path"] == "market.md")
    assert (new["live"], old["live"], old["state"], old["replaced_by"]) == (
        True, False, "replaced", new["commit"],
    )  # fmt: skip


def test_two_files_of_one_name_are_told_apart(
    run: Run, commits: list[str], here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = here / "other"
    place.mkdir()
    (place / "market.md").write_text("# Quay\n\nThe quay was built by Ottoline Vance in 1911.\n", "utf-8")
    (place / "memory").symlink_to(here / "memory")
    monkeypatch.chdir(place)
    assert run("learn", "market.md", "--samples", "1", "--retention", "naive").code == 0
    monkeypatch.chdir(here)
    found = run("sources", "--json").json
    names = [
        str(place / "market.md"),
        *(str(here / f"{each}.md") for each in ("market", "library", "harbour")),
    ]
    assert [row["place"] for row in found] == names
    shown = [line.split()[0] for line in run("sources").out.splitlines()[1:]]
    assert shown == [*names[:2], "library.md", "harbour.md"]


def test_nothing_learned(run: Run) -> None:
    Store.create("memory", base="fake", weights="f" * 64, dtype="float32").close()
    assert run("sources").out.startswith("No document has been learned yet. To begin: selfedit learn FILE")
    assert run("sources", "--json").json == []
