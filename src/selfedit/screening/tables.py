"""Tables of so many rows that they would be all that a model learns."""

from __future__ import annotations

from collections.abc import Iterator

import regex

from selfedit.config import Policy
from selfedit.screening.findings import Finding, quoted
from selfedit.screening.folding import Page

_SEPARATORS = "|\t;,"


def tables(page: Page, policy: Policy) -> Iterator[Finding]:
    """Each run of rows of the same number of cells, longer than the policy bears with."""
    run: list[tuple[int, int]] = []
    shape = ("", 0)
    for match in (*regex.finditer(r"[^\n]+", page.text), None):
        mine = _shape(match[0]) if match else ("", 0)
        if mine != shape or match is None:
            yield from _found(page, policy, run, shape)
            run, shape = [], mine
        if match:
            run.append(match.span())


def _shape(line: str) -> tuple[str, int]:
    """The separator that stands most often in a line, and how often."""
    return max(((each, line.count(each)) for each in _SEPARATORS), key=lambda pair: pair[1])


def _found(
    page: Page, policy: Policy, run: list[tuple[int, int]], shape: tuple[str, int]
) -> Iterator[Finding]:
    if len(run) <= policy.table_rows or shape[1] < 2:
        return
    start, end = run[0][0], run[-1][1]
    yield Finding(
        "table", f"a table of {len(run):,} rows", start, end, 0.95,
        f"learn a summary, or fewer than {policy.table_rows} "
        f"rows", f"[table of {len(run):,} rows left out]",
        quoted(page.text[start : start + 200]),
    )  # fmt: skip
