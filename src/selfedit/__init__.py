"""selfedit: language models that keep learning.

model = selfedit.open("memory/", base="smollm2-135m")
report = model.learn("handbook.md")
answer = model.ask("Who signs off travel above 500 euros?")
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from selfedit.memory import Memory

__version__ = "0.1.0"
__all__ = ["__version__", "open"]


def open(
    path: str | os.PathLike[str],
    base: str | None = None,
    *,
    device: str = "auto",
    dtype: str | None = None,
    wait: float = 0.0,
    journal: str = "",
) -> Memory:
    """Open the store at `path`; with `base`, make it if it is not there. Loads no model until needed.

    Where another process is writing, what changes the store waits up to `wait` seconds for it to end. With
    `journal`, the URL of a PostgreSQL database, a new store's journal is kept there.
    """
    from selfedit.memory import Access, Memory

    return Memory.open(path, base, device=device, dtype=dtype, access=Access(wait, journal=journal))
