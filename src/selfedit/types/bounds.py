"""What numbers may be."""

from __future__ import annotations

import math
from typing import Any

from selfedit.errors import UsageError


def finite(value: Any) -> bool:
    """Whether it is a number, and neither NaN nor infinite."""
    return isinstance(value, int | float) and math.isfinite(value)


def positive(what: str, value: Any) -> None:
    """Raises UsageError for anything but a finite number above 0."""
    if not (finite(value) and value > 0):
        raise UsageError(f"{what} is {value!r}; choose a finite number above 0, or leave it out")
