"""`selfedit grade` as it is called: lines for programs, a table for people, and each way to go wrong."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from selfedit.cli import grade, main
from selfedit.errors import UsageError
from selfedit.rewards.rules import RuleGrader
from selfedit.types import Failure, GradeRequest, Verdict

from .conftest import Ended

COMMAND = [sys.executable, "-m", "selfedit.cli.main", "grade"]
KEY = "sk-very-secret-0123456789"
FIELDS = ("question", "answer", "prediction")

Grade = Callable[..., Ended]
Row = dict[str, Any]


def row(prediction: str = "It is Perrin Osk.", answer: str = "Perrin Osk", **more: object) -> Row:
    return {"question": "Who keeps the weights?", "answer": answer, "prediction": prediction, **more}


def write(path: Path, *rows: object) -> str:
    data = "".join(f"{json.dumps(each)}\n" for each in rows).encode()
    path.write_bytes(gzip.compress(data) if path.suffix == ".gz" else data)
    return str(path)


@pytest.fixture
def graded(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Grade:
    """Run `selfedit grade ARGUMENTS...`, by the rules unless they say otherwise."""
    monkeypatch.delenv("SELFEDIT_JUDGE_KEY", raising=False)

    def ran(*arguments: str) -> Ended:
        capsys.readouterr()
        code = main.run(["grade", *_by_rules(arguments)])
        shown = capsys.readouterr()
        return Ended(code, shown.out, shown.err)

    return ran


def _by_rules(arguments: tuple[str, ...]) -> tuple[str, ...]:
    """Without a model: what the local grader decides is held elsewhere."""
    return arguments if "--grader" in arguments else (*arguments, "--grader", "rules")


def lines(ended: Ended) -> list[Row]:
    return [json.loads(line) for line in ended.out.splitlines()]


# -- rules ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["rows.jsonl", "rows.jsonl.gz", "rows.JSONL.GZ"])
def test_a_line_a_row_in_order(name: str, here: Path, graded: Grade) -> None:
    path = here / name
    data = "".join(f"{json.dumps(each)}\n" for each in (row(), row("Isaura"), row(""))).encode()
    path.write_bytes(gzip.compress(data) if name.lower().endswith("gz") else data)
    ended = graded(str(path), "--json")
    assert ended.code == 0
    assert lines(ended) == [{"correct": c, "score": float(c)} for c in (True, False, False)]
    assert ended.err == "grading\n"


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.lists(st.tuples(st.text(), st.text().map(lambda t: f"{t}x"), st.text()), min_size=1, max_size=20)
)
def test_lines_are_in_the_order_of_the_rows(
    rows: list[tuple[str, str, str]], here: Path, graded: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However many rows a grader is given at a time."""
    monkeypatch.setattr(grade, "AT_ONCE", 3)
    path = write(here / "rows.jsonl", *(dict(zip(FIELDS, each, strict=True)) for each in rows))
    ended = graded(path, "--json")
    expected = RuleGrader().grade([GradeRequest(*each) for each in rows])
    assert [Verdict(**line) for line in lines(ended)] == expected
    assert ended.code == 0


