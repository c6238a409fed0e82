"""The `selfedit` command. Each verb lives in a module of its own, which is imported when it is called.

Exit codes: 0 what was asked is done; 1 it ran and found a problem, or broke; 2 bad usage or input; 3 the gate
refused; 130 Ctrl-C. Whatever goes wrong is one line on standard error; SELFEDIT_DEBUG=1 shows the traceback.
"""

from __future__ import annotations

import importlib
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import typer
from typer import TyperException

from selfedit import __version__
from selfedit.cli.output import one_line, say
from selfedit.errors import SelfEditError, SlowWarning


@dataclass(frozen=True, slots=True)
class Verb:
    """Where a verb lives, and its line in the help. The module's `verb` is a function or a `typer.Typer`."""

    module: str
    help: str


VERBS = {
    "demo": Verb("selfedit.cli.demo", "Watch a model learn a handbook, minutes from start to end."),
    "learn": Verb("selfedit.cli.learn", "Learn documents into a store."),
    "ask": Verb("selfedit.cli.ask", "Ask what was learned, without the documents."),
    "log": Verb("selfedit.cli.log", "List what was learned, newest first."),
    "show": Verb("selfedit.cli.show", "Show what one commit read, learned and knew."),
    "diff": Verb("selfedit.cli.diff", "Compare the answers of the model at two points."),
    "sources": Verb("selfedit.cli.sources", "List the documents that were learned."),
    "quarantine": Verb("selfedit.cli.quarantine", "List what the gate held back, and why."),
    "approve": Verb("selfedit.cli.approve", "Let in what the gate held back."),
    "reject": Verb("selfedit.cli.reject", "Decide against what the gate held back."),
    "revert": Verb("selfedit.cli.revert", "Take a commit, or one file of it, out of the model."),
    "rollback": Verb("selfedit.cli.rollback", "Go back to how the model was, or forward again."),
    "retrain": Verb("selfedit.cli.retrain", "Train again what rests on what was taken out."),
    "consolidate": Verb("selfedit.cli.consolidate", "Make one adapter of all that was learned."),
    "verify": Verb("selfedit.cli.verify", "Check that everything is as it was written."),
    "gc": Verb("selfedit.cli.gc", "Make room; erase texts and weights for good."),
    "backup": Verb("selfedit.cli.backup", "Copy a store, also while it is in use."),
    "export": Verb("selfedit.cli.export", "Take the model elsewhere: whole, as one LoRA, as adapters."),
    "train": Verb("selfedit.cli.train", "Reinforce the policy that writes the notes, after a recipe."),
    "eval": Verb("selfedit.cli.eval", "Measure what each way of teaching passages leaves, as a table."),
    "stream": Verb(
        "selfedit.cli.stream", "Learn documents one after another: what is kept, by which method."
    ),
    "report": Verb("selfedit.cli.report", "Write a store as one page: rounds, tables, answers, history."),
    "grade": Verb("selfedit.cli.grade", "Decide which answers convey the expected ones."),
    "import-seal": Verb("selfedit.cli.import_seal", "Read result files of the official SEAL repository."),
    "models": Verb("selfedit.cli.models", "List base models, and fetch the built-in one."),
    "doctor": Verb("selfedit.cli.doctor", "What this machine has, and what would be slow on it."),
    "bench": Verb("selfedit.cli.bench", "Measure against named rivals on the same work."),
}
"""In the order of the help. To add a verb, add its line."""

QUIET = {
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
    "TQDM_DISABLE": "1",
    "TRANSFORMERS_NO_ADVISORY_WARNINGS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
}
"""Keeps other libraries' bars and warnings off the screen; what the user has set stands."""

HELP = "A language model that keeps learning: it reads, writes its own training notes, and trains on them."


def main(arguments: Sequence[str] | None = None) -> None:
    """The entry point: run the verb that `arguments` (or the command line) name, and exit."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    sys.exit(run(given or ["--help"]))


def run(arguments: Sequence[str]) -> int:
    """The exit code of `selfedit ARGUMENTS...`. Errors are caught here and nowhere below."""
    debug = bool(os.environ.get("SELFEDIT_DEBUG"))
    if not debug:
        os.environ.update({name: value for name, value in QUIET.items() if name not in os.environ})
        warnings.simplefilter("ignore")
        warnings.simplefilter("always", SlowWarning)
        warnings.showwarning = _show
    named = _named(arguments)
    try:
        code = app(named)(list(arguments), prog_name="selfedit", standalone_mode=False)
        sys.stdout.flush()
    except (KeyboardInterrupt, typer.Abort):
        code = 130
    except BrokenPipeError:
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  (the interpreter flushes it at exit)
        return 1
    except Exception as error:
        if debug:
            traceback.print_exc()
        return _report(error, named)
    if code == 130:
        return _fail("interrupted", 130)
    return code if isinstance(code, int) else 0


def _show(message: Warning | str, *_: object) -> None:
    say(f"note: {message}")


def app(named: str | None) -> typer.Typer:
    """The whole command line as the help shows it; only the verb `named` is imported and can be run."""
    made = typer.Typer(
        name="selfedit",
        help=HELP,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    made.callback()(_top)
    for name, verb in VERBS.items():
        entry = importlib.import_module(verb.module).verb if name == named else _elsewhere
        if isinstance(entry, typer.Typer):
            made.add_typer(entry, name=name, short_help=verb.help)
        else:
            made.command(name, short_help=verb.help)(entry)
    return made


def _named(arguments: Sequence[str]) -> str | None:
    return next((argument for argument in arguments if not argument.startswith("-")), None)


def _elsewhere() -> None:
    """Stands in the help for a verb that was not called."""


def _show_version(wanted: bool) -> None:
    if wanted:
        print(f"selfedit {__version__}")
        raise typer.Exit


def _top(
    version: Annotated[
        bool,
        typer.Option("--version", help="Show the version and exit.", callback=_show_version, is_eager=True),
    ] = False,
) -> None:
    pass


def _report(error: Exception, named: str | None) -> int:
    match error:
        case SelfEditError():
            return _fail(str(error), 2)
        case TyperException():
            help = f"selfedit {named} --help" if named in VERBS else "selfedit --help"
            return _fail(f"{error.format_message().rstrip('.')}; `{help}` shows the way", 2)
        case ModuleNotFoundError(name=str(name)) if not name.startswith("selfedit"):
            return _fail(
                f"the library {name} is missing; install selfedit with all it needs: pip install selfedit", 1
            )
        case _:
            told = one_line(f"{type(error).__name__}: {error}")
            return _fail(f"unexpected {told}; SELFEDIT_DEBUG=1 shows where, please report it", 1)


def _fail(line: str, code: int) -> int:
    print(f"selfedit: {one_line(line)}", file=sys.stderr, flush=True)
    return code


if __name__ == "__main__":
    main()
