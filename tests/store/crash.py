"""Kills writers and looks at what they left. Run as a program: `crash.py FOLDER KILLS`; prints JSON.

Each writer is a forked child that learns in a loop and reports what was acknowledged through a pipe.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

from samples import new_commit, new_store

from selfedit.store import Store


def write_for_ever(path: Path, acknowledge: int) -> None:
    with Store.open(path, write=True, verb="learn") as store:
        while True:
            number = len(store.log())
            new = new_commit(number, tuple(store.adapter(each.adapter) for each in store.head()))
            store.record_tasks(new.tasks)
            store.record_trials({f"trial-{number}": new.trials[0]})
            os.write(acknowledge, f"trial-{number}\n".encode())
            os.write(acknowledge, f"{store.accept(new).id}\n".encode())


def kill_one(path: Path, delay: float) -> list[str]:
    """Start a writer, kill it `delay` seconds after its first word, and return what it acknowledged."""
    reader, writer = os.pipe()
    if (child := os.fork()) == 0:
        os.close(reader)
        write_for_ever(path, writer)
    os.close(writer)
    with os.fdopen(reader) as lines:
        acknowledged = [lines.readline()]
        time.sleep(delay)
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        acknowledged += lines.readlines()
    return [line.strip() for line in acknowledged]


def main(path: Path, kills: int) -> None:
    rng = random.Random(7)
    new_store(path).close()
    acknowledged: list[str] = []
    problems: list[str] = []
    for _ in range(kills):
        acknowledged += kill_one(path, rng.uniform(0, 0.25))
        store = Store.open(path)
        live = {commit.id for commit in store.head()}
        trials = [word for word in acknowledged if word.startswith("trial-")]
        lost = [word for word in acknowledged if word not in live and word not in trials]
        lost += [word for word in trials if store.trial(word) is None]
        problems += [f"lost: {word}" for word in lost]
        problems += store.verify().problems
        problems += [f"not in the head: {commit.id}" for commit in store.log() if not commit.live]
        problems += [f"half: {commit.id}" for commit in store.log() if len(store.probes(commit.id)) != 2]
    with Store.open(path, write=True) as store:
        left = [str(each) for each in (path / "blobs").glob(".*")]
        commits = len(store.log())
    print(json.dumps({"acknowledged": len(acknowledged), "commits": commits, "problems": problems + left}))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
