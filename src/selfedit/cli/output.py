"""What a verb shows: results on standard output, everything else on standard error.

With `--json` a verb prints exactly one document; `grade` alone a line for each row. Knows nothing of what it
prints.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from rich.console import Console

Cell = str | int | float | None


def document(value: Any) -> None:
    """Print `value` as the one JSON document on standard output."""
    print(json.dumps(plain(value), indent=2, ensure_ascii=not _utf8(), allow_nan=False), flush=True)


def lines(values: Iterable[Any]) -> None:
    """Print each value as JSON on a line of its own, all of them at once."""
    each = (json.dumps(plain(value), ensure_ascii=not _utf8(), allow_nan=False) for value in values)
    sys.stdout.write("".join(f"{line}\n" for line in each))
    sys.stdout.flush()


def plain(value: Any) -> Any:
    """`value` as JSON has it: dataclasses become objects, paths strings, and what is not finite null."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if value is None or isinstance(value, str | int):
        return value
    if isinstance(value, Path):
        return str(value)
    if is_dataclass(value):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in cast(Mapping[Any, Any], value).items()}
    if isinstance(value, Sequence | AbstractSet):
        return [plain(item) for item in cast(Iterable[Any], value)]
    raise TypeError(f"{type(value).__name__} has no form in JSON")


def table(columns: Sequence[str], rows: Iterable[Sequence[Cell]], *, title: str | None = None) -> None:
    """Print rows under their columns; numbers stand to the right."""
    from rich import box
    from rich.table import Table

    cells = [list(row) for row in rows]
    shown = Table(box=box.SIMPLE_HEAD, title=title, title_justify="left", pad_edge=False)
    for index, column in enumerate(columns):
        numeric = bool(cells) and all(isinstance(row[index], int | float | None) for row in cells)
        shown.add_column(column, justify="right" if numeric else "left", overflow="fold")
    for row in cells:
        shown.add_row(*map(_text, row))
    console(stderr=False).print(shown)


def listing(columns: Sequence[str], rows: Iterable[Sequence[str]], *, flexible: int) -> None:
    """Print rows as plain lines, one each, however many there are.

    On a terminal that is too narrow, the column `flexible` loses the beginning of its texts; what goes into a
    file or a pipe stays whole.
    """
    from rich.cells import cell_len

    cells = [list(columns), *([one_line(cell) for cell in row] for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*cells, strict=True)]
    if sys.stdout.isatty():
        spare = console(stderr=False).width - sum(widths) - 2 * (len(widths) - 1)
        widths[flexible] = max(len(columns[flexible]), widths[flexible] + min(0, spare))
    for row in cells:
        padded = [_padded(cell, width) for cell, width in zip(row, widths, strict=True)]
        print("  ".join(padded).rstrip())


def _padded(cell: str, width: int) -> str:
    """`cell` exactly `width` columns wide; of what is too long the end, behind an ellipsis."""
    from rich.cells import cell_len

    taken = cell_len(cell)
    if taken > width:
        while (taken := cell_len(cell)) >= width:
            cell = cell[1:]
        cell, taken = f"…{cell}", taken + 1
    return cell + " " * (width - taken)


def pairs(items: Mapping[str, Cell]) -> None:
    """Print names and values, one pair a line, values under each other."""
    width = max(map(len, items), default=0)
    for name, value in items.items():
        print(f"{name:<{width}}  {_text(value)}")


def say(line: str) -> None:
    """One line of progress."""
    print(line, file=sys.stderr, flush=True)


def console(*, stderr: bool = True) -> Console:
    """A rich console that takes text as it is: what users and models wrote is never read as markup.

    Where no terminal bounds the width, lines may be long: files and pipes want them whole.
    """
    from rich.console import Console

    wide = None if (sys.stderr if stderr else sys.stdout).isatty() else 240
    return Console(stderr=stderr, markup=False, emoji=False, highlight=False, width=wide)


def size(count: float) -> str:
    """Bytes as people read them: `541.6 MB`."""
    for unit in ("B", "KB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def one_line(text: str) -> str:
    """`text` with every run of white space made one space."""
    return " ".join(text.split())


def _text(value: Cell) -> str:
    match value:
        case None:
            return "-"
        case float():
            return f"{value:.3g}" if abs(value) < 100 else f"{value:.0f}"
        case _:
            return str(value)


def _utf8() -> bool:
    return (getattr(sys.stdout, "encoding", "") or "").lower().replace("-", "") == "utf8"
