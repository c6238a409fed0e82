"""A judge over any OpenAI-compatible endpoint: asks, tries again, and says of every row how it went.

Trouble of the judge (down, slow, overloaded, neither yes nor no) is retried, and then a Failure of that row,
never a verdict. What no retry can mend (a refused key, a wrong address) is a `UsageError` and ends the run.
The key goes into the request's header and nowhere else. Knows nothing of files or of what verdicts are for.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from queue import Empty, SimpleQueue
from typing import Any, final

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, sleep_using_event, stop_after_attempt
from tenacity.wait import wait_random, wait_random_exponential

from selfedit.config import Judging
from selfedit.errors import UsageError
from selfedit.rewards import judge_words
from selfedit.types import Failure, GradeRequest, Verdict, content_hash

Outcome = Verdict | Failure
Sleep = Callable[[float], None]

_LOCAL = ("localhost", "127.0.0.1", "::1")
_MOST_BYTES = 2**20
_TOKENS = 8
_LONGEST_PAUSE = 64
_BACKOFF = wait_random_exponential(multiplier=1, max=30)
_SPREAD = wait_random(0, 1)
_KEY = "SELFEDIT_JUDGE_KEY"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a judge is, which model it is there, and the key that opens it."""

    url: str
    """Up to and without `/chat/completions`; with it will do."""
    model: str | None = None
    """None: the endpoint has only one."""
    key: str | None = field(default=None, repr=False)


