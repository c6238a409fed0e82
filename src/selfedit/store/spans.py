"""Ordered lists of whole numbers as short text: `1-49,101,51-100`.

A head of ten thousand commits is noted at every move. Written out in full those notes would grow with the
square of the history; runs of consecutive numbers keep them to a few bytes. Knows nothing of what the numbers
mean.
"""

from __future__ import annotations

from collections.abc import Iterable


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
    numbers: list[int] = []
    for run in text.split(",") if text else []:
        first, _, last = run.partition("-")
        numbers.extend(range(int(first), int(last or first) + 1))
    return numbers


def highest(text: str) -> int:
    """The largest number in a packed list, without unpacking it; 0 for the empty list."""
    return max((int(number) for run in text.split(",") for number in run.split("-") if number), default=0)
