"""A stream whose documents are learned by heart: every step is asked by saying a sentence and reading it."""

from __future__ import annotations

import pytest

from selfedit.edits.recitation import CUE, is_recited
from selfedit.errors import UsageError
from selfedit.recipes import parse_stream

from ..evaluating.conftest import PLACES
from ..fakes import FakeWorker
from .conftest import SMALL, Streamed
from .test_measuring import by_name

BY_HEART = SMALL.replace("{spans: 4}", "{spans: 4, recite: true, hints: 1}")


def worker() -> FakeWorker:
    """It knows, with the right sentence in view, who keeps a lamp."""
    return FakeWorker(grasps={f"Who keeps the lamp of {name}?": f"Keeper {name}son" for name in PLACES})


def test_documents_are_said_and_read(streamed: Streamed) -> None:
    made = worker()
    rows = by_name(streamed(made, BY_HEART).rows)
    assert all(is_recited(each) for plan in made.plans for each in plan.sequences)
    assert rows["base"].after_last["concise"].value == 0
    for name in ("naive", "replay", "router", "joint"):
        assert rows[name].after_last["concise"].value == 0.5, "half of the questions are of keepers"
    taught = [each for each in made.asked if each.adapter or each.head]
    asked = [each.prompt for each in taught if "lamp of" in str(each.prompt).rpartition("\n\n")[2]]
    assert any(prompt.endswith(CUE) for prompt in asked)


def test_what_is_read_twice_is_said_once(streamed: Streamed) -> None:
    made = worker()
    streamed(made, BY_HEART, methods=("naive",))
    said = [
        (each.prompt, each.seed, each.temperature, each.adapter, each.head)
        for each in made.asked
        if str(each.prompt).endswith(CUE)
    ]
    assert len(said) == len(set(said))


def test_what_is_read_is_not_what_is_answered_at_once(streamed: Streamed) -> None:
    streamed(worker(), SMALL)
    later = worker()
    streamed(later, BY_HEART)
    assert len(later.plans) == 2 * (3 + 2 + 2 + 1), "the first document is the same for all methods"
    idle = worker()
    streamed(idle, BY_HEART)
    assert not idle.plans
    assert not idle.asked


def test_a_stream_that_does_not_recite_is_what_it_was() -> None:
    plain, said = parse_stream(SMALL, "a.yaml"), parse_stream(BY_HEART, "b.yaml")
    assert plain.id != said.id
    assert parse_stream(SMALL.replace("{spans: 4}", "{spans: 4, hints: 9}"), "c.yaml").id == plain.id


def test_other_formats_cannot_be_recited() -> None:
    with pytest.raises(UsageError, match=r"write\.recite: needs write\.format question-answer"):
        parse_stream(SMALL.replace("{spans: 4}", "{format: rewrite, recite: true}"), "mine.yaml")
