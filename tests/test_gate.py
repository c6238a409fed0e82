"""The gate: each test at its limit, and what it says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.config import Gate
from selfedit.gate import Change, Correction, Evidence, Share, Verdict, pass_gate

LIMITS = Gate()


def verdict(**found: object) -> Verdict:
    return pass_gate(Evidence(**found), LIMITS)  # type: ignore[arg-type]


def own(before: float, after: float, lost: int, gained: int, likelier: float = 1.0) -> Verdict:
    return verdict(
        answers=("an answer",),
        recall=Change(before, after),
        swayed=(lost, gained),
        logprob=Change(-3.0, -3.0 + likelier),
    )


@pytest.mark.parametrize(
    ("found", "accepted"),
    [
        (own(0.0, 0.4, 0, 4), True),
        (own(0.0, 0.4, 0, 4, likelier=-1.0), True),
        (own(0.0, 0.0, 0, 0), True),
        (own(0.0, 0.0, 0, 0, likelier=0.0), False),
        (own(1.0, 1.0, 0, 0, likelier=-1.0), True),
        (own(1.0, 0.0, 1, 0), True),
        (own(1.0, 0.0, 1, 0, likelier=-0.1), False),
        (own(1.0, 0.0, 4, 0), True),
        (own(1.0, 0.0, 5, 0), False),
        (own(0.6, 0.5, 6, 5), True),
        (own(0.9, 0.2, 12, 3), False),
    ],
)
def test_its_own_questions(found: Verdict, accepted: bool) -> None:
    assert found.accepted is accepted


def test_silence_is_refused() -> None:
    found = verdict(answers=("", ""), recall=Change(0.0, 0.0), logprob=Change(-3.0, -1.0))
    assert found.reason == "after training every answer is empty"


@pytest.mark.parametrize(
    ("good", "total", "accepted"),
    [
        (0, 0, True),
        (1, 1, True),
        (0, 1, False),
        (19, 20, True),
        (18, 20, True),
        (17, 20, False),
        (91, 100, True),
        (90, 100, False),
    ],
)
def test_what_was_right_stays_right_to_the_limit_as_far_as_one_can_tell(
    good: int, total: int, accepted: bool
) -> None:
    for name in ("kept", "ability"):
        found = verdict(**{name: Share(good, total)})
        assert found.accepted is accepted
        assert accepted or f"{good} of {total}" in found.reason


@pytest.mark.parametrize(("lost", "accepted"), [(-0.5, True), (0.09, True), (0.11, False)])
def test_general_texts_stay_likely(lost: float, accepted: bool) -> None:
    assert verdict(fluency=Change(-2.0, -2.0 - lost)).accepted is accepted


@pytest.mark.parametrize(("more", "accepted"), [(0, True), (6, True), (7, False)])
def test_few_more_answers_are_invented(more: int, accepted: bool) -> None:
    assert verdict(invention=Share(more, 68)).accepted is accepted


@pytest.mark.parametrize(("new", "accepted"), [(-1.0, True), (-2.0, False), (-3.0, False)])
def test_what_is_corrected_loses(new: float, accepted: bool) -> None:
    found = verdict(corrected=(Correction("How much?", "500", "700", -2.0, new),))
    assert found.accepted is accepted
    assert "'700'" in found.reason


def test_only_what_a_smaller_adapter_harms_less_is_tried_at_less() -> None:
    harm, false = Share(0, 20), (Correction("How much?", "500", "700", -1.0, -2.0),)
    assert verdict(kept=harm, ability=harm).gentler_may_pass
    assert not verdict(kept=harm, corrected=false).gentler_may_pass
    assert not verdict(kept=Share(20, 20)).gentler_may_pass


def test_nothing_known_is_accepted_and_said() -> None:
    assert (verdict().accepted, verdict().reason) == (True, "nothing of its own could be tested")


@given(st.integers(0, 50), st.integers(0, 50))
def test_who_keeps_more_passes_where_who_keeps_less_does(good: int, more: int) -> None:
    less = verdict(kept=Share(good, 100)).accepted
    assert verdict(kept=Share(good + more, 100)).accepted >= less


def test_the_report_is_plain_json() -> None:
    found = verdict(kept=Share(1, 20)).as_json()
    assert (found["accepted"], found["scale"], found["checks"][0]["name"]) == (False, 1.0, "earlier")
