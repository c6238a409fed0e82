"""One claim over and over, in the same words or nearly; and texts that are nearly another one.

Songs, logs, tables and forms repeat themselves too: short lines, lines of data and choruses are no claims.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cache
from typing import final

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page

_UNIT = regex.compile(r"[^.!?…。\n]+(?:[.!?…。]+[\"”')\]]*|(?=\n)|$)")
_ENUMERATED = regex.compile(r"^\s*(?:\d{1,4}\s*[.):]|[-*•])\s*")
_DATA = regex.compile(r"^\s*(?:\d{4}-\d\d-\d\d|\d\d:\d\d|[|#>])|=|\|.*\||(?:[;,\t][^;,\t]*){5,}|::|[{}<>]")
_ALIKE = 0.6
_HASHES, _BANDS = 64, 16


@final
@dataclass(frozen=True, slots=True)
class _Unit:
    start: int
    end: int
    words: tuple[str, ...]


def copies(page: Page, policy: Policy) -> Iterator[Finding]:
    """All but the first of the units that say the same, where there are more than the policy bears with."""
    units = list(_units(page.text))
    flooded = False
    for group in sorted(_groups(units), key=len, reverse=True):
        long = len(set(group[0].words)) >= 5
        if len(group) < policy.copies or not (long or flooded):
            continue
        if not flooded and len(group) * 4 < len(units):
            continue
        flooded = True
        what = f"one claim {len(group)} times: {quoted(page.text[group[0].start : group[0].end])!r}"
        for unit in group[1:]:
            yield Finding(
                "repetition", what, unit.start, unit.end, 0.85, "say it once", "",
                quoted(page.text[unit.start : unit.end]),
            )  # fmt: skip


def _units(text: str) -> Iterator[_Unit]:
    for match in _UNIT.finditer(text):
        body = _ENUMERATED.sub("", match[0])
        words = tuple(regex.findall(r"\p{L}+", body.lower()))
        if len(words) >= 3 and not _DATA.search(body):
            yield _Unit(*match.span(), words)


def _groups(units: list[_Unit]) -> Iterator[list[_Unit]]:
    """Units whose words are nearly the same set: each joins the first group that it is like."""
    groups: list[list[_Unit]] = []
    by_word: dict[str, list[int]] = defaultdict(list)
    exact: dict[tuple[str, ...], int] = {}
    for unit in units:
        place = exact.get(unit.words)
        if place is None:
            mine = set(unit.words)
            near = {number for word in sorted(mine, key=len)[-3:] for number in by_word[word]}
            place = next((n for n in sorted(near) if _alike(mine, set(groups[n][0].words))), None)
        if place is None:
            place = len(groups)
            groups.append([])
            for word in set(unit.words):
                by_word[word].append(place)
        exact.setdefault(unit.words, place)
        groups[place].append(unit)
    yield from groups


def _alike(a: set[str], b: set[str]) -> bool:
    return len(a & b) >= _ALIKE * len(a | b)


# -- among texts --------------------------------------------------------------------------------------


def near_duplicates(texts: Items[str], *, alike: float = 0.8) -> tuple[tuple[int, int, float], ...]:
    """Pairs of texts (by number) that share at least `alike` of their five-word shingles, with the share.

    MinHash in bands (Broder 1997) finds the candidates; their share is then counted exactly.
    """
    shingled = [_shingles(text) for text in texts]
    buckets: dict[tuple[int, tuple[int, ...]], list[int]] = defaultdict(list)
    for number, shingles in enumerate(shingled):
        signature = _signature(shingles)
        rows = _HASHES // _BANDS
        for band in range(_BANDS if shingles else 0):
            buckets[band, signature[band * rows : (band + 1) * rows]].append(number)
    pairs = {(a, b) for same in buckets.values() for i, a in enumerate(same) for b in same[i + 1 :]}
    shares = ((a, b, _share(shingled[a], shingled[b])) for a, b in sorted(pairs))
    return tuple((a, b, share) for a, b, share in shares if share >= alike)


def _shingles(text: str, size: int = 5) -> frozenset[int]:
    words = regex.findall(r"[\p{L}\p{N}]+", text.lower())
    runs = (" ".join(words[at : at + size]) for at in range(max(1, len(words) - size + 1)) if words)
    return frozenset(int.from_bytes(hashlib.blake2b(run.encode(), digest_size=8).digest()) for run in runs)


def _signature(shingles: frozenset[int]) -> tuple[int, ...]:
    prime = (1 << 61) - 1
    return tuple(min(((a * s + b) % prime for s in shingles), default=0) for a, b in _permutations())


@cache
def _permutations() -> tuple[tuple[int, int], ...]:
    def number(name: str) -> int:
        return int.from_bytes(hashlib.blake2b(name.encode(), digest_size=7).digest()) | 1

    return tuple((number(f"a{at}"), number(f"b{at}")) for at in range(_HASHES))


def _share(a: frozenset[int], b: frozenset[int]) -> float:
    return len(a & b) / max(1, len(a | b))
