"""The command line's frame, with verbs made here."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Any

import pytest
import typer

from selfedit import __version__
from selfedit.cli import main
from selfedit.errors import StoreError

COMMAND = [sys.executable, "-m", "selfedit.cli.main"]

Add = Callable[[Any], None]


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("SELFEDIT_DEBUG", raising=False)
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.fixture
def add(monkeypatch: pytest.MonkeyPatch) -> Add:
    """Make its argument the verb `try`."""

    def adds(verb: Any) -> None:
        module = types.ModuleType("selfedit.cli.tried")
        module.verb = verb  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(main.VERBS, "try", main.Verb(module.__name__, "Made for a test."))

    return adds


def raising(error: BaseException) -> Callable[[], None]:
    def verb() -> None:
        raise error

    return verb


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (StoreError("notes: made by a newer\nversion"), 2, "selfedit: notes: made by a newer version\n"),
        (KeyboardInterrupt(), 130, "selfedit: interrupted\n"),
        (typer.Abort(), 130, "selfedit: interrupted\n"),
        (
            ZeroDivisionError("by\nzero"),
            1,
            "selfedit: unexpected ZeroDivisionError: by zero; SELFEDIT_DEBUG=1",
        ),
        (ModuleNotFoundError("no", name="torch"), 1, "selfedit: the library torch is missing; install"),
        (
            typer.BadParameter("not a number"),
            2,
            "selfedit: Invalid value: not a number; `selfedit try --help`",
        ),
        (typer.Exit(3), 3, ""),
    ],
)
def test_what_goes_wrong_is_one_line_and_a_code(
    error: BaseException, code: int, line: str, add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    add(raising(error))
    assert main.run(["try"]) == code
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith(line)
    assert shown.err.count("\n") == (1 if line else 0)


def test_debug_shows_the_traceback(add: Add, capsys: pytest.CaptureFixture[str], monkeypatch: Any) -> None:
    monkeypatch.setenv("SELFEDIT_DEBUG", "1")
    add(raising(ZeroDivisionError("by zero")))
    assert main.run(["try"]) == 1
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert shown.splitlines()[-1].startswith("selfedit: unexpected ZeroDivisionError")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["bogus"], "No such command 'bogus'"),
        (["--bogus"], "No such option: --bogus"),
        (["try"], "Missing argument"),
        (["try", "many"], "Invalid value for"),
        (["try", "1", "2"], "unexpected extra argument"),
        (["try", "1", "--bogus"], "No such option"),
    ],
)
def test_wrong_usage_is_one_line_and_code_2(
    arguments: list[str], said: str, add: Add, capsys: pytest.CaptureFixture[str]
) -> None:
    def verb(count: Annotated[int, typer.Argument()]) -> None:
        print(count)

    add(verb)
    assert main.run(arguments) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert said in shown.err
    assert shown.err.count("\n") == 1
    assert f"`selfedit {'try ' if arguments[0] == 'try' else ''}--help`" in shown.err


def test_a_verb_runs_with_what_it_is_given(add: Add, capsys: pytest.CaptureFixture[str]) -> None:
    def verb(
        count: Annotated[int, typer.Argument()], twice: Annotated[bool, typer.Option("--twice")] = False
    ) -> None:
        print(count * (2 if twice else 1))

    add(verb)
    assert main.run(["try", "21", "--twice"]) == 0
    assert capsys.readouterr().out == "42\n"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main.run(["--version"]) == 0
    assert capsys.readouterr().out == f"selfedit {__version__}\n"


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_names_every_verb(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main.main(arguments)
    shown = capsys.readouterr().out
    assert ended.value.code == 0
    for name, verb in main.VERBS.items():
        assert f"  {name} " in shown
        assert verb.help.split()[0] in shown


@pytest.mark.parametrize(
    "arguments", [[], *([name] for name in main.VERBS)], ids=lambda given: " ".join(given)
)
def test_help_imports_nothing_heavy(arguments: list[str]) -> None:
    code = (
        "import sys; from selfedit.cli.main import run; code = run([*sys.argv[1:], '--help']); "
        "heavy = {'torch', 'transformers', 'sqlalchemy', 'numpy', 'httpx2', 'matplotlib', 'jinja2'}; "
        "heavy &= set(sys.modules); "
        "assert not heavy, heavy; sys.exit(code)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert " ".join(["Usage: selfedit", *arguments]) in done.stdout


def test_looking_at_a_store_loads_no_engine(tmp_path: Path) -> None:
    place = str(tmp_path / "memory")
    code = (
        "import sys; from selfedit.cli.main import run; from selfedit.store import Store; "
        "place = sys.argv[1]; "
        "Store.create(place, base='fake', weights='f' * 64, dtype='float32').close(); "
        "verbs = 'log', 'sources', 'rollback base', 'retrain', 'verify', 'gc'; "
        "codes = [run([*verb.split(), '--store', place]) for verb in verbs]; "
        "assert codes == [0] * 6, codes; assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code, place], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_help_takes_no_more_than_twice_what_typer_and_rich_take() -> None:
    def seconds(command: list[str]) -> float:
        start = time.perf_counter()
        subprocess.run(command, check=True, capture_output=True)
        return time.perf_counter() - start

    both = [
        (seconds([sys.executable, "-c", "import typer, rich"]), seconds([*COMMAND, "--help"]))
        for _ in range(7)
    ]
    assert min(ours for _, ours in both) <= 2 * min(theirs for theirs, _ in both)


def test_a_reader_that_goes_away_is_no_error() -> None:
    process = subprocess.Popen([*COMMAND, "--help"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.stderr.read() == b""
    process.stderr.close()
    assert process.wait() == 1
