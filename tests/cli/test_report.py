"""`selfedit report`: the page and its document; what it never overwrites; what is refused, in one line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from selfedit.store import Store

from .conftest import Run


@pytest.fixture
def store(here: Path) -> Path:
    Store.create("memory", base="tiny", weights="f" * 64, dtype="float32").close()
    return here


def test_a_page_of_what_was_learned(run: Run, commits: list[str], here: Path) -> None:
    ended = run("report", "--json")
    page = (here / "report.html").read_text(encoding="utf-8")
    assert ended.code == 0
    assert ended.json == {
        "page": "report.html",
        "sections": ["history", "cost", "settings"],
        "bytes": len(page.encode()),
    }
    assert all(commit[:8] in page for commit in commits)
    assert "harbour.md" in page
    assert "It has no rounds (selfedit train) and table (selfedit eval)." in page


def test_people_are_told_what_there_is(run: Run, store: Path) -> None:
    ended = run("report", "--out", "pages.html")
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(
        "Nothing has been learned or measured in this store yet.\nThe page: pages.html ("
    )


def test_our_own_page_is_replaced_and_nothing_else(run: Run, store: Path) -> None:
    page = store / "report.html"
    assert run("report").code == 0
    assert run("report").code == 0
    page.write_text("my notes", encoding="utf-8")
    refused = run("report", "--json")
    assert (refused.code, refused.out) == (2, "")
    assert refused.err == (
        "selfedit: report.html: a file that selfedit report did not write; "
        "choose another place with --out, or --force\n"
    )
    assert page.read_text(encoding="utf-8") == "my notes"
    assert run("report", "--force").code == 0
    assert page.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert [path.name for path in store.glob(".report*")] == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--out", "no/such/place.html"], "no/such/place.html: no such folder; make it first"),
        (["--out", "memory/report.html"], "memory/report.html: inside the store, which has its own files"),
        (["--out", "x" * 300], "cannot be written (File name too long); choose another place with --out"),
        (["--out", "/proc/report.html"], "/proc/report.html: cannot be written ("),
        (["--out", "."], ".: not a plain file; name the page to write"),
    ],
)
def test_a_place_that_cannot_be(run: Run, store: Path, arguments: list[str], said: str) -> None:
    ended = run("report", *arguments)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_no_store_is_one_line(run: Run, here: Path) -> None:
    ended = run("report")
    assert (ended.code, ended.out) == (2, "")
    assert "memory: no such store" in ended.err
    assert not (here / "report.html").exists()


def test_a_page_needs_no_engine_and_changes_nothing(store: Path) -> None:
    before = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    code = (
        "import sys; from selfedit.cli.main import run; code = run(['report', '--store', 'memory']); "
        "assert not {'torch', 'transformers', 'peft'} & set(sys.modules); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=store)
    assert done.returncode == 0, done.stderr
    after = {path: path.read_bytes() for path in store.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    assert [path.name for path in after.keys() - before.keys()] == ["report.html"]
