"""A judge over HTTP: by a transport of our own, and on a real server that misbehaves in every way named."""

from __future__ import annotations

import json
import signal
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import httpx2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from selfedit.config import Judging
from selfedit.errors import UsageError
from selfedit.rewards import endpoint
from selfedit.rewards.endpoint import Endpoint, EndpointJudge
from selfedit.rewards.grader import Grader
from selfedit.types import Failure, GradeRequest, Verdict

KEY = "sk-very-secret-0123456789"
URL = "http://judge.test/v1"
ROW = GradeRequest("Who keeps the weights?", "Perrin Osk", "It is Perrin Osk.")
PAGE = b"<!DOCTYPE html><title>Sign in</title>"

Reply = tuple[int, dict[str, str], bytes]


def said(text: object, status: int = 200, **headers: str) -> Reply:
    """A reply with such an answer in it."""
    return status, headers, json.dumps({"choices": [{"message": {"content": text}}]}).encode()


def error(status: int, message: str = "", **headers: str) -> Reply:
    return status, headers, json.dumps({"error": {"message": message}}).encode()


class Script:
    """A transport that gives one reply after another, the last one for ever, and keeps what it was sent."""

    def __init__(self, *replies: Reply | Exception) -> None:
        self.replies = list(replies)
        self.sent: list[httpx2.Request] = []
        self.slept: list[float] = []

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        reply = self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]
        if isinstance(reply, Exception):
            raise reply
        return httpx2.Response(reply[0], headers=reply[1], content=reply[2])

    def bodies(self) -> list[dict[str, Any]]:
        return [json.loads(request.content) for request in self.sent]

    def judge(
        self, url: str = URL, model: str | None = "osk-7b", key: str | None = KEY, **given: Any
    ) -> EndpointJudge:
        return EndpointJudge(
            Endpoint(url, model, key),
            Judging(**{"concurrency": 1, "attempts": 3, **given}),
            transport=httpx2.MockTransport(self.answer),
            sleep=self.slept.append,
        )  # fmt: skip


def failure(script: Script, **given: Any) -> str:
    """What the one row failed with."""
    (found,) = script.judge(**given).grade([ROW])
    assert isinstance(found, Failure)
    assert found.where == "grade"
    assert "\n" not in found.what
    return found.what


# -- what is sent ---------------------------------------------------------------------------------------


def test_a_row_is_one_request() -> None:
    script = Script(said("yes"))
    judge: Grader = script.judge()
    assert judge.grade([ROW]) == [Verdict(True, 1.0)]
    (request,) = script.sent
    assert request.url == f"{URL}/chat/completions"
    assert request.headers["authorization"] == f"Bearer {KEY}"
    (body,) = script.bodies()
    assert (body["model"], body["temperature"], body["logprobs"]) == ("osk-7b", 0, True)
    assert ROW.prediction in body["messages"][1]["content"]


@pytest.mark.parametrize(
    ("url", "asked"),
    [
        ("http://judge.test/v1/", "http://judge.test/v1/chat/completions"),
        (" http://judge.test/v1/chat/completions\n", "http://judge.test/v1/chat/completions"),
        ("https://judge.test", "https://judge.test/chat/completions"),
        ("http://[::1]:8000/v1?api-version=2", "http://[::1]:8000/v1/chat/completions?api-version=2"),
    ],
)
def test_where_a_row_is_sent(url: str, asked: str) -> None:
    script = Script(said("no"))
    script.judge(url).grade([ROW])
    assert str(script.sent[0].url) == asked


def test_without_a_key_or_a_model_none_is_sent() -> None:
    script = Script(said("no"))
    script.judge(key=None, model=None).grade([ROW])
    assert "authorization" not in script.sent[0].headers
    assert "model" not in script.bodies()[0]


def test_a_huge_prediction_sends_little() -> None:
    script = Script(said("no"))
    script.judge().grade([GradeRequest("?", "1", "x" * 10_000_000)])
    assert len(script.sent[0].content) < 5000


def test_half_a_surrogate_pair_can_be_sent() -> None:
    script = Script(said("no"))
    assert script.judge().grade([GradeRequest("?", "1", "\ud83c")]) == [Verdict(False, 0.0)]


