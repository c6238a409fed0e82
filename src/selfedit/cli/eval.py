"""`selfedit eval`: the table of a recipe: how much is known after each way of teaching the same passages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output, solved
from selfedit.cli.options import Device, Json, NoWait, access
from selfedit.cli.progress import Stages
from selfedit.cli.solved import figure
from selfedit.cli.tracking import Track, Tracking
from selfedit.cli.wording import count, span
from selfedit.errors import UsageError

if TYPE_CHECKING:
    from selfedit.config import Recipe
    from selfedit.evaluating import Difference, SolvedRow, Table, TableRow

NOTHING_MEASURED = 1


def verb(
    recipe: Annotated[
        str, typer.Argument(help="A recipe that ships, by name, or a YAML file.", show_default=False)
    ],
    store: Annotated[
        Path, typer.Option(help="Where everything is kept; made if it is not there.", show_default=False)
    ],
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that the recipe's paths begin at; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(help="Only so many passages or tasks, a fair sample.", min=1, show_default=False),
    ] = None,
    rows: Annotated[
        str, typer.Option(help="By name, commas between. Unset: the recipe's.", show_default=False)
    ] = "",
    csv: Annotated[
        Path | None,
        typer.Option(help="Also write a line for each question and method to this file.", show_default=False),
    ] = None,
    against: Annotated[
        str,
        typer.Option(
            help="Also every row's paired difference from the row of this name.", show_default=False
        ),
    ] = "",
    device: Device = "auto",
    dtype: Annotated[
        str | None,
        typer.Option(help="Of a new store: auto, float32 or bfloat16.", show_default="auto"),
    ] = None,
    track: Track = "",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Measure what is known of passages after each way of teaching them, on questions that people wrote.

    Of tasks of demonstrations, how many tests each way solves.
    Everything is kept in the store as it is made: broken off at any point, it goes on where it was when it is
    called again, and nothing is computed twice. Exit code 1: a row could not be measured at all.
    """
    from selfedit.evaluating import Table, Wanted, evaluate, pairs, write_csv
    from selfedit.memory import Memory
    from selfedit.recipes import load_recipe

    held = load_recipe(recipe)
    folder = data or (Path(found) if (found := os.environ.get("SELFEDIT_DATA")) else None)
    names = tuple(name.strip() for name in rows.split(",") if name.strip())
    wanted = Wanted(held, folder, names, limit)
    wanted.check()
    if against:
        pairs.check(against, wanted.named)
    if csv and not csv.parent.is_dir():
        raise UsageError(f"{csv}: no such folder; make it first, or choose another place with --csv")
    check_store(store, held.base, dtype)
    with (
        Tracking(track, f"eval {recipe}", held.model_dump(mode="json")) as tracking,
        Stages() as stages,
        Memory.open_or_make(store, held.base, device=device, dtype=dtype, access=access(no_wait)) as memory,
    ):
        table = evaluate(memory, wanted, watch=stages.watch)
        for row in table.rows:
            tracking.log(as_json(row), 0, f"table/{row.method}/")
    if csv:
        write_csv(csv, table)
    for line in table.missing:
        output.say(line)
    beside = pairs.against(table, against) if against else {}
    if json:
        output.document([as_json(row, against, beside.get(row.method)) for row in table.rows])
    elif isinstance(table, Table):
        _tell(table, held)
    else:
        solved.tell(table)
    if beside and not json:
        _tell_pairs(against, beside)
    raise typer.Exit(NOTHING_MEASURED if any(row.accuracy is None for row in table.rows) else 0)


def check_store(place: Path, wanted: str, dtype: str | None) -> None:
    """Say so before anything is loaded where the store is of another base or type."""
    from selfedit.store import Store

    if not Store.exists(place):
        return
    with Store.open(place) as store:
        base, kind = store.base, store.dtype
    if base != wanted:
        raise UsageError(f"{place}: made on {base}, the recipe is for {wanted}; choose another --store")
    if dtype not in (None, "auto", kind):
        raise UsageError(f"{place}: computes in {kind}; leave --dtype out, or choose another --store")


def as_json(
    row: TableRow | SolvedRow, other: str = "", beside: Mapping[str, Difference] | None = None
) -> dict[str, Any]:
    """The row under the names that the command line promises, and more; `beside`: less the row `other`."""
    own = {name: getattr(row, name) for name in row.__dataclass_fields__}
    if beside is None:
        return own
    return {**own, "against": {"row": other, **{name: asdict(each) for name, each in beside.items()}}}


# -- for people ------------------------------------------------------------------------------------------


def _tell(table: Table, recipe: Recipe) -> None:
    heads = ("taught by", "accuracy", "concise", "less base", "less row before", "mismatch", "log-p", "n")
    output.table([*heads, "tokens", "time"], [_cells(row) for row in table.rows])
    print(
        f"Accuracy by the grader {recipe.judge.grader}: mean over passages, [95% interval]; differences are "
        "paired.\nmismatch: what answers to other questions of the passage earn. n: passages (questions)."
    )
    for row in table.rows:
        if row.failures or row.unusable or row.collapsed:
            print(f"{row.method}: {_trouble(row)}")


def _tell_pairs(other: str, beside: Mapping[str, Mapping[str, Difference]]) -> None:
    names = list(dict.fromkeys(name for each in beside.values() for name in each))
    output.table(
        [f"less {other}", *names, "n"],
        [
            (method, *(_less(found.get(name)) for name in names), _shared(found))
            for method, found in beside.items()
        ],
    )


def _shared(found: Mapping[str, Difference]) -> str:
    return str(max((each.n for each in found.values()), default=0))


def _less(found: Difference | None) -> str:
    return "-" if found is None else figure(found.value, found.ci95, signed=True)


def _cells(row: TableRow) -> Items[str]:
    return (
        row.method,
        figure(row.accuracy, row.ci95),
        figure(row.concise, row.concise_ci95),
        figure(row.against_base, row.against_base_ci95, signed=True),
        figure(row.against_before, row.against_before_ci95, signed=True),
        figure(row.mismatch),
        figure(row.logprob),
        f"{row.passages} ({row.n})",
        f"{row.tokens:,}",
        span(row.seconds),
    )


def _trouble(row: TableRow) -> str:
    """What went wrong on the way, in words."""
    said = {
        "failure": row.failures,
        "self-edit that could not be used": row.unusable,
        "collapsed adapter": row.collapsed,
    }
    names = {"self-edit that could not be used": "self-edits that could not be used"}
    told = [
        f"{number} {names[what]}" if number > 1 and what in names else count(number, what)
        for what, number in said.items()
        if number
    ]
    return ", ".join(told)
