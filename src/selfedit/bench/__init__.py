"""Benchmarks, each against named rivals in the same run on the same work.

`run(settings)` gives the rows. Importing this loads no torch; each side runs in a process of its own.
"""

from selfedit.bench.benches import run
from selfedit.bench.settings import BENCHES, Settings, settings_for
from selfedit.bench.table import Row, markdown

__all__ = ["BENCHES", "Row", "Settings", "markdown", "run", "settings_for"]
