"""Abilities are measured through whoever is asked, on fair samples, with intervals."""

from __future__ import annotations

from collections import Counter

import pytest

from selfedit.abilities import (
    Query,
    answered,
    asker,
    changed,
    drift,
    fair_sample,
    fluency,
    invention,
    queries,
    scorer,
)
from selfedit.canaries import SHOWN, canaries, demonstrated, general, unknowns
from selfedit.edits.questions import ask_prompt
from selfedit.rewards import wilson
from selfedit.types import Probe, Score, ScoreRequest

from ..fakes import FakeWorker

GOLD = {canary.probe.id: canary.answer for canary in canaries()}
ALL = set(GOLD)


def knowing(wrong: set[str]):
    """Answers every canary right but some."""
    return lambda asked: [
        "something else entirely" if each.probe.id in wrong else GOLD.get(each.probe.id, "I don't know.")
        for each in asked
    ]


def test_answered_names_those_that_are_right() -> None:
    wrong = set(list(GOLD)[::3])
    assert set(answered(canaries(), knowing(wrong))) == ALL - wrong
    assert answered(canaries(), lambda asked: [""] * len(asked)) == ()


def test_drift_asks_again_what_was_known() -> None:
    known = set(list(GOLD)[:100])
    assert drift(known, knowing(set()), 60).share == 1.0
    found = drift(known, knowing(set(list(GOLD)[:50])), 1000)
    assert (found.asked, found.kept, found.share) == (100, 50, 0.5)
    assert found.ci95 == wilson(50, 100)
    nothing = drift({"no such id"}, knowing(set()), 60)
    assert (nothing.asked, nothing.share, nothing.ci95) == (0, None, None)


def test_one_seed_draws_one_sample() -> None:
    assert fair_sample(canaries(), 50, 3) == fair_sample(canaries(), 50, 3)
    assert fair_sample(canaries(), 50, 3) != fair_sample(canaries(), 50, 4)
    assert len(set(fair_sample(canaries(), 50))) == 50
    assert set(fair_sample(canaries(), 10_000)) == set(canaries())
    assert fair_sample(canaries(), 0) == ()


@pytest.mark.parametrize("size", [40, 100, 200])
def test_a_sample_is_fair_to_kinds(size: int) -> None:
    whole = Counter(canary.kind for canary in canaries())
    drawn = Counter(canary.kind for canary in fair_sample(canaries(), size))
    for kind, count in whole.items():
        assert abs(drawn[kind] - count * size / len(canaries())) <= 1.5


def test_canaries_are_asked_after_answers_of_their_kind() -> None:
    canary = canaries()[0]
    (query,) = queries([canary])
    shown = query.prompt.removesuffix(canary.prompt)
    assert query.prompt == demonstrated(canary, canaries()) != canary.prompt
    assert shown.count("\nAnswer: ") == SHOWN
    kin = [each for each in canaries() if f"{each.prompt} {each.answer}\n\n" in shown]
    assert len(kin) == SHOWN
    assert all(each.kind == canary.kind and each.answer != canary.answer for each in kin)


def test_probes_are_asked_as_ever() -> None:
    probe = Probe("Who built it?", "Quill", "The mill")
    assert queries([probe]) == [Query(probe, ask_prompt("Who built it?", "The mill"))]


def test_asker_asks_whom_the_route_names() -> None:
    worker = FakeWorker(knows={"Who?": "Ada"})
    asked = [Query(Probe(text, ""), ask_prompt(text)) for text in ("Who?", "When?")]
    assert asker(worker)(asked)[0] == "Ada"
    routed: list[str] = []

    def route(probe: Probe):
        routed.append(probe.question)
        return None, None

    asker(worker, route, tokens=5)(asked)
    assert routed == ["Who?", "When?"]
    assert worker.asked[-1].max_tokens == 5
    assert worker.asked[-1].stop == ("\n",)


def test_invention_counts_statements() -> None:
    probes = [unknown.probe for unknown in unknowns()]
    says = ["", "I don't know.", "Bilmiyorum.", "In 1912."]
    found = invention(probes, lambda asked: [says[at % 4] for at in range(len(asked))])
    assert (found.asked, found.invented) == (len(probes), len(probes) // 4)
    assert found.ci95 == wilson(len(probes) // 4, len(probes))
    assert invention([], lambda asked: []).share is None


def test_fluency_is_a_mean_over_texts_and_its_change_is_paired() -> None:
    def score(requests: list[ScoreRequest], less: float = 0.0) -> list[Score]:
        return [Score(-2.0 * n - n * less, (-2.0 - less,) * n) for n in range(1, len(requests) + 1)]

    before, after = fluency(general(), score), fluency(general(), lambda requests: score(requests, 0.5))
    assert before.mean == pytest.approx(-2)
    change, interval = changed(before, after)
    assert change == pytest.approx(-0.5)
    assert interval == pytest.approx((-0.5, -0.5))


def test_scorer_scores_who_is_named() -> None:
    seen: list[ScoreRequest] = []

    class Scores:
        def score(self, requests: list[ScoreRequest]) -> list[Score]:
            seen.extend(requests)
            return [Score(-1.0, (-1.0,))] * len(requests)

    fluency(general(), scorer(Scores(), adapter="an adapter"))
    assert {request.adapter for request in seen} == {"an adapter"}
    assert [request.prompt + request.completion for request in seen] == [text.text for text in general()]
