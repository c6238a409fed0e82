"""`selfedit bench`: benchmarks against named rivals, in the same run on the same work."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer

from selfedit.cli import output

verb = typer.Typer(
    help="Measure a verb against its rivals, graders and rewards, or what each way of writing teaches.",
    rich_markup_mode=None,
)

SPEED = {
    "train": "Training many adapters, against Trainer and PEFT one at a time.",
    "generate": "Answering with many adapters, against transformers' mixed batches.",
    "score": "Teacher-forced scoring with many adapters.",
    "trial": "Whole trials: train, answer, grade.",
}


def _count(help: str) -> typer.models.OptionInfo:
    return typer.Option(help=f"{help} Unset: the benchmark's own.", show_default=False, min=1)


Json = Annotated[bool, typer.Option("--json", help="One JSON array on standard output.")]
Quick = Annotated[bool, typer.Option("--quick", help="Seconds, to see that it works.")]
Base = Annotated[str, typer.Option(help="Built-in name, hub name, folder or GGUF file.")]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[str, typer.Option(help="auto, float32 or bfloat16.")]
Data = Annotated[
    Path | None, typer.Option(help="The folder of data; else SELFEDIT_DATA.", show_default=False)
]
Rank = Annotated[int | None, _count("LoRA rank.")]
Limit = Annotated[int | None, _count("Passages.")]
Part = Annotated[str, typer.Option(help="K/N, the K-th of N shares (from 0).")]
Runs = Annotated[Path, typer.Option(help="Where answers are kept as they come; it goes on from there.")]
Grader = Annotated[str, typer.Option(help="rules, words, local, base.")]
Methods = Annotated[str, typer.Option(help="By name, commas between; else all.")]

SMOLLM2, RUNS = "smollm2-135m", Path("runs")


def speed(
    context: typer.Context,
    base: Base = SMOLLM2,
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with squad/train.json; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Random-word texts, no data.")] = False,
    quick: Quick = False,
    device: Device = "auto",
    dtype: Dtype = "auto",
    plans: Annotated[int | None, _count("Adapters to train; in trial, trials.")] = None,
    sequences: Annotated[int | None, _count("Training sequences a plan.")] = None,
    epochs: Annotated[int | None, _count("Epochs a plan.")] = None,
    rank: Rank = None,
    subset: Annotated[int | None, _count("Plans that a one-at-a-time rival is measured on.")] = None,
    requests: Annotated[int | None, _count("Rows to generate or score.")] = None,
    max_tokens: Annotated[int | None, _count("New tokens a row.")] = None,
    json: Json = False,
) -> None:
    """Real tokens a second, against the published way and a careful one, each with its best threads."""
    from selfedit.bench import markdown, run, settings_for

    settings = settings_for(
        context.info_name or "", quick=quick, base=base, data=_folder(data), synthetic=synthetic,
        device=device, dtype=dtype, plans=plans, sequences=sequences, epochs=epochs, rank=rank, subset=subset,
        requests=requests, max_tokens=max_tokens,
    )  # fmt: skip
    _tell([row.as_json() for row in run(settings)], markdown, json)


for name, line in SPEED.items():
    verb.command(name, short_help=line)(speed)


@verb.command()
def heads(
    quick: Quick = False,
    base: Base = SMOLLM2,
    device: Device = "auto",
    dtype: Dtype = "auto",
    adapters: Annotated[int | None, _count("Adapters of the head.")] = None,
    rank: Rank = None,
    json: Json = False,
) -> None:
    """Building the head of many commits."""
    from selfedit.bench import markdown
    from selfedit.bench.heads import command

    rows = command(quick, base=base, device=device, dtype=dtype, adapters=adapters, rank=rank)
    _tell(rows, markdown, json)


@verb.command()
def history(
    quick: Quick = False, commits: Annotated[int | None, _count("Commits.")] = None, json: Json = False
) -> None:
    """Reading and writing a store of many commits."""
    from selfedit.bench import markdown
    from selfedit.bench.history import command

    _tell(command(quick, commits), markdown, json)


@verb.command()
def learning(
    data: Data = None,
    split: Annotated[str, typer.Option(help="choose or report.")] = "report",
    methods: Methods = "",
    limit: Limit = None,
    part: Part = "0/1",
    dtype: Dtype = "auto",
    runs: Runs = RUNS,
    grader: Grader = "words",
    json: Json = False,
) -> None:
    """What each way of writing notes leaves of a passage. Goes on where it was broken off."""
    from selfedit.bench.learning import command, markdown

    rows = command(_folder(data), (split, methods, part, grader), limit, dtype, runs)
    _tell(rows, markdown, json)


@verb.command()
def rewards(
    data: Data = None,
    limit: Limit = None,
    part: Part = "0/1",
    dtype: Dtype = "auto",
    runs: Runs = RUNS,
    grader: Grader = "words",
    json: Json = False,
) -> None:
    """What each reward costs and how well it foretells. Goes on where it was broken off."""
    from selfedit.bench.reward_table import markdown, table
    from selfedit.bench.rewards import command
    from selfedit.graders import grader_for

    found = command(_folder(data), part, limit, dtype, runs)
    _tell(table(found, grader_for(grader)), markdown, json)


@verb.command()
def grading(
    data: Data = None,
    methods: Methods = "",
    requests: Annotated[int | None, _count("Answers to grade.")] = None,
    json: Json = False,
) -> None:
    """Graders against the published verdicts, and what controls earn from them."""
    from selfedit.bench.grading import command, markdown

    _tell(command(_folder(data), methods, requests), markdown, json)


@verb.command()
def topics(
    base: Annotated[
        str | None, typer.Option(help="A model whose writer tells, as in `ask`.", show_default=False)
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Which learned passage `ask` takes a question to be about."""
    from selfedit.bench.topics import command, markdown

    _tell(command(_folder(data), base), markdown, json)


