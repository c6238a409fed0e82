"""The largest scale that passes, by few questions."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from selfedit.config.retention import Bisection
from selfedit.retain import largest_scale, planned

from .histories import NEW, past, settings


@given(limit=st.floats(0, 1.2), tries=st.integers(1, 12))
def test_the_largest_that_passes_to_the_promised_width(limit: float, tries: int) -> None:
    asked: list[float] = []

    def passes(scale: float) -> bool:
        asked.append(scale)
        return scale <= limit

    found = largest_scale(passes, Bisection(tries=tries, least=1e-4))
    assert len(asked) <= tries
    assert asked[0] == 1.0
    if limit >= 1:
        assert found == 1.0
        assert asked == [1.0]
    elif found is None:
        assert limit < 2.0 ** (1 - tries) or limit < 2e-4
    else:
        assert found <= limit < found + max(2.0 ** (1 - tries), 2e-4)


def test_nothing_passes() -> None:
    asked: list[float] = []
    assert largest_scale(lambda scale: bool(asked.append(scale)), Bisection(tries=20, least=0.1)) is None
    assert asked == [1.0, 0.5, 0.25, 0.125]


def test_what_comes_back_was_asked_about_and_passed() -> None:
    """Though larger scales pass where smaller ones do not."""
    passing = {0.5: False, 0.25: True, 0.375: False, 0.3125: True, 1.0: False}
    assert largest_scale(passing.__getitem__, Bisection(tries=5)) == 0.3125


@pytest.mark.parametrize("strategy", ["bisection", "naive"])
def test_a_course_says_whether_it_is_asked_for(strategy: str) -> None:
    assert planned(past(), NEW, settings(strategy)).bisected == (strategy == "bisection")
