"""The ten colours of grids are told apart, by the colour-blind too."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

CSS = Path(__file__).parents[2] / "src/selfedit/report/templates/style.css"

SEEN = {
    "all cones": np.eye(3),
    "no red": np.array([[0.152, 1.053, -0.205], [0.115, 0.786, 0.099], [-0.004, -0.048, 1.052]]),
    "no green": np.array([[0.367, 0.861, -0.228], [0.280, 0.673, 0.047], [-0.012, 0.043, 0.969]]),
    "no blue": np.array([[1.256, -0.077, -0.179], [-0.078, 0.931, 0.148], [0.005, 0.691, 0.304]]),
}
"""Linear sRGB as it is seen without one kind of cones: Machado, Oliveira and Fernandes 2009, table 1."""

LMS = np.array([[0.4122, 0.5363, 0.0514], [0.2119, 0.6807, 0.1074], [0.0883, 0.2817, 0.6300]])
LAB = np.array([[0.2105, 0.7936, -0.0041], [1.9780, -2.4286, 0.4506], [0.0259, 0.7828, -0.8087]])
"""Linear sRGB to OKLab (Ottosson 2020), in which equal distances look about equal."""


@pytest.mark.parametrize("eye", SEEN)
def test_no_two_colours_look_alike(eye: str) -> None:
    found = dict(re.findall(r"\.c(\d)\{stroke:#([0-9a-f]{6})\}", CSS.read_text()))
    assert sorted(found) == [*"0123456789"]
    places = {digit: seen(colour, eye) for digit, colour in found.items()}
    nearest = min(
        (float(np.linalg.norm(places[one] - places[other])), one, other)
        for one, other in combinations(places, 2)
    )
    assert nearest[0] > 0.12, nearest


def seen(colour: str, eye: str) -> np.ndarray:
    parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (0, 2, 4)])
    linear = np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4)
    return LAB @ np.cbrt(LMS @ np.clip(SEEN[eye] @ linear, 0, 1))
