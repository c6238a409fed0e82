"""Ordered lists of whole numbers as short text: `1-49,101,51-100`.

A head of ten thousand commits is noted at every move. Written out in full those notes would grow with the
square of the history; runs of consecutive numbers keep them to a few bytes. Knows nothing of what the numbers
mean.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import final


def pack(numbers: Iterable[int]) -> str:
    """Text for `numbers` (each ≥ 0), order kept; the empty list is the empty text."""
    runs: list[list[int]] = []
    for number in numbers:
        if runs and number == runs[-1][1] + 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in runs)


def unpack(text: str) -> list[int]:
    """The inverse of `pack`. Raises ValueError on any other text."""
    return [number for first, last in runs(text) for number in range(first, last + 1)]


def runs(text: str) -> Iterator[tuple[int, int]]:
    """The runs of a packed list, each as its first and last number."""
    for run in text.split(",") if text else []:
        first, _, last = run.partition("-")
        yield int(first), int(last or first)


def highest(text: str) -> int:
    """The largest number in a packed list, without unpacking it; 0 for the empty list."""
    return max((int(number) for run in text.split(",") for number in run.split("-") if number), default=0)


def holds(text: str, number: int) -> bool:
    """Is `number` in the packed list?"""
    return any(first <= number <= last for first, last in runs(text))


@final
class Numbers:
    """A growing set of numbers that tells at once whether it holds all of a run."""

    def __init__(self) -> None:
        self._after: dict[int, int] = {}
        """A number of the set → a later one, with none missing between them."""

    def add(self, number: int) -> None:
        self._after.setdefault(number, number + 1)

    def hold(self, first: int, last: int) -> bool:
        """Are all numbers from `first` to `last` in the set?"""
        seen, at = list[int](), first
        while at <= last and at in self._after:
            seen.append(at)
            at = self._after[at]
        for each in seen:
            self._after[each] = at
        return at > last
