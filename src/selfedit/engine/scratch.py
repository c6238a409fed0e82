"""A temporary folder that lives as long as its owner. Knows nothing of what is put into it."""

from __future__ import annotations

import shutil
import tempfile
import weakref
from pathlib import Path
from typing import final


@final
class Scratch:
    """Removed when it is closed, collected, or at the interpreter's end; none of these raises or warns."""

    def __init__(self, prefix: str) -> None:
        self.path = Path(tempfile.mkdtemp(prefix=prefix))
        self._end = weakref.finalize(self, shutil.rmtree, self.path, ignore_errors=True)

    def close(self) -> None:
        """Remove the folder now; more than once is fine."""
        self._end()
