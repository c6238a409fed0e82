"""`selfedit show`: what a commit read and learned, in words."""

from __future__ import annotations

from .conftest import Run


def test_a_person_reads_what_was_learned_and_how_to_take_it_back(run: Run, commits: list[str]) -> None:
    shown = run("show", commits[1][:6])
    assert shown.code == 0
    assert shown.out.startswith(f"commit {commits[1]}\nstate   live\n")
    for words in (
        f"parent  {commits[0][:8]}",
        "library.md (197 B, SHA-256 ",
        "1 passage: Library",
        "  - The Tide Library was founded in 1911 by Isaura Quill.",
        "  - Q: Which ",
        "Asked without the document, before and after:",
        "recall    0.00 → 0.00",
        "settings  format question-answer, samples 1, rank 16, epochs 5, learning rate 0.002, seed 0",
        f"To take it back: selfedit revert {commits[1][:8]}",
    ):
        assert words in shown.out
    assert "more; --all shows them" in shown.out
    every = run("show", commits[1], "--all").out
    assert "more; --all shows them" not in every
    assert every.count("\n  - ") > shown.out.count("\n  - ")


def test_json_has_everything(run: Run, commits: list[str]) -> None:
    found = run("show", commits[0], "--json").json
    assert (found["commit"], found["state"], found["replaced_by"]) == (commits[0], "live", None)
    assert found["passages"][0]["title"] == "Harbour"
    assert {each["role"] for each in found["probes"]} == {"choose", "report"}
    assert {"question", "gold", "before", "after"} <= set(found["probes"][0])
    assert found["gate"]["accepted"]
    assert found["gate"]["checks"][0]["name"] == "own"
    assert found["proof"] is None
    assert found["undo"].startswith("selfedit revert ")


def test_a_commit_that_was_taken_out_shows_the_proof(run: Run, commits: list[str]) -> None:
    run("revert", commits[0], "--now")
    shown = run("show", commits[0]).out
    assert "state   reverted\n" in shown
    assert "Proof that it is out of the model:" in shown
    assert "questions are answered rightly as often as before it was learned." in shown
    assert "To take it back" not in shown
    assert run("show", commits[0], "--json").json["proof"]["back"] is True


def test_a_commit_that_took_anothers_place_names_it(run: Run, commits: list[str]) -> None:
    run("revert", commits[0], "--now")
    newest = run("log", "--json").json[0]
    assert f"replaces  {newest['replaces'][:8]}" in run("show", newest["commit"]).out
    assert f"replaced by {newest['commit'][:8]}" in run("show", newest["replaces"]).out


def test_an_erased_commit_has_its_figures_left(run: Run, commits: list[str]) -> None:
    run("revert", commits[2])
    assert run("gc", "--erase", commits[2]).code == 0
    shown = run("show", commits[2])
    assert shown.code == 0
    assert "Its texts and weights were erased for good" in shown.out
    assert "recall    0.00 → 0.00" in shown.out
    assert "Saturday" not in shown.out


def test_no_such_commit_is_one_line(run: Run, commits: list[str]) -> None:
    for name in ("zzz", ""):
        shown = run("show", name)
        assert (shown.code, shown.out, shown.err.count("\n")) == (2, "", 1)
        assert "`selfedit log` lists them" in shown.err
