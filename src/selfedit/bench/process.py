"""The parent's end of a side: start it, ask it, end it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, final

from selfedit.bench.settings import Settings
from selfedit.errors import EngineError, UsageError


@final
class Process:
    """A running side. Owns the child process; one question at a time."""

    def __init__(self, side: str, settings: Settings) -> None:
        self.side = side
        self._child = subprocess.Popen(
            [sys.executable, "-m", "selfedit.bench.side", side, settings.to_json()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            encoding="utf-8",
        )

    def ask(self, verb: str, **arguments: Any) -> Any:
        """The answer of one verb. Raises what the side reported, or that the side ended."""
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        try:
            self._child.stdin.write(json.dumps([verb, arguments]) + "\n")
            self._child.stdin.flush()
            line = self._child.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            raise EngineError(
                f"bench: the side '{self.side}' ended in '{verb}'; its last lines are on standard error"
            )
        reply = json.loads(line)
        if "error" in reply:
            kind = UsageError if reply.get("usage") else EngineError
            raise kind(f"bench: {self.side}, {verb}: {reply['error']}")
        return reply["ok"]

    def close(self) -> None:
        assert self._child.stdin is not None
        assert self._child.stdout is not None
        self._child.stdin.close()
        try:
            self._child.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()
        self._child.stdout.close()


@contextmanager
def running(side: str, settings: Settings) -> Iterator[Process]:
    process = Process(side, settings)
    try:
        yield process
    finally:
        process.close()