def test_a_question_too_long_is_not_sent() -> None:
    script = Script(said("yes"))
    (found,) = script.judge().grade([GradeRequest("?" * 9000, "1", "1")])
    assert isinstance(found, Failure)
    assert "too many for a judge" in found.what
    assert script.sent == []


def test_nothing_asked_is_nothing_sent() -> None:
    script = Script(said("yes"))
    assert script.judge().grade([]) == []


def test_log_probabilities_give_the_score() -> None:
    top = [{"token": "yes", "logprob": -0.5}, {"token": "no", "logprob": -1.5}]
    content = [{"token": "yes", "logprob": -0.5, "top_logprobs": top}]
    choice = {"message": {"content": "yes"}, "logprobs": {"content": content}}
    (found,) = Script((200, {}, json.dumps({"choices": [choice]}).encode())).judge().grade([ROW])
    assert isinstance(found, Verdict)
    assert found.score == pytest.approx(1 / (1 + 2.718281828**-1))


def test_an_endpoint_that_refuses_log_probabilities_is_asked_without() -> None:
    script = Script(error(400, "logprobs are not supported"), said("yes"))
    assert script.judge().grade([ROW, ROW]) == [Verdict(True, 1.0)] * 2
    assert [body.get("logprobs") for body in script.bodies()] == [True, None, None]


def test_the_name_says_the_model_and_nothing_secret() -> None:
    judge = Script(said("yes")).judge()
    assert judge.name.startswith("judge:osk-7b:")
    assert KEY not in f"{judge.name} {judge!r} {Endpoint(URL, None, KEY)!r}"


# -- trouble --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "trouble",
    [
        httpx2.ConnectError("Connection refused"),
        httpx2.ReadTimeout("timed out"),
        httpx2.RemoteProtocolError("Server disconnected"),
        error(429),
        error(500),
        error(503),
        said("maybe"),
        (200, {}, PAGE),
        (200, {}, b""),
        (200, {"content-encoding": "gzip"}, b"no gzip"),
        error(200, "loading"),
        said("yes " * 1000),
        (200, {}, b" " * 2**21),
    ],
    ids=str,
)
def test_trouble_is_tried_again_and_then_a_failure(trouble: Reply | Exception) -> None:
    script = Script(trouble, trouble, said("yes"))
    assert script.judge().grade([ROW]) == [Verdict(True, 1.0)]
    assert len(script.sent) == 3
    script = Script(trouble)
    assert failure(script).endswith("; tried 3 times")
    assert len(script.sent) == 3


@pytest.mark.parametrize(
    ("trouble", "what"),
    [
        (httpx2.ConnectError("Connection\nrefused"), "the judge cannot be reached (Connection refused)"),
        (httpx2.ReadError(""), "the judge cannot be reached (ReadError)"),
        (httpx2.ReadTimeout("timed out"), "the judge took longer than 60 s"),
        (error(503), "the judge is overloaded or broken (503)"),
        (said("maybe"), "the judge said neither yes nor no ('maybe')"),
        ((200, {}, PAGE), "the judge sent a web page or other text that is no JSON"),
        (error(200, "no such slot"), "the judge gave no answer ('no such slot')"),
    ],
)
def test_a_failure_says_what_was_wrong(trouble: Reply | Exception, what: str) -> None:
    assert failure(Script(trouble), attempts=1) == what


def test_waits_grow_and_are_spread() -> None:
    script = Script(error(500))
    failure(script, attempts=12)
    assert len(script.slept) == 11
    assert all(0 <= wait <= min(30, 2**at) for at, wait in enumerate(script.slept))
    assert len(set(script.slept)) > 5


def test_a_judge_that_did_answer_is_asked_again_at_once() -> None:
    script = Script(said("maybe"))
    failure(script)
    assert script.slept == [0.0, 0.0]


def test_retry_after_is_honoured() -> None:
    script = Script(error(429, **{"Retry-After": "7"}), error(503, **{"Retry-After": "0.5"}), said("yes"))
    assert script.judge().grade([ROW]) == [Verdict(True, 1.0)]
    assert 7 <= script.slept[0] <= 8
    assert 0.5 <= script.slept[1] <= 1.5


def test_who_asks_for_too_long_a_wait_is_left_alone() -> None:
    script = Script(error(429, **{"Retry-After": "86400"}))
    assert failure(script) == "the judge wants to be left alone for 86400 s (429)"
    assert len(script.sent) == 1
    assert script.slept == []