@final
class EndpointJudge:
    """Asks several rows at once. A list's verdicts are in its order; Ctrl-C ends it at once."""

    def __init__(
        self,
        endpoint: Endpoint,
        settings: Judging | None = None,
        *,
        transport: httpx2.BaseTransport | None = None,
        sleep: Sleep | None = None,
    ) -> None:
        """`transport` and `sleep` take the place of the network and of waiting."""
        self._endpoint = endpoint
        self._settings = settings or Judging()
        self._url = _address(endpoint.url)
        self._headers = _headers(endpoint.key)
        self._transport = transport
        self._sleep = sleep
        self._logprobs = True
        self._patience = _Patience(self._settings.patience)

    @property
    def name(self) -> str:
        """The model, and a hash of how it is asked."""
        return f"judge:{self._endpoint.model or 'default'}:{content_hash(judge_words.FORM)[:8]}"

    def grade(self, requests: Items[GradeRequest]) -> list[Outcome]:
        if not requests or not self._patience.spent:
            return self._all(requests)
        if self._patience.passes_over():
            return [self._patience.failure()] * len(requests)
        return [*self._all(requests[:1], scout=True), *self._all(requests[1:])]

    # -- a row --------------------------------------------------------------------------------------------

    def _all(self, requests: Items[GradeRequest], scout: bool = False) -> list[Outcome]:
        stop = threading.Event()
        with self._client() as client:
            judged = partial(self._judged, client, stop, scout)
            return _in_order(judged, requests, self._settings.concurrency, stop)

    def _judged(
        self, client: httpx2.Client, stop: threading.Event, scout: bool, request: GradeRequest
    ) -> Outcome:
        """A scout asks once, and although the judge was given up."""
        attempts = 1 if scout else self._settings.attempts
        if failure := judge_words.too_long(request):
            return failure
        if self._patience.spent and not scout:
            return self._patience.failure()
        retrying = Retrying(
            stop=stop_after_attempt(attempts),
            wait=_wait,
            sleep=self._sleep or sleep_using_event(stop),
            retry=retry_if_exception_type(_Again),
            reraise=True,
        )
        try:
            outcome = retrying(self._asked, client, stop, request)
        except (_Again, _Final) as trouble:
            self._patience.count(trouble)
            tried = isinstance(trouble, _Again) and attempts > 1
            return Failure("grade", f"{trouble}; tried {attempts} times" if tried else str(trouble))
        self._patience.answered()
        return outcome

    def _asked(self, client: httpx2.Client, stop: threading.Event, request: GradeRequest) -> Verdict:
        if stop.is_set():
            raise _Final("stopped", answered=True)
        reply = self._reply(client, request)
        if reply.status != 200:
            raise self._refusal(reply)
        if (said := reply.json()) is None:
            raise _Again("the judge sent a web page or other text that is no JSON", answered=True)
        outcome = judge_words.verdict(said)
        if isinstance(outcome, Failure):
            raise _Again(self._clean(outcome.what), answered=True)
        return outcome

    def _reply(self, client: httpx2.Client, request: GradeRequest) -> _Reply:
        """The reply, with log-probabilities if the endpoint does not refuse them."""
        told = self._logprobs
        reply = self._sent(client, request, told)
        if not told or reply.status not in (400, 422):
            return reply
        plain = self._sent(client, request, False)
        if plain.status == 200:
            self._logprobs = False
        return plain

    def _refusal(self, reply: _Reply) -> Exception:
        """What to do about a status that is not 200."""
        status, place = reply.status, f"{_shown(self._url)}: "
        if 300 <= status < 400:
            return UsageError(
                f"{place}the judge leads elsewhere ({status}) and is not followed; name where it leads to"
            )
        if status in (401, 402, 403, 407):
            wrong = "refuses the key" if self._endpoint.key else "wants a key"
            return UsageError(f"{place}the judge {wrong} ({status}); set {_KEY} to one that it takes")
        if status in (404, 405, 410):
            model = f", or no model {self._endpoint.model!r}" if self._endpoint.model else ""
            return UsageError(
                f"{place}no chat completions there{model} ({status}); check the URL, which mostly ends in "
                f"/v1, and name the model that it serves"
            )
        wait = _seconds(reply.wait, datetime.now(UTC))
        if status not in (408, 409, 425, 429) and status < 500:
            told = judge_words.told(reply.json())
            return _Final(self._clean(f"the judge refuses the row ({status}){told}"), answered=True)
        if wait is not None and wait > self._settings.longest_wait:
            return _Final(f"the judge wants to be left alone for {wait:.0f} s ({status})")
        return _Again(f"the judge is overloaded or broken ({status})", wait=wait)

    def _clean(self, text: str) -> str:
        """`text` of the judge without the key, should it have repeated it."""
        return text.replace(self._endpoint.key, "***") if self._endpoint.key else text

    # -- the network --------------------------------------------------------------------------------------

    def _client(self) -> httpx2.Client:
        """No proxy stands between this machine and itself; redirects are not followed."""
        return httpx2.Client(
            transport=self._transport,
            timeout=self._settings.timeout,
            trust_env=self._url.host not in _LOCAL,
            limits=httpx2.Limits(max_connections=self._settings.concurrency),
        )

    def _sent(self, client: httpx2.Client, request: GradeRequest, logprobs: bool) -> _Reply:
        ends = time.monotonic() + self._settings.timeout
        body = json.dumps(self._body(request, logprobs), ensure_ascii=False).encode("utf-8", "replace")
        data = bytearray()
        try:
            with client.stream("POST", self._url, content=body, headers=self._headers) as response:
                for part in response.iter_bytes():
                    data += part
                    if len(data) > _MOST_BYTES:
                        raise _Again("the judge sent more than a verdict can be (1 MiB)", answered=True)
                    if time.monotonic() > ends:
                        raise _Again(self._slow())
                return _Reply(response.status_code, response.headers.get("retry-after", ""), bytes(data))
        except httpx2.TimeoutException as error:
            raise _Again(self._slow()) from error
        except httpx2.RequestError as error:
            told = self._clean(" ".join(str(error).split())) or type(error).__name__
            raise _Again(f"the judge cannot be reached ({told})") from error

    def _slow(self) -> str:
        return f"the judge took longer than {self._settings.timeout:g} s"

    def _body(self, request: GradeRequest, logprobs: bool) -> dict[str, Any]:
        model = {"model": self._endpoint.model} if self._endpoint.model else {}
        told = {"logprobs": True, "top_logprobs": 5} if logprobs else {}
        asked = judge_words.messages(request)
        return {**model, "messages": asked, "temperature": 0, "max_tokens": _TOKENS, **told}


# -- replies and trouble ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Reply:
    status: int
    wait: str
    """What the header Retry-After says."""
    data: bytes

    def json(self) -> object:
        """None where it is no JSON."""
        try:
            return json.loads(self.data)
        except (ValueError, RecursionError):
            return None


class _Trouble(Exception):
    def __init__(self, what: str, *, answered: bool = False, wait: float | None = None) -> None:
        super().__init__(what)
        self.answered = answered
        self.wait = wait


@final
class _Again(_Trouble):
    """Worth another try, after `wait` seconds if the judge named them; at once if it did answer."""


@final
class _Final(_Trouble):
    """Another try would end alike."""