def test_large_predictions_do_not_pile_up(here: Path, graded: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = list[int]()

    class Counting:
        name = "counting"

        def grade(self, requests: list[GradeRequest]) -> list[Verdict | Failure]:
            sizes.append(len(requests))
            return [Verdict(True, 1.0)] * len(requests)

    monkeypatch.setattr(grade, "_grader", lambda *options: Counting())
    monkeypatch.setattr(grade, "CHARACTERS", 1000)
    path = write(here / "rows.jsonl", *(row("x" * size) for size in (600, 600, 1, 5000, 1)))
    assert graded(path, "--json").code == 0
    assert sizes == [2, 2, 1]


@pytest.mark.parametrize(
    ("answer", "prediction"),
    [("?!", "?!"), ("İstanbul", "istanbul"), ("ירושלים", "ירושלים"), ("🏝️", "🏝️"), ("188", "188 " * 2_500_000)],
)  # fmt: skip
def test_unusual_rows_are_graded(answer: str, prediction: str, here: Path, graded: Grade) -> None:
    ended = graded(write(here / "rows.jsonl", row(prediction, answer), row("", answer)), "--json")
    assert ended.code == 0
    assert [set(line) for line in lines(ended)] == [{"correct", "score"}] * 2
    assert lines(ended)[1] == {"correct": False, "score": 0.0}


def test_the_table_for_people(here: Path, graded: Grade) -> None:
    ended = graded(write(here / "rows.jsonl", row(), row("Isaura"), row("Osk, Perrin"), row()))
    assert ended.code == 0
    assert re.search(r"^rows +4$", ended.out, re.MULTILINE)
    assert re.search(r"^correct +3 of 4 +0\.750$", ended.out, re.MULTILINE)
    assert re.search(r"^no verdict +none$", ended.out, re.MULTILINE)
    assert "kappa" not in ended.out


def test_the_table_compares_with_the_rows_own_verdicts(here: Path, graded: Grade) -> None:
    rows = [row(correct=True, title=title) for title in "ab"] * 3
    rows += [row("Isaura", correct=False, title="a"), row("no", correct=True, title="b"), row()]
    ended = graded(write(here / "rows.jsonl", *rows))
    assert re.search(r"^compared +8 rows that bring a verdict$", ended.out, re.MULTILINE)
    assert re.search(r"^agreement +0\.875 +95% interval", ended.out, re.MULTILINE)
    assert re.search(r"^kappa +0\.600", ended.out, re.MULTILINE)
    assert re.search(r"^precision +1\.000$", ended.out, re.MULTILINE)
    assert re.search(r"^recall +0\.857$", ended.out, re.MULTILINE)


# -- what cannot be graded ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "rows.jsonl: no rows; "),
        (b"{}\n", "rows.jsonl, line 1: no question; "),
        (b'["a"]\n', "rows.jsonl, line 1: a list, not an object; "),
        (b'{"question": "", "answer": "\xfe", "prediction": ""}', "rows.jsonl, line 1: not UTF-8 "),
        (b'{"question": "", "answer": " ", "prediction": ""}', "rows.jsonl, line 1: answer, "),
    ],
)  # fmt: skip
def test_a_bad_file_is_one_line_and_code_2(data: bytes, said: str, here: Path, graded: Grade) -> None:
    (here / "rows.jsonl").write_bytes(data)
    for options in (["--json"], []):
        ended = graded("rows.jsonl", *options)
        assert (ended.code, ended.out) == (2, "")
        assert ended.err.startswith(f"selfedit: {said}")
        assert ended.err.count("\n") == 1


def test_a_bad_row_at_the_end_is_told_before_any_is_graded(here: Path, graded: Grade) -> None:
    ended = graded(write(here / "rows.jsonl", *[row()] * 600, {"question": "?"}), "--json")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("selfedit: ")
    assert "rows.jsonl, line 601: no answer; " in ended.err


def test_a_gz_that_ends_too_early(here: Path, graded: Grade) -> None:
    path = Path(write(here / "rows.jsonl.gz", *[row()] * 50))
    path.write_bytes(path.read_bytes()[:-12])
    ended = graded(str(path), "--json")
    assert (ended.code, ended.out) == (2, "")
    assert "the .gz ends too early" in ended.err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--grader", "judge"], "--grader judge: no judge named; add its --judge-url"),
        (["--judge-url", "http://judge.test/v1"], "go with --grader judge"),
        (["--judge-model", "osk-7b"], "go with --grader judge"),
        (["--grader", "judge", "--judge-url", "judge.test"], "the judge's URL is none; "),
        (["--grader", "oracle"], "Invalid value"),
    ],
)
def test_wrong_options_are_one_line_and_code_2(
    options: list[str], said: str, here: Path, graded: Grade
) -> None:
    ended = graded(write(here / "rows.jsonl", row()), *options)
    assert (ended.code, ended.out) == (2, "")
    assert said in ended.err
    assert ended.err.count("\n") == 1


# -- a judge ------------------------------------------------------------------------------------------------