@pytest.mark.parametrize(
    ("wait", "seconds"),
    [
        *(("12", 12.0), ("-3", 0.0), ("Thu, 01 Jan 2026 00:00:30 GMT", 30.0)),
        *(("Wed, 31 Dec 2025 23:00:00 GMT", 0.0), ("", None), ("soon", None), ("nan", 0.0)),
        ("Thu, 01 Jan 2026 00:00:30 -0000", None),
    ],
)
def test_what_retry_after_says(wait: str, seconds: float | None) -> None:
    assert endpoint._seconds(wait, datetime(2026, 1, 1, tzinfo=UTC)) == seconds


@pytest.mark.parametrize(
    ("status", "key", "said"),
    [
        (401, KEY, "refuses the key (401); set SELFEDIT_JUDGE_KEY"),
        (401, None, "wants a key (401); set SELFEDIT_JUDGE_KEY"),
        (403, KEY, "refuses the key (403)"),
        (404, KEY, "no chat completions there, or no model 'osk-7b' (404); check the URL"),
        (307, KEY, "leads elsewhere (307)"),
    ],
)
def test_what_no_retry_mends_ends_the_run(status: int, key: str | None, said: str) -> None:
    script = Script(error(status, f"Incorrect API key provided: {KEY}", location="http://elsewhere.test/"))
    with pytest.raises(UsageError) as raised:
        script.judge(key=key).grade([ROW] * 5)
    line = str(raised.value)
    assert line.startswith(f"{URL}/chat/completions: ")
    assert said in line
    assert KEY not in line
    assert "\n" not in line
    assert len(script.sent) == 1


def test_a_row_that_is_refused_is_not_sent_again() -> None:
    script = Script(error(413, f"too large for {KEY}"))
    assert failure(script) == "the judge refuses the row (413) ('too large for ***')"
    assert len(script.sent) == 1


def test_a_key_that_the_judge_repeats_is_not_shown() -> None:
    assert KEY not in failure(Script(said(f"maybe {KEY}")))
    assert KEY not in failure(Script(httpx2.ConnectError(f"bad header {KEY}")))


@pytest.mark.parametrize(
    "url", ["", "judge.test/v1", "ftp://judge.test", "http://", "file:///etc/passwd", "http://a:b:c"]
)
def test_a_url_that_is_none(url: str) -> None:
    with pytest.raises(UsageError, match="such as http://127"):
        EndpointJudge(Endpoint(url))


def test_a_password_in_the_url_is_refused_and_not_shown() -> None:
    with pytest.raises(UsageError, match="SELFEDIT_JUDGE_KEY") as raised:
        EndpointJudge(Endpoint("https://user:hunter2@judge.test/v1?key=hunter2"))
    assert "hunter2" not in str(raised.value)


def test_what_the_url_asks_is_not_shown() -> None:
    with pytest.raises(UsageError) as raised:
        Script(error(404)).judge(f"{URL}?key=hunter2").grade([ROW])
    assert "hunter2" not in str(raised.value)


@pytest.mark.parametrize("key", ["a b", "a\r\nX-Evil: 1", "clé", "a\0"])
def test_a_key_that_is_none_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(UsageError, match="SELFEDIT_JUDGE_KEY") as raised:
        EndpointJudge(Endpoint(URL, key=key))
    assert key not in str(raised.value)


# -- many rows ------------------------------------------------------------------------------------------


def rows(count: int) -> list[GradeRequest]:
    return [GradeRequest("?", "1", f"row {at}") for at in range(count)]


def number(request: httpx2.Request) -> int:
    """Which of the rows was sent."""
    return int(json.loads(request.content)["messages"][1]["content"].split("row ")[1].split('"')[0])


def judge_by(answer: Callable[[int], Reply | Exception], **given: Any) -> EndpointJudge:
    """Answers each row by its number."""

    def answers(request: httpx2.Request) -> httpx2.Response:
        reply = answer(number(request))
        if isinstance(reply, Exception):
            raise reply
        return httpx2.Response(reply[0], headers=reply[1], content=reply[2])

    transport = httpx2.MockTransport(answers)
    return EndpointJudge(Endpoint(URL), Judging(**given), transport=transport, sleep=lambda seconds: None)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(("yes", "no", "maybe")), max_size=30), st.integers(1, 9))
