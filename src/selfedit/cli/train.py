"""`selfedit train`: reinforce the policy that writes self-edits, round after round, after a recipe."""

from __future__ import annotations

import os
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json, NoWait, StoreDir, access
from selfedit.cli.progress import Stages
from selfedit.cli.tracking import Track, Tracking
from selfedit.cli.wording import command, count, short, span
from selfedit.errors import RoundError, UsageError

if TYPE_CHECKING:
    from selfedit.reinforcing import Outlook, RoundReport

NOTHING_LEARNED = 1


def verb(
    recipe: Annotated[
        str, typer.Argument(help="A recipe that ships, by name, or a YAML file.", show_default=False)
    ],
    store: StoreDir,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder that the recipe's paths begin at; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Only go on with a run that is there; begin none.")
    ] = False,
    estimate: Annotated[
        bool, typer.Option("--estimate", help="Only tell what it will cost; make nothing.")
    ] = False,
    device: Device = "auto",
    dtype: Annotated[
        str, typer.Option(help="auto, float32 or bfloat16. Unset: the store's own.", show_default=False)
    ] = "",
    track: Track = "",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Rounds of writing, trying, selecting and learning, all kept in the store as they are made.

    Broken off at any point, it goes on where it was when it is called again; rounds that have ended are not
    done twice. Exit code 1: every self-edit of a round failed, and nothing was reinforced by it.
    """
    from selfedit.memory import Memory
    from selfedit.recipes import load_recipe
    from selfedit.store import Store

    held = load_recipe(recipe)
    folder = data or (Path(found) if (found := os.environ.get("SELFEDIT_DATA")) else None)
    if resume and not Store.exists(store):
        raise UsageError(f"--resume: no store at {store}; leave it out to begin")
    how = access(no_wait)
    if estimate:
        with Memory.imagined(store, held.base, device=device, dtype=dtype or None) as memory:
            outlook = memory.foretell(held, data=folder)
        return output.document(outlook.as_json()) if json else _foretell(outlook)
    try:
        with (
            Tracking(track, f"train {recipe}", held.model_dump(mode="json")) as tracking,
            Stages() as stages,
            Memory.open_or_make(store, held.base, device=device, dtype=dtype or None, access=how) as memory,
        ):
            rounds = memory.reinforce(
                held,
                data=folder,
                resume=resume,
                watch=stages.watch,
                ended=lambda each: tracking.log(each.as_json(), each.round, "round/"),
            )
    except RoundError as error:
        output.say(output.one_line(f"selfedit: {error}"))
        raise typer.Exit(NOTHING_LEARNED) from error
    if json:
        output.document([each.as_json() for each in rounds])
    else:
        _tell(rounds, recipe, store, "passages" if held.data.kind == "passages" else "tasks")


def _tell(rounds: Items[RoundReport], recipe: str, store: Path, of: str) -> None:
    heads = ("round", of, "edits", "trials", "failed", "kept", "reward", "to beat", "policy", "time")
    rows = [
        (
            str(each.round),
            str(each.passages),
            str(each.edits),
            str(each.trials),
            str(each.failures),
            f"{each.kept} ({count(each.rows, 'row')})",
            _figure(each.reward),
            _figure(each.floor),
            short(each.adapter) if each.adapter else "as it was",
            span(each.seconds),
        )
        for each in rounds
    ]
    output.table(heads, rows)
    print(f"The table that this is measured by: {command('eval', recipe, store=store)}")


def _foretell(outlook: Outlook) -> None:
    """A line for each round, the table and all of it."""
    heads = ("", "self-edits", "adapters", "tokens trained", "read", "written", "time, about")
    rows = [
        (
            name,
            *(f"{cost[key]:,.0f}" for key in ("edits", "adapters")),
            *(f"{cost[f'{key}_tokens']:,.0f}" for key in ("trained", "read", "written")),
            span(cost["seconds"]),
        )
        for name, cost in outlook.costs.items()
    ]
    output.table(heads, rows)


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
