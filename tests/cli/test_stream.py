"""`selfedit stream`: the table for programs and for people; what is refused, in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from selfedit.store import Store

from ..fakes import FakeWorker
from ..streaming.conftest import SMALL, furnished
from .conftest import Run


@pytest.fixture
def recipe(here: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A recipe's file, beside its data."""
    monkeypatch.setenv("SELFEDIT_DATA", "data")
    furnished(here / "data")
    (here / "small.yaml").write_text(SMALL)
    return "small.yaml"


def test_one_document_with_a_matrix_for_every_method(run: Run, recipe: str, worker: FakeWorker) -> None:
    ended = run("stream", recipe, "--json")
    assert ended.code == 0
    methods = ended.json["methods"]
    assert [each["method"] for each in methods] == ["base", "naive", "replay", "router", "joint"]
    for each in methods:
        assert [len(row) for row in each["matrix"]["logprob"]] == [3, 3, 3]
    assert {"just_learned", "after_last", "kept", "backward", "forward", "bytes", "seconds"} <= set(
        methods[1]
    )
    plans = len(worker.plans)
    assert run("stream", recipe, "--json").out == ended.out
    assert len(worker.plans) == plans


def test_people_see_a_table_and_how_documents_are_found(run: Run, recipe: str) -> None:
    ended = run("stream", recipe, "--methods", "naive,router", "--sequences", "1")
    assert ended.code == 0
    assert "1 sequence of 3 documents, 6 questions" in ended.out
    assert "less naive" in ended.out
    assert "router: the document found by titles" in ended.out
    assert "joint" not in ended.out


def test_where_nothing_could_be_learned_the_code_is_1(run: Run, recipe: str, worker: FakeWorker) -> None:
    worker.unteachable = True
    ended = run("stream", recipe, "--methods", "naive", "--json")
    assert ended.code == 1
    assert ended.json["methods"][1]["failures"] == 6


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nosuch"], "no recipe nosuch; choose among stream-long, stream-screen, stream-smollm2"),
        (["knowledge-smollm2"], "no recipe"),
        (
            ["small.yaml", "--methods", "naiv"],
            "--methods: 'naiv': no such method; choose among naive, replay",
        ),
        (["small.yaml", "--sequences", "3"], "--sequences 3: the recipe has 2; choose at most so many"),
        (["small.yaml", "--data", "elsewhere"], "elsewhere/squad/val_report.json: no such data set"),
        (["many.yaml"], "10 passages with questions, and 2 sequences of 6 take 12; choose fewer"),
    ],
)
def test_bad_input_is_one_line(run: Run, recipe: str, here: Path, arguments: list[str], said: str) -> None:
    (here / "many.yaml").write_text(SMALL.replace("documents: 3", "documents: 6"))
    ended = run("stream", *arguments, "--json")
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err.splitlines()[-1]
    assert not Store.exists(here / "memory")


def test_a_store_on_another_base_is_refused(run: Run, recipe: str, here: Path) -> None:
    run("stream", recipe, "--methods", "base")
    (here / "other.yaml").write_text(f"base: gpt2{SMALL}")
    assert run("stream", "other.yaml").code == 2
    assert run("stream", recipe, "--dtype", "bfloat16").code == 2


def test_who_holds_the_store_is_named(run: Run, recipe: str) -> None:
    run("stream", recipe, "--methods", "base")
    with Store.open("memory", write=True, verb="train"):
        ended = run("stream", recipe, "--no-wait")
    assert ended.code == 2
    assert "train" in ended.err.splitlines()[-1]
