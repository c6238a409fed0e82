"""Small text tasks of our own making: a seed gives an instance, demonstrations and tests of one rule.

There are tasks to build on (settings are chosen, the writer is reinforced on their instances) and tasks to
report on, of which no instance is seen before. Which are which was drawn, three of each family of eight,
before anything was run: `rng_for("few-shot split", family).sample(the family's names in order, 3)`.
"""

from __future__ import annotations

from collections.abc import Mapping

from selfedit.errors import UsageError
from selfedit.tasks.generators import _core, dates, labels, lists, phrases, records, strings, units
from selfedit.tasks.generators._core import DEMONSTRATIONS, TESTS, Generator
from selfedit.types import FewShot

__all__ = ["BUILD", "FAMILIES", "GENERATORS", "REPORT", "Generator", "instance"]

FAMILIES: Mapping[str, tuple[Generator, ...]] = {
    "strings": strings.GENERATORS,
    "phrases": phrases.GENERATORS,
    "lists": lists.GENERATORS,
    "labels": labels.GENERATORS,
    "units": units.GENERATORS,
    "dates": dates.GENERATORS,
    "records": records.GENERATORS,
}
GENERATORS: Mapping[str, Generator] = {
    generator.name: generator for family in FAMILIES.values() for generator in family
}
REPORT: tuple[str, ...] = (
    *("mark-between", "replace-letter", "backwards"),
    *("initials", "pick-word", "capital-word"),
    *("add-to-each", "sort-numbers", "keep-some"),
    *("size-of-number", "which-is-greater", "length-of-word"),
    *("roman", "clock", "spelled"),
    *("half-day-clock", "weekday", "month-of-date"),
    *("field", "column", "wrap"),
)
"""Tasks to report on; never change them after something was run."""
BUILD: tuple[str, ...] = tuple(name for name in GENERATORS if name not in REPORT)
"""Tasks to build on."""


def instance(
    name: str, seed: int, *, demonstrations: int = DEMONSTRATIONS, tests: int = TESTS
) -> FewShot[str]:
    """The instance of the named generator that the seed gives; `UsageError` for a name that is none."""
    if name not in GENERATORS:
        raise UsageError(f"no generator {name!r}; choose one of {', '.join(GENERATORS)}")
    return _core.instance(GENERATORS[name], seed, demonstrations=demonstrations, tests=tests)
