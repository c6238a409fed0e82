"""`selfedit import-seal`: a result file of the official SEAL repository, in the measures of our tables."""

from __future__ import annotations

from collections.abc import Sequence as Items
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from selfedit.cli import output
from selfedit.cli.options import Json
from selfedit.cli.wording import count

if TYPE_CHECKING:
    from selfedit.records import Interval, Record, RecordFigures

SHOWN = 3
"""So many of the file's wrong means are told one by one."""


def verb(
    file: Annotated[Path, typer.Argument(help="A result file, .json or .json.gz.", show_default=False)],
    sft: Annotated[
        Path | None,
        typer.Option(
            "--sft",
            help="Write each passage's prompt and best self-edit to this file, as JSON Lines.",
            show_default=False,
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Read a result file of the official SEAL repository: accuracy before and after training, with intervals.

    Figures are made from the verdicts on single answers; where the file's own means say otherwise, a line on
    standard error says so. Of a passage's self-edits --sft writes the best, of equal ones the first.
    """
    from selfedit.records import best_pairs, disagreements, figures, read, write_pairs

    record = read(file)
    found = figures(record)
    _warn(disagreements(record, found))
    written = None
    if sft is not None:
        pairs = best_pairs(record)
        write_pairs(pairs, sft, source=file)
        written = len(pairs)
        if blank := found.articles - written:
            output.say(f"{file}: {count(blank, 'passage')} left out: the best completion is blank")
    if json:
        output.document(found)
    else:
        _tell(record, found, sft, written)


def _warn(lines: Items[str]) -> None:
    for line in lines[:SHOWN]:
        output.say(line)
    if len(lines) > SHOWN:
        output.say(f"… and {count(len(lines) - SHOWN, 'more mean')} that the verdicts do not give")


def _tell(record: Record, found: RecordFigures, sft: Path | None, written: int | None) -> None:
    output.table(
        ["", "accuracy", "95% interval", "std of passages", "as the file says"],
        [
            _row(
                "before",
                found.baseline_accuracy,
                found.baseline_ci95,
                found.baseline_std,
                record.recorded_before,
            ),
            _row("after", found.adapter_accuracy, found.ci95, found.adapter_std, record.recorded_after),
            _row("gain", found.gain, found.gain_ci95, None, None),
        ],
    )
    print(
        f"{count(found.articles, 'passage')}, {count(found.questions, 'question')}, "
        f"{count(found.verdicts, 'verdict')} after training."
    )
    if written is not None:
        print(f"Wrote {count(written, 'pair')} to {sft}.")


def _row(
    name: str, mean: float, interval: Interval, spread: float | None, recorded: float | None
) -> list[output.Cell]:
    low, high = interval
    return [name, _digits(mean), f"{low:.4f} to {high:.4f}", _digits(spread), _digits(recorded)]


def _digits(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