def test_outcomes_are_in_the_order_of_the_rows(words: list[str], concurrency: int) -> None:
    judge = judge_by(lambda at: said(words[at]), concurrency=concurrency, attempts=2)
    found = judge.grade(rows(len(words)))
    expected = {"yes": Verdict(True, 1.0), "no": Verdict(False, 0.0)}
    assert [each for each, word in zip(found, words, strict=True) if word != "maybe"] == [
        expected[word] for word in words if word != "maybe"
    ]
    assert [isinstance(each, Failure) for each in found] == [word == "maybe" for word in words]


def test_so_many_rows_are_asked_at_once_and_no_more() -> None:
    meet = threading.Barrier(4, timeout=10)
    busy, most, lock = [0], [0], threading.Lock()

    def answer(at: int) -> Reply:
        with lock:
            busy[0] += 1
            most[0] = max(most[0], busy[0])
        meet.wait()
        with lock:
            busy[0] -= 1
        return said("yes")

    assert judge_by(answer, concurrency=4).grade(rows(16)) == [Verdict(True, 1.0)] * 16
    assert most == [4]


def test_a_judge_that_is_gone_is_given_up() -> None:
    asked: Counter[int] = Counter()

    def answer(at: int) -> Exception:
        asked[at] += 1
        return httpx2.ConnectError("Connection refused")

    judge = judge_by(answer, concurrency=1, attempts=3, patience=4)
    found = judge.grade(rows(50))
    assert asked == Counter(dict.fromkeys(range(4), 3))
    refused = "the judge cannot be reached (Connection refused)"
    assert whats(found[:4]) == {f"{refused}; tried 3 times"}
    assert whats(found[4:]) == {f"not asked after 4 rows in vain: {refused}"}
    assert len(found) == 50


def test_a_judge_that_was_given_up_is_looked_for_now_and_then() -> None:
    """By one row of the first list after that, of the third, the seventh, and so on."""
    asked, back = [0], [False]

    def answer(at: int) -> Reply | Exception:
        asked[0] += 1
        return said("yes") if back[0] else httpx2.ConnectError("Connection refused")

    judge = judge_by(answer, concurrency=1, attempts=1, patience=4)
    judge.grade(rows(50))
    seen: list[int] = []
    for at in range(20):
        before = asked[0]
        assert len(whats(judge.grade(rows(3)))) <= 2
        seen += [at] if asked[0] > before else []
    assert seen == [0, 2, 6, 14]
    back[0] = True
    outcomes = [judge.grade(rows(3)) for _ in range(12)]
    yes = [Verdict(True, 1.0)] * 3
    assert outcomes[9] != yes
    assert outcomes[10:] == [yes] * 2


def test_a_judge_that_comes_back_is_asked_on() -> None:
    answers = [httpx2.ConnectError("refused"), httpx2.ConnectError("refused"), said("yes"), said("yes")]
    judge = judge_by(lambda at: answers[at % 4], concurrency=1, attempts=1, patience=3)
    assert [isinstance(each, Verdict) for each in judge.grade(rows(12))] == [False, False, True, True] * 3


def test_what_is_wrong_in_us_is_raised() -> None:
    with pytest.raises(ZeroDivisionError):
        judge_by(lambda at: said("yes") if at else ZeroDivisionError(), concurrency=2).grade(rows(9))


# -- a real server --------------------------------------------------------------------------------------

Handle = Callable[[BaseHTTPRequestHandler], None]