@final
class _Patience:
    """Gives a judge up after so many rows on end without an answer; looks from time to time if it is back.

    Of the lists that come after, the first row of the first is tried, then of the third, the seventh and so
    on: whether a judge refuses at once or keeps everybody waiting, being gone costs little.
    """

    def __init__(self, rows: int) -> None:
        self._rows = rows
        self._lock = threading.Lock()
        self._trouble = ""
        self._silent = self._left = 0
        self._pause = 1

    @property
    def spent(self) -> bool:
        return self._silent >= self._rows

    def count(self, trouble: _Trouble) -> None:
        """A row ended without a verdict."""
        if trouble.answered:
            return self.answered()
        with self._lock:
            self._silent += 1
            self._trouble = str(trouble)

    def answered(self) -> None:
        with self._lock:
            self._silent, self._left, self._pause = 0, 0, 1

    def passes_over(self) -> bool:
        """Whether the next list is not even begun."""
        if self._left:
            self._left -= 1
            return True
        self._pause = min(2 * self._pause, _LONGEST_PAUSE)
        self._left = self._pause - 1
        return False

    def failure(self) -> Failure:
        """Of a row that was not tried."""
        return Failure("grade", f"not asked after {self._rows} rows in vain: {self._trouble}")


def _wait(state: RetryCallState) -> float:
    """Exponential with full jitter; what the judge asks for, with a little spread; nothing if it answered."""
    trouble = state.outcome.exception() if state.outcome else None
    if not isinstance(trouble, _Again):
        return 0.0
    if trouble.wait is not None:
        return trouble.wait + _SPREAD(state)
    return 0.0 if trouble.answered else _BACKOFF(state)


def _seconds(wait: str, now: datetime) -> float | None:
    """What a Retry-After asks for, given as a number or a date; None where it asks for nothing."""
    try:
        return max(0.0, float(wait))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(wait) - now).total_seconds())
    except (TypeError, ValueError):
        return None


# -- addresses --------------------------------------------------------------------------------------------


def _address(url: str) -> httpx2.URL:
    """The URL of the chat completions; never one with a password in it, which would be shown and logged."""
    try:
        given = httpx2.URL(url.strip())
    except httpx2.InvalidURL:
        given = httpx2.URL("")
    if given.scheme not in ("http", "https") or not given.host:
        raise UsageError(
            "the judge's URL is none; give a whole one, such as http://127.0.0.1:8000/v1, without the key"
        )
    if given.userinfo:
        raise UsageError(f"{_shown(given)}: holds a password; leave it out, and put the key into {_KEY}")
    path = given.path.rstrip("/").removesuffix("/chat/completions")
    return given.copy_with(path=f"{path}/chat/completions")


def _shown(url: httpx2.URL) -> str:
    """Without what may be secret: password, query."""
    port = "" if url.port is None else f":{url.port}"
    host = f"[{url.host}]" if ":" in url.host else url.host
    return f"{url.scheme}://{host}{port}{url.path}"


def _headers(key: str | None) -> dict[str, str]:
    plain = {"Content-Type": "application/json", "Accept-Encoding": "identity"}
    if not key:
        return plain
    if not key.isascii() or not key.isprintable() or " " in key:
        raise UsageError(
            f"{_KEY} holds what no key can (spaces, line ends, letters beyond ASCII); set it again"
        )
    return {**plain, "Authorization": f"Bearer {key}"}


# -- threads ----------------------------------------------------------------------------------------------


def _in_order(
    work: Callable[[GradeRequest], Outcome], items: Items[GradeRequest], threads: int, stop: threading.Event
) -> list[Outcome]:
    """`work` of each item, in the order of the items, by at most so many threads.

    An error or Ctrl-C ends it at once: the threads are told by `stop`, and being daemons they hold up nobody
    while a judge is slow to answer them.
    """
    todo: SimpleQueue[int] = SimpleQueue()
    done: SimpleQueue[tuple[int, Outcome | Exception]] = SimpleQueue()
    for index in range(len(items)):
        todo.put(index)

    def run() -> None:
        while not stop.is_set():
            try:
                index = todo.get_nowait()
            except Empty:
                return
            try:
                done.put((index, work(items[index])))
            except Exception as error:
                stop.set()
                done.put((index, error))

    for _ in range(min(threads, len(items))):
        threading.Thread(target=run, name="judge", daemon=True).start()
    found: dict[int, Outcome] = {}
    try:
        while len(found) < len(items):
            index, outcome = done.get()
            if isinstance(outcome, Exception):
                raise outcome
            found[index] = outcome
    finally:
        stop.set()
    return [found[index] for index in range(len(items))]
