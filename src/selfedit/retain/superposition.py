"""One sum of all commits' adapters, which each commit reads and writes through random signs of its own.

Parameter superposition with binary contexts (Cheung et al. 2019, arXiv 1902.05522). With c for the signs on
a layer's inputs, commit j writes B_j A_j diag(c_j) into the sum, and commit k reads the sum behind diag(c_k):
its own part comes out exact, since c_k c_k = 1, and every other one with the signs c_j c_k, as noise. What
finds k is a router.
"""

from __future__ import annotations

from dataclasses import replace

from selfedit.config.retention import Retention
from selfedit.retain.past import Course, Past
from selfedit.types import rng_for


def superposition(past: Past, course: Course, settings: Retention) -> Course:
    """Has the adapter trained on the base, and served in the sum."""
    return replace(course, serving="superposed")


def signs(writer: str, reader: str, layer: str, width: int) -> list[int]:
    """What `reader` sees of `writer`, ids of commits: c_j c_k, +1 or -1 for each of a layer's inputs."""
    flipped = _context(writer, layer, width) ^ _context(reader, layer, width)
    return [-1 if flipped >> at & 1 else 1 for at in range(width)]


def _context(commit: str, layer: str, width: int) -> int:
    """The signs of a commit's own, a bit for each input: 1 is -1."""
    return rng_for("superposition", commit, layer).getrandbits(width)
