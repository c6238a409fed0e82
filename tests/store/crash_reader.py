"""A reader that looks on while writers come and are killed, and is never to notice. No torch, no pytest."""

from __future__ import annotations

import json
import os
import select
from dataclasses import dataclass
from pathlib import Path
from typing import Self, final

from selfedit.errors import StoreError
from selfedit.store import Store

PAUSE = 0.05
"""Seconds between two looks: it shares the machine with those whom it watches."""


@final
@dataclass(frozen=True)
class Reader:
    """A process of its own that has one store open, and reads until it is asked what it saw."""

    child: int
    control: int
    report: int

    @classmethod
    def start(cls, path: Path) -> Self:
        (asked, control), (report, answer) = os.pipe(), os.pipe()
        if child := os.fork():
            os.close(asked)
            os.close(answer)
            return cls(child, control, report)
        try:
            os.write(answer, json.dumps(_look_on(path, asked)).encode())
        except BaseException as error:
            os.write(answer, json.dumps({"looks": 0, "problems": [repr(error)]}).encode())
        finally:
            os._exit(0)

    def stop(self) -> tuple[int, list[str]]:
        """How often it has looked, and what was wrong."""
        os.write(self.control, b".")
        with os.fdopen(self.report) as answer:
            found = json.load(answer)
        os.close(self.control)
        os.waitpid(self.child, 0)
        return found["looks"], found["problems"]


def _look_on(path: Path, asked: int) -> dict[str, int | list[str]]:
    looks, seen, problems, store = 0, 0, list[str](), Store.open(path)
    while not select.select([asked], [], [], PAUSE)[0] and len(problems) < 5:
        looks += 1
        try:
            head, log = store.head(), store.log()
            if len(log) < seen or [commit.seq for commit in log] != list(range(len(log), 0, -1)):
                problems.append(f"reader: {len(log)} commits where there were {seen}")
            if not {commit.id for commit in head} <= {commit.id for commit in log}:
                problems.append("reader: a head of commits that are not there")
            seen = len(log)
        except StoreError as error:
            problems.append(f"reader: {error}")
    return {"looks": looks, "problems": problems}
