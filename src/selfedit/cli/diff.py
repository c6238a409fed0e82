"""`selfedit diff`: the same questions, asked of the model at two points of its history."""

from __future__ import annotations

from collections.abc import Sequence as Items
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json, StoreDir
from selfedit.cli.progress import Stages
from selfedit.cli.wording import change, clipped, count, interval, short

if TYPE_CHECKING:
    from selfedit.telling import Difference, DifferenceRow

WORDS_ONLY = 10
"""So many answers that changed in words alone are shown unless all are asked for."""
POINT = "A commit: the model as of then; `base`: nothing learned; `head`: as it is now."


def verb(
    a: Annotated[str, typer.Argument(help=POINT, show_default=False)],
    store: StoreDir,
    b: Annotated[str, typer.Argument(help="The same.")] = "head",
    all: Annotated[bool, typer.Option("--all", help="Every answer that differs.")] = False,
    device: Device = "auto",
    json: Json = False,
) -> None:
    """Ask every stored question of the model as of A and as of B, and show the answers that differ."""
    from selfedit.memory import Memory

    with Stages() as stages, Memory.open(store, device=device) as memory:
        found = memory.diff(a, b, watch=stages.watch)
    if json:
        output.document(as_json(found))
    else:
        _tell(found, None if all else WORDS_ONLY)


def as_json(found: Difference) -> dict[str, Any]:
    """Every question with both answers, those that are alike included."""
    return {
        "a": found.a,
        "b": found.b,
        "right_a": found.right_a,
        "right_b": found.right_b,
        "ci95": found.ci95,
        "rows": [_row(each) for each in found.rows],
    }


def _row(row: DifferenceRow) -> dict[str, Any]:
    return {
        "topic": row.probe.topic,
        "question": row.probe.question,
        "gold": row.probe.answer,
        "commit": row.commit,
        "a": row.a,
        "b": row.b,
        "verdict": verdict(row),
    }


def verdict(row: DifferenceRow) -> str:
    """What became of the answer on the way from A to B."""
    if bool(row.a.correct) != bool(row.b.correct):
        return "gained" if row.b.correct else "lost"
    return "same" if row.a.text == row.b.text else "other words"


def _tell(found: Difference, most: int | None) -> None:
    if not found.rows:
        print("No question is stored that could be asked; learn something first.")
        return
    by = {
        name: [row for row in found.rows if verdict(row) == name]
        for name in ("lost", "gained", "other words")
    }
    shown = [*by["lost"], *by["gained"], *by["other words"][:most]]
    if shown:
        _tell_rows(found, shown)
    if rest := len(by["lost"]) + len(by["gained"]) + len(by["other words"]) - len(shown):
        print(f"… {rest} more that differ in words only; --all shows them\n")
    counts = ", ".join(f"{len(rows)} {name}" for name, rows in by.items())
    output.pairs(
        {
            "asked": f"{count(len(found.rows), 'question')}: {counts}",
            "right": change(found.right_a, found.right_b),
            "difference": _difference(found),
        }
    )


def _tell_rows(found: Difference, rows: Items[DifferenceRow]) -> None:
    columns = ["question", "wanted", *(f"at {short(each)}" for each in (found.a, found.b)), ""]
    texts = ((row.probe.question, row.probe.answer, row.a.text, row.b.text) for row in rows)
    output.table(
        columns, [[*map(clipped, each), verdict(row)] for each, row in zip(texts, rows, strict=True)]
    )


def _difference(found: Difference) -> str:
    if found.right_a is None or found.right_b is None:
        return "-"
    return f"{found.right_b - found.right_a:+.2f}{interval(found.ci95)}"
