"""The table of a stream by a worker that learns by heart: what is trained, on what, and how often."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from selfedit.errors import UsageError
from selfedit.store import Store
from selfedit.streaming import StreamRow

from ..evaluating.conftest import PLACES
from ..fakes import FakeWorker
from .conftest import SMALL, Streamed


def learner() -> FakeWorker:
    """It answers people's questions once it has learned a row with their answer; later rows drown nothing."""
    grasps: dict[str, str] = {}
    for at, name in enumerate(PLACES):
        for question, answer in (
            (f"Who keeps the lamp of {name}?", f"Keeper {name}son"),
            (f"When was the lamp of {name} lit?", str(1800 + at)),
        ):
            grasps[f"Topic: {name}. {question}"] = answer
    return FakeWorker(grasps=grasps)


def only(text: str, *names: str) -> str:
    """The recipe with these of its methods."""
    lines = [line for line in text.splitlines() if "- {name:" not in line or line.split()[2][:-1] in names]
    return "\n".join(lines).replace("{name: naive}", "{name: naive, retention: {strategies: [naive]}}")


def by_name(rows: tuple[StreamRow, ...]) -> dict[str, StreamRow]:
    return {row.method: row for row in rows}


def test_every_method_stands_beside_the_base_and_the_ceiling(streamed: Streamed) -> None:
    rows = streamed(learner()).rows
    assert [row.method for row in rows] == ["base", "naive", "replay", "router", "joint"]
    assert {(row.sequences, row.documents, row.questions) for row in rows} == {(2, 3, 12)}
    for row in rows[1:]:
        assert row.after_last["concise"].value == pytest.approx(1.0)
        assert row.against_base["concise"].value == pytest.approx(1.0)
        assert row.never_edited["concise"].value == 0.0
    assert all(row.kept["concise"].value == 1.0 for row in rows[1:4])
    assert rows[0].just_learned == rows[4].just_learned == {}


def test_forgetting_shows_in_the_matrix(streamed: Streamed) -> None:
    worker = learner()
    worker.amnesia = True
    rows = by_name(streamed(worker, SMALL.replace("canaries: 4", "accuracy: all")).rows)
    assert rows["naive"].matrix["concise"] == ((1.0, None, None), (0.0, 1.0, None), (0.0, 0.0, 1.0))
    assert rows["naive"].average["concise"] == pytest.approx((1.0, 0.5, 1 / 3))
    assert rows["naive"].kept["concise"].value == pytest.approx(1 / 3)
    assert rows["naive"].backward["concise"].value == -1.0
    assert rows["router"].kept["concise"].value == 1.0
    assert rows["router"].against_first["concise"].value == pytest.approx(2 / 3)


def test_self_edits_and_first_adapters_are_made_once_for_all_methods(streamed: Streamed) -> None:
    worker = learner()
    streamed(worker)
    plans = [plan for plan in worker.plans if plan.head is None]
    first = {plan.id for plan in plans}
    assert len(plans) == len(first) == 2 * (3 + 1), "three documents, and all of them together"
    prompts = [each.prompt for each in worker.asked if str(each.prompt).endswith("\nQuestion:")]
    assert len(prompts) == len(set(prompts))


def test_replay_trains_on_earlier_rows_and_naive_does_not(streamed: Streamed) -> None:
    worker = learner()
    table = by_name(streamed(worker, sequences=1).rows)
    second = [plan for plan in worker.plans if plan.head and len(plan.head.adapters) == 1]
    naive, replay = sorted(second, key=lambda plan: len(plan.sequences))
    assert set(naive.sequences) < set(replay.sequences)
    assert table["replay"].tokens > table["naive"].tokens == table["router"].tokens


def test_a_method_may_be_added_later_and_nothing_is_done_twice(streamed: Streamed) -> None:
    worker = learner()
    streamed(worker, only(SMALL, "naive"), "memory")
    trained, asked = len(worker.plans), len(worker.asked)
    rows = streamed(worker, methods=("router",)).rows
    assert [row.method for row in rows] == ["base", "naive", "router", "joint"]
    assert len(worker.plans) == trained + 2 * 3
    assert all(plan.head is None for plan in worker.plans[trained:])
    again = len(worker.plans), len(worker.asked)
    assert streamed(worker, methods=("router",)).rows == rows
    assert (len(worker.plans), len(worker.asked)) == again
    assert asked < again[1]