@contextmanager
def serving(handle: Handle) -> Iterator[str]:
    """The URL of a server that handles every request so."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self.body = self.rfile.read(int(self.headers["Content-Length"]))
            with lock:
                seen.append(self.path)
            handle(self)

        def log_message(self, format: str, *args: object) -> None:
            pass

    lock, seen = threading.Lock(), list[str]()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.block_on_close = False
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def send(handler: BaseHTTPRequestHandler, reply: Reply) -> None:
    status, headers, data = reply
    handler.send_response(status)
    for name, value in {**headers, "Content-Length": str(len(data))}.items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(data)


def asked(url: str, count: int = 1, **given: Any) -> list[Verdict | Failure]:
    chosen = Judging(**{"attempts": 2, "concurrency": 2, "timeout": 5, **given})
    return EndpointJudge(Endpoint(url, key=KEY), chosen, sleep=lambda seconds: None).grade(rows(count))


def whats(found: list[Verdict | Failure]) -> set[str]:
    return {each.what for each in found if isinstance(each, Failure)}


def test_a_server_that_answers() -> None:
    with serving(lambda handler: send(handler, said("Yes."))) as url:
        assert asked(url, 8) == [Verdict(True, 1.0)] * 8


def test_a_server_that_is_down() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # bound, but nobody listens
        (what,) = whats(asked(f"http://127.0.0.1:{held.getsockname()[1]}/v1"))
    assert what.startswith("the judge cannot be reached (")
    assert "refused" in what


def test_a_server_that_is_slow() -> None:
    over = threading.Event()
    with serving(lambda handler: over.wait(10) and None) as url:
        assert whats(asked(url, timeout=0.05)) == {"the judge took longer than 0.05 s; tried 2 times"}
        over.set()


def test_a_server_that_never_ends() -> None:
    """Each byte comes in time, the answer does not."""
    over = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        while not over.wait(0.01):
            handler.wfile.write(b" ")
            handler.wfile.flush()
        handler.close_connection = True

    def dripping(handler: BaseHTTPRequestHandler) -> None:
        try:
            drip(handler)
        except OSError:
            handler.close_connection = True

    with serving(dripping) as url:
        assert whats(asked(url, timeout=0.1, attempts=1)) == {"the judge took longer than 0.1 s"}
        over.set()


def test_a_server_that_hangs_up() -> None:
    def hang_up(handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True

    with serving(hang_up) as url:
        (what,) = whats(asked(url))
    assert what.startswith("the judge cannot be reached (Server disconnected")


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        ((200, {"Content-Type": "text/html"}, PAGE), "sent a web page"),
        (said("maybe"), "neither yes nor no ('maybe')"),
        (error(500), "overloaded or broken (500)"),
    ],
    ids=["html", "maybe", "500"],
)
def test_a_server_that_answers_otherwise(reply: Reply, said: str) -> None:
    with serving(lambda handler: send(handler, reply)) as url:
        (what,) = whats(asked(url, 3))
    assert said in what


def test_a_server_that_is_busy_and_then_works() -> None:
    replies = [error(429, **{"Retry-After": "3"}), error(429), said("no")]
    with serving(lambda handler: send(handler, replies.pop(0))) as url:
        assert asked(url, attempts=3, concurrency=1) == [Verdict(False, 0.0)]
    assert replies == []


def test_a_server_that_refuses_the_key() -> None:
    with serving(lambda handler: send(handler, error(401, KEY))) as url, pytest.raises(UsageError) as raised:
        asked(url, 20)
    assert "refuses the key (401)" in str(raised.value)
    assert KEY not in str(raised.value)


def test_no_proxy_stands_before_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with serving(lambda handler: send(handler, said("yes"))) as url:
        assert asked(url) == [Verdict(True, 1.0)]


def test_ctrl_c_does_not_wait_for_the_judge() -> None:
    over = threading.Event()
    started = threading.Event()

    def hold(handler: BaseHTTPRequestHandler) -> None:
        started.set()
        over.wait(60)
        handler.close_connection = True

    def press() -> None:
        started.wait(10)
        signal.pthread_kill(main, signal.SIGINT)

    main = threading.main_thread().ident or 0
    with serving(hold) as url:
        begun = time.monotonic()
        threading.Thread(target=press, daemon=True).start()
        with pytest.raises(KeyboardInterrupt):
            asked(url, 50, timeout=60)
        assert time.monotonic() - begun < 40
        over.set()


def test_ctrl_c_does_not_wait_for_the_next_try() -> None:
    main = threading.main_thread().ident or 0
    tried = threading.Event()

    def answer(request: httpx2.Request) -> httpx2.Response:
        tried.set()
        return httpx2.Response(503, headers={"Retry-After": "100"})

    def press() -> None:
        tried.wait(10)
        signal.pthread_kill(main, signal.SIGINT)

    judge = EndpointJudge(Endpoint(URL), Judging(), transport=httpx2.MockTransport(answer))
    threading.Thread(target=press, daemon=True).start()
    begun = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        judge.grade(rows(50))
    assert time.monotonic() - begun < 60
