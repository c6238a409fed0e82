"""`selfedit demo`: a model reads a handbook that nobody else has, and answers before and after."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.learn import as_json, ask_line, exit_code, show_answers, show_figures
from selfedit.cli.progress import Stages
from selfedit.demo import HANDBOOK, QUESTIONS
from selfedit.errors import StoreError
from selfedit.types import Sequence

if TYPE_CHECKING:
    from selfedit.lifelong import LearnReport
    from selfedit.types import SelfEdit

LINES_SHOWN = 2
NOTES_SHOWN = 5


def verb(
    store: Annotated[Path, typer.Option(help="Where the demo's store goes.")] = Path("demo-memory"),
    samples: Annotated[int | None, typer.Option(help="Notes tried for each passage.")] = None,
    base: Annotated[str, typer.Option(help="The model.")] = "smollm2-135m",
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    json: Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")] = False,
) -> None:
    """Let a model learn the handbook of an island that does not exist, and see what it knows then.

    A store that an earlier demo made at the same place is replaced; any other is left alone.
    """
    from selfedit.config import DEMO, learning
    from selfedit.memory import Memory

    settings = learning(DEMO, samples=samples)
    clear(store)
    if not json:
        _introduce()
    with Stages() as stages:
        stages.watch("loading the model", 0, 0)
        with Memory.open(store, base, device=device) as memory:
            report = memory.learn(HANDBOOK, settings=settings, questions=QUESTIONS, watch=stages.watch)
    if json:
        output.document({**as_json(report), "store": store})
    else:
        _tell(report, store)
    raise typer.Exit(exit_code(report))


def clear(place: Path) -> None:
    """Remove the store at `place` if all that it ever learned is the demo's handbook; else refuse."""
    from selfedit.store import Store

    if not Store.exists(place):
        return
    handbook = hashlib.sha256(HANDBOOK.read_bytes()).hexdigest()
    with Store.open(place, write=True, verb="demo") as store:
        if any(source.sha256 != handbook for source in store.known_sources()):
            raise StoreError(
                f"{place}: a store that holds more than the demo; name another place with --store"
            )
        shutil.rmtree(place)


def _introduce() -> None:
    lines = [line for line in HANDBOOK.read_text(encoding="utf-8").splitlines() if line]
    print("A handbook that no model can know, for its island does not exist:\n")
    for line in lines[: LINES_SHOWN + 1]:
        print(f"    {line}")
    print(
        "    …\n\nThe model reads it, writes its own notes, trains on them, and is then asked without it.\n"
    )


def _tell(report: LearnReport, store: Path) -> None:
    if report.commits:
        _show_notes(store, report.commits[0])
    show_answers(report)
    show_figures(report)
    print(f"\n{report.reason}." if not report.commits else _where_next(ask_line(report, store)))


def _show_notes(place: Path, commit: str) -> None:
    from selfedit.store import Store

    with Store.open(place) as store:
        edits = store.edits(commit)
    print("\nSome of the notes that it wrote and was trained on:\n")
    for note in notes(edits, NOTES_SHOWN):
        print(f"    {note}")


def notes(edits: Items[SelfEdit], most: int) -> list[str]:
    """Questions of the model's own, the first of each edit before the second of any; else rows by rule."""
    own = [line for line in _in_turn([edit.text.splitlines() for edit in edits]) if "(by rule)" not in line]
    rows = _in_turn([[_row(x) for x in edit.lines if isinstance(x, Sequence)] for edit in edits])
    return [*own, *rows][:most] if len(own) < most else own[:most]


def _row(row: Sequence) -> str:
    return output.one_line(f"{row.prompt}{row.completion}")


def _in_turn(columns: Items[Items[str]]) -> list[str]:
    """The first of each column, then the second of each, and so on."""
    longest = max(map(len, columns), default=0)
    return [column[row] for row in range(longest) for column in columns if row < len(column)]


def _where_next(ask: str) -> str:
    return (
        "\nWhere to go next:\n"
        f"  {ask}\n"
        "  selfedit learn YOUR-FILE.md --store memory/ --dry-run   what it would take\n"
        "  selfedit learn YOUR-FILE.md --store memory/             learn it\n"
        '  selfedit ask "..." --store memory/                      ask without the file'
    )
