"""Commits, files and figures in the words of a person. Knows nothing of stores, and prints nothing."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items
from datetime import datetime
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Any

from selfedit.cli.output import one_line

if TYPE_CHECKING:
    from selfedit.store import ProbeAnswer, Source

ID = 8
"""So much of an id is shown; commands take as much of it as tells it from the others."""


def short(commit: str) -> str:
    """How a commit is called: the beginning of its id."""
    return commit[:ID]


def listed(commits: Items[str]) -> str:
    """Several commits in a line."""
    return ", ".join(map(short, commits))


def when(time: str) -> str:
    """A time of the journal (ISO 8601) on the clock of the one who reads it."""
    return datetime.fromisoformat(time).astimezone().strftime("%Y-%m-%d %H:%M")


def files(sources: Items[Source]) -> str:
    """What was read, in some words: two files by name, the others by number."""
    names = [source.path for source in sources]
    more = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(names[:2]) + more if names else "nothing from a file"


def share(value: float | None) -> str:
    """A fraction."""
    return "-" if value is None else f"{value:.2f}"


def change(before: float | None, after: float | None, ci95: tuple[float, float] | None = None) -> str:
    """A fraction before and after, with the interval of the second."""
    return f"{share(before)} → {share(after)}{interval(ci95)}"


def interval(ci95: tuple[float, float] | None) -> str:
    """The interval, to be put behind a figure."""
    return f"   95% interval {ci95[0]:.2f} to {ci95[1]:.2f}" if ci95 else ""


def retained(retention: float | None) -> str:
    """What became of the right answers to earlier questions."""
    if retention is None:
        return "no question that was answered rightly before"
    return f"{share(retention)} of what was answered rightly before still is"


def clipped(text: str, width: int = 70) -> str:
    """`text` on one line of at most `width` characters."""
    flat = one_line(text)
    return flat if len(flat) <= width else f"{flat[: width - 1]}…"


def count(number: int, noun: str) -> str:
    """`1 passage`, `2 passages`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def computed(engine: Mapping[str, Any]) -> str:
    """With what an engine worked, and how much at once, as far as its record says."""
    threads = f"{count(engine['threads'], 'thread')}" if "threads" in engine else ""
    rate = f"{engine['gemm_gflops']:.0f} GFLOP/s" if "gemm_gflops" in engine else ""
    slots = f"up to {count(engine['slots'], 'adapter')} at once" if engine.get("slots") else ""
    lines = (*engine.get("reductions", ()), *engine.get("notes", ()))
    said = (f"{engine.get('device', '')} {engine.get('dtype', '')}".strip(), threads, rate, slots, *lines)
    return ", ".join(part for part in said if part)


def command(verb: str, *words: str, store: Path) -> str:
    """A command that can be copied to a shell."""
    return " ".join(map(quote, ["selfedit", verb, *words, "--store", str(store)]))


def verdict(answer: ProbeAnswer | None) -> str:
    """An answer's verdict; nothing where none was given."""
    if answer is None or answer.correct is None:
        return ""
    if not answer.correct:
        return "wrong"
    return "right" if answer.concise else "right, long"


def span(seconds: float) -> str:
    """A time that something takes."""
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