@verb.command()
def screening(
    base: Annotated[
        str | None, typer.Option(help="A model whose guard reads them too.", show_default=False)
    ] = None,
    json: Json = False,
) -> None:
    """Which harmful documents are stopped, and which harmless ones."""
    from selfedit.bench.screening import command, markdown

    _tell(command(base), markdown, json)


@verb.command()
def contradictions(
    base: Annotated[
        str | None, typer.Option(help="A model that reads the pairs too.", show_default=False)
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Which contradictions of what was learned are found, and which are wrongly told."""
    from selfedit.bench.contradictions import command, markdown

    _tell(command(base, _folder(data)), markdown, json)


@verb.command()
def transforms(
    tasks: Annotated[
        str,
        typer.Option(help="ARC tasks by name, file or folder; commas between."),
    ] = "arc1,arc2",
    json: Json = False,
) -> None:
    """ARC tasks through every transform and back, and what a generated task costs."""
    from selfedit.bench.transforms import command, markdown

    _tell(command([each.strip() for each in tasks.split(",")]), markdown, json)


@verb.command()
def abilities(
    near_misses: Annotated[
        bool, typer.Option("--near-misses", help="After learning, with near-misses and without.")
    ] = False,
    data: Data = None,
    limit: Limit = None,
    base: Base = SMOLLM2,
    device: Device = "auto",
    dtype: Dtype = "auto",
    runs: Runs = RUNS,
    json: Json = False,
) -> None:
    """What the base can do, and how often it invents: before learning, and after."""
    from selfedit.bench.abilities import command, markdown

    rows = command(near_misses, _folder(data), limit, (base, device, dtype), runs)
    _tell(rows, markdown, json)


def _folder(data: Path | None) -> str | None:
    return str(data) if data else os.environ.get("SELFEDIT_DATA")


def _tell(rows: list[dict[str, Any]], markdown: Callable[[list[dict[str, Any]]], str], json: bool) -> None:
    if json:
        output.document(rows)
    else:
        print(markdown(rows))
