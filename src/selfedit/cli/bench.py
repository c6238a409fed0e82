"""`selfedit bench`: benchmarks against named rivals, in the same run on the same work."""

from __future__ import annotations

import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from selfedit.cli import output


class Name(StrEnum):
    train = "train"
    generate = "generate"
    score = "score"
    trial = "trial"
    learning = "learning"
    heads = "heads"
    history = "history"
    rewards = "rewards"
    grading = "grading"
    topics = "topics"
    screening = "screening"
    contradictions = "contradictions"
    abilities = "abilities"


def _count(help: str) -> typer.models.OptionInfo:
    return typer.Option(help=f"{help} Unset: the benchmark's own.", show_default=False, min=1)


def rows_as_markdown(rows: list[dict[str, Any]]) -> str:
    """The learning table as docs/results.md holds it."""
    from selfedit.bench.learning import markdown

    return markdown(rows)


def verb(
    context: typer.Context,
    name: Annotated[Name, typer.Argument(help="What to measure.", show_default=False)],
    base: Annotated[str, typer.Option(help="Built-in name, hub name, folder or GGUF file.")] = "smollm2-135m",
    data: Annotated[
        Path | None,
        typer.Option(help="Folder with squad/train.json; else SELFEDIT_DATA.", show_default=False),
    ] = None,
    synthetic: Annotated[bool, typer.Option("--synthetic", help="Random-word texts, no data.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Seconds, to see that it works.")] = False,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    dtype: Annotated[str, typer.Option(help="auto, float32 or bfloat16.")] = "auto",
    plans: Annotated[int | None, _count("Adapters to train; in trial, trials.")] = None,
    sequences: Annotated[int | None, _count("Training sequences a plan.")] = None,
    epochs: Annotated[int | None, _count("Epochs a plan.")] = None,
    rank: Annotated[int | None, _count("LoRA rank.")] = None,
    subset: Annotated[int | None, _count("Plans that a one-at-a-time rival is measured on.")] = None,
    requests: Annotated[int | None, _count("Rows to generate or score.")] = None,
    max_tokens: Annotated[int | None, _count("New tokens a row.")] = None,
    adapters: Annotated[int | None, _count("heads: adapters of the head.")] = None,
    commits: Annotated[int | None, _count("history: commits.")] = None,
    split: Annotated[str, typer.Option(help="learning: choose or report.")] = "report",
    methods: Annotated[str, typer.Option(help="learning, grading: by name, commas between.")] = "",
    limit: Annotated[int | None, _count("learning, rewards: passages.")] = None,
    part: Annotated[str, typer.Option(help="learning, rewards: K/N, the K-th of N shares (from 0).")] = "0/1",
    runs: Annotated[
        Path, typer.Option(help="learning, rewards: where answers are kept as they come.")
    ] = Path("runs"),
    grader: Annotated[str, typer.Option(help="learning, rewards: rules, words, local, base.")] = "words",
    near_misses: Annotated[
        bool, typer.Option("--near-misses", help="abilities: after learning, with near-misses and without.")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON array on standard output.")] = False,
) -> None:
    """Measure a verb against its rivals, graders and rewards, or what each way of writing teaches.

    learning and rewards go on where they were broken off.
    """
    if name is Name.learning:
        from selfedit.bench.learning import command

        rows = command(
            data or os.environ.get("SELFEDIT_DATA"), (split, methods, part, grader), limit, dtype, runs
        )
        return output.document(rows) if json else print(rows_as_markdown(rows))
    if name is Name.rewards:
        from selfedit.bench import reward_table
        from selfedit.bench.rewards import command as trials
        from selfedit.graders import grader_for

        found = trials(data or os.environ.get("SELFEDIT_DATA"), part, limit, dtype, runs)
        rows = reward_table.table(found, grader_for(grader))
        return output.document(rows) if json else print(reward_table.markdown(rows))
    if name is Name.grading:
        from selfedit.bench.grading import command as graded
        from selfedit.bench.grading import markdown as told

        rows = graded(data or os.environ.get("SELFEDIT_DATA"), methods, requests)
        return output.document(rows) if json else print(told(rows))
    if name is Name.topics:
        from selfedit.bench import topics

        rows = topics.command(data or os.environ.get("SELFEDIT_DATA"))
        return output.document(rows) if json else print(topics.markdown(rows))
    if name is Name.screening:
        from selfedit.bench import screening

        rows = screening.command()
        return output.document(rows) if json else print(screening.markdown(rows))
    if name is Name.contradictions:
        from selfedit.bench import contradictions

        source = context.get_parameter_source("base")
        asked = base if source is not None and source.name == "COMMANDLINE" else None
        rows = contradictions.command(asked, data or os.environ.get("SELFEDIT_DATA"))
        return output.document(rows) if json else print(contradictions.markdown(rows))
    if name is Name.abilities:
        from selfedit.bench import abilities

        folder, machine = data or os.environ.get("SELFEDIT_DATA"), (base, device, dtype)
        rows = abilities.command(near_misses, folder, limit, machine, runs)
        return output.document(rows) if json else print(abilities.markdown(rows))
    from selfedit.bench import markdown, run, settings_for

    if name is Name.heads:
        from selfedit.bench.heads import command as heads

        rows = heads(quick, base=base, device=device, dtype=dtype, adapters=adapters, rank=rank)
        return output.document(rows) if json else print(markdown(rows))
    if name is Name.history:
        from selfedit.bench.history import command as history

        rows = history(quick, commits)
        return output.document(rows) if json else print(markdown(rows))
    folder = str(data) if data else os.environ.get("SELFEDIT_DATA")
    settings = settings_for(
        name.value, quick=quick, base=base, data=folder, synthetic=synthetic, device=device, dtype=dtype,
        plans=plans, sequences=sequences, epochs=epochs, rank=rank, subset=subset, requests=requests,
        max_tokens=max_tokens,
    )  # fmt: skip
    rows = [row.as_json() for row in run(settings)]
    if json:
        output.document(rows)
    else:
        print(markdown(rows))
