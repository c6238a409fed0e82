"""`selfedit learn`: documents become weights, and what was asked before and after stands side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from selfedit.cli import output
from selfedit.cli.progress import Stages

if TYPE_CHECKING:
    from selfedit.config import Learning
    from selfedit.forecast import Forecast
    from selfedit.lifelong import LearnReport
    from selfedit.measuring import Asked, Interval

REFUSED = 3
NOTHING_LEARNED = 1
UNTESTED = "No question could be made to test it; give your own with --questions FILE."
FIGURES = (
    "recall_before", "recall_after", "concise_before", "concise_after", "mismatch_before", "mismatch_after",
    "retention",
)  # fmt: skip

Store = Annotated[Path, typer.Option(help="The store; made if it is not there.", show_default=False)]
Device = Annotated[str, typer.Option(help="auto, cpu or cuda.")]
Dtype = Annotated[
    str | None, typer.Option(help="auto, float32 or bfloat16. Unset: the store's own.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="One JSON document on standard output.")]


def verb(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders of them.", show_default=False)],
    store: Store,
    base: Annotated[
        str | None,
        typer.Option(
            help="Model of a new store: built-in or hub name, folder, GGUF file. Unset: smollm2-135m.",
            show_default=False,
        ),
    ] = None,
    format: Annotated[
        str | None,
        typer.Option(help="Format of the notes, or a template file.", show_default="question-answer"),
    ] = None,
    samples: Annotated[
        int | None, typer.Option(help="Notes tried for each passage.", show_default="2")
    ] = None,
    questions: Annotated[
        Path | None,
        typer.Option(help="Your own questions (.jsonl .json .csv .tsv); they report.", show_default=False),
    ] = None,
    each: Annotated[bool, typer.Option("--each", help="One commit a file, in place of one of all.")] = False,
    no_gate: Annotated[bool, typer.Option("--no-gate", help="Commit whatever was learned.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Tell the work, time and memory; write nothing.")
    ] = False,
    seed: Annotated[int | None, typer.Option(help="Where chance begins.", show_default="0")] = None,
    epochs: Annotated[
        int | None, typer.Option(help="Epochs of the training that is kept.", show_default="5")
    ] = None,
    learning_rate: Annotated[
        float | None, typer.Option(help="Learning rate of the training that is kept.", show_default="0.002")
    ] = None,
    device: Device = "auto",
    dtype: Dtype = None,
    json: Json = False,
) -> None:
    """Learn documents: the model writes notes on them, trains on the notes and is tested without them."""
    from selfedit.config import learning
    from selfedit.memory import Memory, check

    final = {"epochs": epochs, "learning_rate": learning_rate}
    settings = learning(format=format, samples=samples, seed=seed, final=final)
    check(paths, settings, questions)
    if dry_run:
        memory = Memory.imagined(store, base, device=device, dtype=dtype)
        show_forecast(memory.forecast(paths, settings=settings, questions=questions), json)
        return
    with Stages() as stages:
        stages.watch("loading the model", 0, 0)
        with Memory.open_or_make(store, base, device=device, dtype=dtype) as memory:
            report = memory.learn(
                paths, settings=settings, questions=questions, each=each, gate=not no_gate, watch=stages.watch
            )
    if json:
        output.document(as_json(report))
    else:
        show_report(report, store, settings)
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


def show_report(report: LearnReport, store: Path, settings: Learning) -> None:
    """What was read, the answers, the figures, and what to do next."""
    for line in report.skipped:
        print(f"- {line}")
    if not report.tasks:
        print(report.reason)
        return
    print(f"Read {_count(report.tasks, 'passage')}; tried {_count(report.trials, 'note')}", end="")
    print(f", {report.failures} of them without success." if report.failures else ".")
    show_answers(report)
    show_figures(report)
    if report.commits:
        print(f"\nCommitted: {', '.join(commit[:12] for commit in report.commits)} ({report.reason})")
        print(f"Ask it:    {ask_line(report, store)}" if report.asked else UNTESTED)
    else:
        print(f"\nNot committed: {report.reason}. The store is as it was.")


def show_answers(report: LearnReport) -> None:
    """Every reporting question with its answers."""
    rows = [
        [*map(_short, (row.probe.question, row.probe.answer, row.before.text, row.after.text)), _mark(row)]
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
            "recall": _change(
                report.recall_before, report.recall_after, report.recall_ci95 if passages > 1 else None
            ),
            "concise": _change(
                report.concise_before, report.concise_after, report.concise_ci95 if passages > 1 else None
            ),
            "mismatch": _change(report.mismatch_before, report.mismatch_after, None),
            "asked": f"{_count(report.probes, 'question')} on {_count(passages, 'passage')}",
            "earlier": _share(report.retention) if report.retention is not None else "nothing learned before",
            "trained": f"{report.tokens:,} tokens",
            "took": f"{report.seconds:.0f} s, {output.size(peak_memory())} of memory at most",
        }
    )


def ask_line(report: LearnReport, store: Path) -> str:
    """A command that asks one of the reporting questions, one that was answered rightly if there is any."""
    asked = next((row for row in report.asked if row.after.correct), report.asked[0]).probe
    topic = f" --topic {_quoted(asked.topic)}" if asked.topic else ""
    return f"selfedit ask {_quoted(asked.question)}{topic} --store {_quoted(str(store))}"


def _change(before: float | None, after: float | None, ci95: Interval | None) -> str:
    interval = f"   95% interval {ci95[0]:.2f} to {ci95[1]:.2f}" if ci95 else ""
    return f"{_share(before)} → {_share(after)}{interval}"


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _mark(row: Asked) -> str:
    if not row.after.correct:
        return "wrong"
    return "right" if row.after.concise else "right, long"


def _short(text: str) -> str:
    flat = output.one_line(text)
    return flat if len(flat) <= 70 else f"{flat[:69]}…"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _quoted(text: str) -> str:
    from shlex import quote

    return quote(output.one_line(text))


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
            "reporting": f"up to {_count(found.reporting_probes, 'question')}",
            "time": f"some {_time(found.seconds)}",
            "memory": f"some {output.size(found.memory)}{free}",
        }
    )
    print("Nothing was written.")


def _time(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} minutes"