def test_more_sequences_go_on_from_fewer(streamed: Streamed) -> None:
    worker, whole = learner(), learner()
    streamed(worker, sequences=1)
    before = len(worker.plans)
    found = streamed(worker).rows
    wanted = streamed(whole, place="whole").rows
    assert timeless(found) == timeless(wanted)
    assert len(worker.plans) == 2 * before == len(whole.plans)


def timeless(rows: tuple[StreamRow, ...]) -> list[StreamRow]:
    return [replace(row, seconds=0, writing=0) for row in rows]


def test_without_accuracy_no_document_is_asked_about_in_words(streamed: Streamed) -> None:
    worker = learner()
    rows = by_name(streamed(worker, SMALL.replace("canaries: 4", "canaries: 0\naccuracy: off")).rows)
    said = [str(each.prompt) for each in worker.asked]
    assert said
    assert not [prompt for prompt in said if "keeps the lamp of" in prompt]
    naive = rows["naive"]
    assert naive.after_last["concise"].value is None
    assert naive.after_last["logprob"].value is not None
    assert naive.canaries is None
    assert all(value is not None for row in naive.matrix["logprob"] for value in row)


def test_likelihoods_may_be_taken_at_the_ends_alone(streamed: Streamed) -> None:
    every, few = learner(), learner()
    whole = by_name(streamed(every, place="whole").rows)
    ends = by_name(streamed(few, SMALL.replace("canaries: 4", "canaries: 4\nlikelihood: ends")).rows)
    for name in ("naive", "replay", "router", "joint"):
        for figure in ("just_learned", "after_last", "kept", "backward", "against_base"):
            assert getattr(ends[name], figure) == getattr(whole[name], figure), (name, figure)
    naive = ends["naive"]
    assert [[x is not None for x in row] for row in naive.matrix["logprob"]] == [
        [True, False, False],
        [False, True, False],
        [True, True, True],
    ]
    assert naive.forward["logprob"].value is None
    assert whole["naive"].forward["logprob"].value is not None
    assert len(few.scored) < len(every.scored)


def test_training_that_fails_leaves_the_model_as_it_was(streamed: Streamed) -> None:
    worker = learner()
    worker.unteachable = True
    rows = by_name(streamed(worker).rows)
    assert {rows[name].failures for name in ("naive", "replay", "router")} == {6}
    assert rows["joint"].failures == 2
    assert rows["naive"].after_last["concise"].value == 0.0
    assert rows["naive"].bytes == 0


def test_canaries_that_the_base_knows_are_asked_again(streamed: Streamed, tmp_path: Path) -> None:
    from selfedit.recipes import parse_stream
    from selfedit.streaming.drawing import some_canaries

    canaries = some_canaries(parse_stream(SMALL, "x"))
    worker = learner()
    known = [0, 2]
    worker.knows = {
        canaries.prompts[at].removesuffix("\nAnswer:"): canaries.probes[at].answer for at in known
    }
    rows = by_name(streamed(worker).rows)
    for name in ("naive", "router", "joint"):
        found = rows[name].canaries
        assert found is not None
        assert (found.n, found.right.value) == (4, 1.0)
        assert found.logprob.value is not None
    worker.amnesia = True
    drowned = by_name(streamed(worker, place="other").rows)["naive"].canaries
    assert drowned is not None
    assert drowned.right.value == 0.0


def test_the_table_is_kept_for_whoever_looks_at_it_later(streamed: Streamed, tmp_path: Path) -> None:
    worker = learner()
    streamed(worker)
    streamed(worker)
    with Store.open(tmp_path / "memory") as store:
        (held,) = store.reports("stream")
    assert [row["method"] for row in held.value["rows"]] == ["base", "naive", "replay", "router", "joint"]
    assert [len(titles) for titles in held.value["titles"]] == [3, 3]


def test_an_unknown_method_is_refused_before_anything_is_loaded(streamed: Streamed) -> None:
    with pytest.raises(
        UsageError, match="'novel': no such method; choose among naive, replay, router, joint"
    ):
        streamed(FakeWorker(), methods=("novel",))
