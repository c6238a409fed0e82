"""Figures and times as the page has them. Knows nothing of HTML."""

from __future__ import annotations

from collections.abc import Sequence as Items
from datetime import UTC, datetime

NONE = "–"
"""Stands where there is no figure."""


def share(value: float | None) -> str:
    """A fraction."""
    return NONE if value is None else f"{value:.2f}"


def figure(value: float | None) -> str:
    """A reward, which may have any size."""
    return NONE if value is None else minus(f"{value:.3f}" if abs(value) < 100 else f"{value:.0f}")


def signed(value: float | None) -> str:
    """A difference."""
    return NONE if value is None else minus(f"{value:+.2f}")


def signed_reward(value: float | None) -> str:
    """A difference of rewards."""
    return NONE if value is None else minus(f"{value:+.3f}")


def interval(ci95: Items[float] | None, *, sign: bool = False, digits: int = 2) -> str:
    """A 95% interval."""
    if not ci95:
        return ""
    return minus(" to ".join(f"{value:{'+' if sign else ''}.{digits}f}" for value in ci95))


def minus(text: str) -> str:
    """With the sign that is as wide as a plus."""
    return text.replace("-", "−")


def span(seconds: float | None) -> str:
    """A time that something took."""
    if seconds is None:
        return NONE
    if seconds < 120:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def when(time: str | datetime) -> str:
    """A moment, in UTC, so that a page says the same wherever it is written."""
    held = datetime.fromisoformat(time) if isinstance(time, str) else time
    return held.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def count(number: int, noun: str, many: str = "") -> str:
    """`1 passage`, `2 passages`."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def clipped(text: str, width: int) -> str:
    """`text` on one line of at most `width` characters; of what is too long the middle goes."""
    flat = " ".join(text.split())
    half = (width - 1) // 2
    return flat if len(flat) <= width else f"{flat[: width - 1 - half]}…{flat[-half:]}"


def beginning(text: str, width: int) -> str:
    """The first words of `text`, on one line of at most `width` characters."""
    flat = " ".join(text[: 4 * width].split())
    return flat if len(flat) <= width else f"{flat[: width - 1].rstrip()}…"


def listed(words: Items[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