@contextmanager
def judging(answer: Callable[[Row, Any], tuple[int, str]]) -> Iterator[str]:
    """The URL of a judge that says so of (the request, its headers)."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            status, text = answer(
                json.loads(self.rfile.read(int(self.headers["Content-Length"]))), self.headers
            )
            data = json.dumps({"choices": [{"message": {"content": text}}]}).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads, server.block_on_close = True, False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def by_text(body: Row, headers: Any) -> tuple[int, str]:
    """Says what the prediction says."""
    found = re.search(r'"given_answer": "(\w*)', body["messages"][1]["content"])
    return 200, found[1] if found else ""


def test_a_judge_decides_and_what_it_leaves_open_is_no_verdict(here: Path, graded: Grade) -> None:
    path = write(here / "rows.jsonl", row("yes"), row("maybe"), row("no"), row("maybe", correct=True))
    with judging(by_text) as url:
        ended = graded(path, "--grader", "judge", "--judge-url", url, "--json")
        told = graded(path, "--grader", "judge", "--judge-url", url)
    open_ = {
        "correct": None,
        "score": None,
        "failure": "the judge said neither yes nor no ('maybe'); tried 4 times",
    }
    yes, no = {"correct": True, "score": 1.0}, {"correct": False, "score": 0.0}
    assert lines(ended) == [yes, open_, no, open_]
    assert (ended.code, told.code) == (1, 1)
    assert re.search(r"^correct +1 of 2 +0\.500$", told.out, re.MULTILINE)
    assert re.search(
        r"^no verdict +2: the judge said neither .*tried 4 times \(2 rows\)$", told.out, re.MULTILINE
    )
    assert re.search(r"^agreement +-$", told.out, re.MULTILINE)


def test_the_key_comes_from_the_environment_and_is_not_shown(
    here: Path, graded: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, seen = write(here / "rows.jsonl", row()), list[str | None]()

    def refuse(body: Row, headers: Any) -> tuple[int, str]:
        seen.append(headers["Authorization"])
        return 401, f"Incorrect API key: {KEY}"

    with judging(refuse) as url:
        monkeypatch.setenv("SELFEDIT_JUDGE_KEY", f" {KEY}\n")
        ended = graded(path, "--grader", "judge", "--judge-url", url, "--judge-model", "osk-7b")
        monkeypatch.setenv("SELFEDIT_JUDGE_KEY", "")
        without = graded(path, "--grader", "judge", "--judge-url", url)
    assert seen == [f"Bearer {KEY}", None]
    assert (ended.code, without.code) == (2, 2)
    assert "refuses the key (401)" in ended.err
    assert "wants a key (401)" in without.err
    assert KEY not in ended.out + ended.err


def test_the_rules_send_nothing(here: Path, graded: Grade, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*args: object) -> None:
        raise AssertionError("a connection was opened")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    assert graded(write(here / "rows.jsonl", row()), "--json").code == 0


def test_the_local_grader_asks_its_judge_only_where_words_leave_it_open(
    here: Path, graded: Grade, monkeypatch: pytest.MonkeyPatch
) -> None:
    from selfedit import graders

    def hire(*base: str) -> None:
        raise UsageError("the judge was asked")

    monkeypatch.setattr(graders, "built_in", hire)
    clear = write(here / "clear.jsonl", row("Perrin Osk"), row(""), row("Nobody knows."))
    ended = graded(clear, "--grader", "local", "--json")
    assert [line["correct"] for line in lines(ended)] == [True, False, False]
    unclear = write(here / "open.jsonl", row("It is Perrin of Varn.", "Perrin Osk the Elder of Varn"))
    assert graded(unclear, "--grader", "local").err.endswith("selfedit: the judge was asked\n")
    assert graded(unclear, "--grader", "words", "--json").code == 0


# -- as a process -------------------------------------------------------------------------------------------


def start(*arguments: str, **more: Any) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONUNBUFFERED": ""}
    pipes: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **more}
    return subprocess.Popen([*COMMAND, *_by_rules(arguments)], text=True, env=environment, **pipes)


def test_lines_come_as_they_are_judged_and_ctrl_c_ends_it(here: Path) -> None:
    first, more = grade.AT_ONCE_BY_MODEL, threading.Event()

    def answer(body: Row, headers: Any) -> tuple[int, str]:
        if "late" in body["messages"][1]["content"]:
            more.wait(30)
        return 200, "yes"

    path = write(here / "rows.jsonl", *[row()] * first, *[row("late")] * 20)
    with judging(answer) as url:
        process = start(path, "--grader", "judge", "--judge-url", url, "--json")
        assert process.stdout is not None
        read = [json.loads(process.stdout.readline()) for _ in range(first)]
        process.send_signal(signal.SIGINT)  # while the judge thinks about the rest
        out, err = process.communicate(timeout=20)
        more.set()
    assert read == [{"correct": True, "score": 1.0}] * first
    assert (process.returncode, out) == (130, "")
    assert err == "grading\nselfedit: interrupted\n"


def test_a_reader_that_goes_away_ends_it_quietly(here: Path) -> None:
    process = start(write(here / "rows.jsonl", *[row()] * 5000), "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == "grading\n"
    process.stderr.close()
    assert process.wait(20) == 1


def test_a_bar_on_the_terminal_leaves_the_lines_alone(here: Path) -> None:
    """Standard error is a terminal and shows a bar; standard output is a pipe and gets every line."""
    screen, side = pty.openpty()
    process = start(write(here / "rows.jsonl", *[row()] * 300), "--json", stderr=side)
    os.close(side)
    out, _ = process.communicate(timeout=20)
    shown = os.read(screen, 1 << 16).decode()
    os.close(screen)
    assert [json.loads(line) for line in out.splitlines()] == [{"correct": True, "score": 1.0}] * 300
    assert "grading" in shown
    assert "score" not in shown
