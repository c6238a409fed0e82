"""The largest scale of an adapter that passes: less of what is new, where all of it disturbs too much."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from selfedit.config.retention import Bisection, Retention
from selfedit.retain.past import Course, Past


def bisection(past: Past, course: Course, settings: Retention) -> Course:
    """Asks for the search. Where nothing was learned before, there is nothing to be gentle with."""
    return replace(course, bisected=bool(past.learned))


def largest_scale(passes: Callable[[float], bool], settings: Bisection) -> float | None:
    """The largest scale, up to 1, that passes; None where none does.

    By bisection between 0, which changes nothing, and 1: exact to 2^(1 - tries) where smaller scales pass
    whenever larger ones do, and else some scale that passes. The whole adapter is asked about first, and
    nothing below the least.
    """
    if passes(1.0):
        return 1.0
    low, high = 0.0, 1.0
    for _ in range(settings.tries - 1):
        middle = (low + high) / 2
        if middle < settings.least:
            break
        if passes(middle):
            low = middle
        else:
            high = middle
    return low or None
