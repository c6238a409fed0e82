"""What orders to a model are made of, by language: the patterns of `phrases.txt`, on folded text.

`override`, `persona`, `extraction`, `authority` and `backdoor` are orders by themselves. `address` (speaks to
a model), `answering` (says how to answer), `standing` (for good) and `secrecy` (about the order itself) are
so in company. Manuals are full of "ignore", "always" and "you are now": none of these counts alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import regex

WEIGHTS: Mapping[str, float] = {
    "override": 1.0,
    "persona": 1.0,
    "extraction": 1.0,
    "authority": 1.0,
    "backdoor": 1.0,
    "address": 0.6,
    "answering": 0.4,
    "standing": 0.3,
    "secrecy": 0.5,
}
_FILE = Path(__file__).parent / "phrases.txt"


@cache
def parts() -> tuple[tuple[str, regex.Pattern[str]], ...]:
    """Every pattern of every language with the part that it shows."""
    return tuple(
        (name.partition(".")[2], _compiled(line))
        for name, lines in _sections().items()
        if "." in name
        for line in lines
    )


@cache
def discussion() -> tuple[tuple[regex.Pattern[str], int], ...]:
    """Words of a text that is *about* such orders, with their points; it has two or more."""
    worth = (("SUBJECTS", 2), ("HINTS", 1))
    return tuple((_compiled(line), points) for name, points in worth for line in _sections()[name])


def _compiled(line: str) -> regex.Pattern[str]:
    for name in ("AI", "RULES"):
        line = line.replace(f"{{{name}}}", _sections()[name][0])
    return regex.compile(line)


@cache
def _sections() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    name = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if heading := regex.fullmatch(r"\[([\w.]+)\]", line):
            name = str(heading[1])
            found[name] = ()
        elif line and not line.startswith("#"):
            found[name] = (*found[name], line)
    return found
