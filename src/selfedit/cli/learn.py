"""`selfedit learn`: documents become weights, and what was asked before and after stands side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.options import Device, Json, NoWait, access
from selfedit.cli.progress import Stages
from selfedit.cli.quarantine import as_json as held_json
from selfedit.cli.wording import (
    change,
    clipped,
    command,
    computed,
    count,
    files,
    listed,
    retained,
    short,
    span,
    verdict,
)

if TYPE_CHECKING:
    from selfedit.forecast import Forecast
    from selfedit.lifelong import LearnReport
    from selfedit.measuring import Asked

REFUSED = 3
NOTHING_LEARNED = 1
UNTESTED = "No question could be made to test it; give your own with --questions FILE."
FIGURES = (
    "recall_before", "recall_after", "concise_before", "concise_after", "mismatch_before", "mismatch_after",
    "retention",
)  # fmt: skip

Paths = Annotated[list[Path], typer.Argument(help="Files, or folders of them.", show_default=False)]
Place = Annotated[Path, typer.Option(help="The store; made if it is not there.", show_default=False)]
Base = Annotated[
    str | None,
    typer.Option(
        help="Model of a new store: built-in or hub name, folder, GGUF file. Unset: smollm2-135m.",
        show_default=False,
    ),
]
Format = Annotated[
    str | None, typer.Option(help="Format of the notes, or a template file.", show_default="question-answer")
]
Samples = Annotated[int | None, typer.Option(help="Notes tried for each passage.", show_default="1")]
Questions = Annotated[
    Path | None,
    typer.Option(help="Your own questions (.jsonl .json .csv .tsv); they report.", show_default=False),
]
Each = Annotated[bool, typer.Option("--each", help="One commit a file, in place of one of all.")]
Retention = Annotated[
    str | None,
    typer.Option(
        help="What keeps earlier learning: router (each commit answers alone), naive (all are summed), "
        "replay, distillation, orthogonal, null-space, elastic, bisection; commas between.",
        show_default="router",
    ),
]
Correction = Annotated[
    bool, typer.Option("--correction", help="What it says against earlier documents is right: replace that.")
]
Abstain = Annotated[
    float | None,
    typer.Option(
        help="For each question that is trained, so many like it that nothing answers: it says so.",
        show_default="0",
    ),
]
Recite = Annotated[
    bool | None,
    typer.Option(
        "--recite/--no-recite",
        help="Learn sentences by heart: asked, say one and read the answer in it. Else, and with --abstain "
        "or another format, answer at once.",
        show_default="recite",
    ),
]
NoGate = Annotated[bool, typer.Option("--no-gate", help="Commit whatever was learned.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Tell the work, time and memory; write nothing.")]
Seed = Annotated[int | None, typer.Option(help="Where chance begins.", show_default="0")]
Epochs = Annotated[int | None, typer.Option(help="Epochs of the training that is kept.", show_default="5")]
Rate = Annotated[
    float | None, typer.Option(help="Learning rate of the training that is kept.", show_default="0.002")
]
Dtype = Annotated[
    str | None, typer.Option(help="auto, float32 or bfloat16. Unset: the store's own.", show_default=False)
]
Journal = Annotated[
    str,
    typer.Option(
        help="A new store's journal on PostgreSQL, by URL; its password is better in PGPASSWORD.",
        envvar="SELFEDIT_JOURNAL",
        show_default="a file",
    ),
]


def verb(
    paths: Paths,
    store: Place,
    base: Base = None,
    format: Format = None,
    samples: Samples = None,
    questions: Questions = None,
    each: Each = False,
    retention: Retention = None,
    abstain: Abstain = None,
    correction: Correction = False,
    recite: Recite = None,
    no_gate: NoGate = False,
    dry_run: DryRun = False,
    seed: Seed = None,
    epochs: Epochs = None,
    learning_rate: Rate = None,
    device: Device = "auto",
    dtype: Dtype = None,
    journal: Journal = "",
    no_wait: NoWait = False,
    json: Json = False,
) -> None:
    """Learn documents: the model writes notes on them, trains on the notes and is tested without them.

    A file that has changed since takes the place of its old version; an unchanged one is skipped.
    """
    from selfedit.config import learning
    from selfedit.memory import Memory, check

    final = {"epochs": epochs, "learning_rate": learning_rate}
    strategies = tuple(name.strip() for name in retention.split(",")) if retention is not None else None
    settings = learning(
        format=format,
        samples=samples,
        seed=seed,
        final=final,
        retention={"strategies": strategies},
        abstention=abstain,
        recite=recite,
    )
    check(paths, settings, questions)
    opened = access(no_wait, journal)
    if dry_run:
        memory = Memory.imagined(store, base, device=device, dtype=dtype, access=opened)
        show_forecast(memory.forecast(paths, settings=settings, questions=questions), json)
        return
    with Stages() as stages:
        stages.watch("loading the model", 0, 0)
        with Memory.open_or_make(store, base, device=device, dtype=dtype, access=opened) as memory:
            report = memory.learn(
                paths,
                settings=settings,
                questions=questions,
                each=each,
                gate=not no_gate,
                correction=correction,
                watch=stages.watch,
            )
    if json:
        output.document(as_json(report))
    else:
        show_report(report, store)
    raise typer.Exit(exit_code(report))


def exit_code(report: LearnReport) -> int:
    """0 learned, or nothing new; 1 nothing at all could be learned; 3 the gate refused."""
    if report.failed:
        return NOTHING_LEARNED
    return 0 if report.accepted else REFUSED


# -- for programs ----------------------------------------------------------------------------------------


def as_json(report: LearnReport) -> dict[str, Any]:
    """The report under the names that the command line promises, and more."""
    from selfedit.forecast import peak_memory

    return {
        "commits": report.commits,
        "tasks": report.tasks,
        "probes": report.probes,
        **{name: getattr(report, name) for name in FIGURES},
        "accepted": report.accepted,
        "reason": report.reason,
        "seconds": round(report.seconds, 3),
        "recall_ci95": report.recall_ci95,
        "concise_ci95": report.concise_ci95,
        "tokens": report.tokens,
        "trials": report.trials,
        "failures": report.failures,
        "peak_memory": peak_memory(),
        "skipped": report.skipped,
        "replaced": report.replaced,
        "stale": report.stale,
        "checks": report.checks,
        "quarantined": [held_json(each) for each in report.quarantined],
        "notes": report.notes,
        "left_out": report.left_out,
        "engine": report.engine,
        "asked": [_row(row) for row in report.asked],
    }


def _row(row: Asked) -> dict[str, Any]:
    return {
        "topic": row.probe.topic,
        "question": row.probe.question,
        "gold": row.probe.answer,
        "origin": row.probe.origin,
        "before": row.before.text,
        "after": row.after.text,
        "right_before": row.before.correct,
        "right": row.after.correct,
        "concise_before": row.before.concise,
        "concise": row.after.concise,
    }


# -- for people ------------------------------------------------------------------------------------------


def show_report(report: LearnReport, store: Path) -> None:
    """What was read, the answers, the figures, and what to do next."""
    for line in (*report.skipped, *report.notes):
        print(f"- {line}")
    if report.tasks:
        _show_learned(report, store)
    elif not report.quarantined:
        print(report.reason)
    if report.quarantined:
        _show_held_back(report, store)
    if report.stale:
        print(f"To be trained again, for resting on what was replaced: {listed(report.stale)}.")
        print(f"To do so:  {command('retrain', store=store)}")


def _show_learned(report: LearnReport, store: Path) -> None:
    from selfedit.gate import TOLD

    print(f"Read {count(report.tasks, 'passage')}; tried {count(report.trials, 'note')}", end="")
    print(f", {report.failures} of them without success." if report.failures else ".")
    if report.left_out:
        print(f"The screening left {count(report.left_out, 'row')} of the notes out.")
    show_answers(report)
    show_figures(report)
    if report.commits:
        print(f"\nCommitted: {listed(report.commits)}{f' ({report.reason})' if report.accepted else ''}")
        for check in report.checks:
            if check.passed and check.name not in TOLD:
                print(f"Checked:   {check.told}")
        for old, new in report.replaced:
            print(f"Revised:   {short(new)} takes the place of {short(old)}")
        print(f"Ask it:    {ask_line(report, store)}" if report.asked else UNTESTED)
        print(f"Undo it:   {command('revert', short(report.commits[-1]), store=store)}")
    elif not report.quarantined:
        print(f"\nNot committed: {report.reason}. The store is as it was.")


def _show_held_back(report: LearnReport, store: Path) -> None:
    print("\nHeld back by the gate; the model is as it was:")
    for each in report.quarantined:
        print(f"  {short(each.id)}  {files(each.sources)}")
        for reason in each.reasons:
            print(f"    - {reason}")
    print(f"To see and decide:  {command('quarantine', store=store)}")


def show_answers(report: LearnReport) -> None:
    """Every reporting question with its answers."""
    rows = [
        [
            *map(clipped, (row.probe.question, row.probe.answer, row.before.text, row.after.text)),
            verdict(row.after),
        ]
        for row in report.asked
    ]
    if rows:
        output.table(["question", "wanted", "before", "after", ""], rows)


def show_figures(report: LearnReport) -> None:
    """Recall, concise accuracy and the mismatch control, with what they took."""
    from selfedit.forecast import peak_memory

    passages = len({row.task for row in report.asked})
    output.pairs(
        {
            "recall": change(
                report.recall_before, report.recall_after, report.recall_ci95 if passages > 1 else None
            ),
            "concise": change(
                report.concise_before, report.concise_after, report.concise_ci95 if passages > 1 else None
            ),
            "mismatch": change(report.mismatch_before, report.mismatch_after, None),
            "asked": f"{count(report.probes, 'question')} on {count(passages, 'passage')}",
            "earlier": retained(report.retention),
            "trained": f"{report.tokens:,} tokens",
            "took": f"{report.seconds:.0f} s, {output.size(peak_memory())} of memory at most",
            **({"computed": computed(report.engine)} if report.engine else {}),
        }
    )


def ask_line(report: LearnReport, store: Path) -> str:
    """A command that asks one of the reporting questions, one that was answered rightly if there is any."""
    asked = next((row for row in report.asked if row.after.correct), report.asked[0]).probe
    topic = ("--topic", output.one_line(asked.topic)) if asked.topic else ()
    return command("ask", output.one_line(asked.question), *topic, store=store)


# -- dry run ---------------------------------------------------------------------------------------------


def show_forecast(found: Forecast, json: bool) -> None:
    """The planned work."""
    if json:
        output.document(found)
        return
    for line in found.skipped:
        print(f"- {line}")
    if not found.passages:
        print("nothing new to learn")
        return
    output.table(["passage", "tokens"], [[each.title, each.tokens] for each in found.passages])
    free = f" of {output.size(found.memory_free)} free" if found.memory_free is not None else ""
    output.pairs(
        {
            "passages": len(found.passages),
            "notes": f"{found.samples}, of which one for each passage is learned",
            "adapters": f"{found.plans}, in {found.steps} steps on some {found.trained_tokens:,} tokens",
            "written": f"some {found.written_tokens:,} tokens of notes, questions and answers",
            "reporting": f"up to {count(found.reporting_probes, 'question')}",
            "time": f"some {span(found.seconds)}",
            "memory": f"some {output.size(found.memory)}{free}",
        }
    )
    print("Nothing was written.")
