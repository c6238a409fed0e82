"""An engine in a process of its own: `python -m selfedit.engine.worker SETTINGS-JSON`.

Reads one JSON request a line, `{"items": [...]}`, and answers with lines: `{"progress": n}`, `{"index": i,
"found": ...}`, and last `{"done": true}` or `{"error": "..."}`. Ends when its standard input closes, at once,
whatever it is doing; Ctrl-C is its parent's to handle.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import sys
import threading
from pathlib import Path
from typing import Any, TextIO

from selfedit.engine.core import Engine
from selfedit.engine.wire import Wire, run
from selfedit.errors import SelfEditError


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    settings = json.loads(sys.argv[1])
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)  # what libraries print is no reply
    requests: queue.Queue[str] = queue.Queue()
    threading.Thread(target=_read, args=(requests,), daemon=True).start()
    engine = Engine.load(settings["base"], device=settings["device"], dtype=settings["dtype"])
    engine.threads = settings["threads"]
    if settings.get("heads"):
        engine.keep_heads(**settings["heads"])
    wire = Wire(Path(settings["folder"]))
    _say(replies, {"ready": True})
    while True:
        _answer(engine, wire, json.loads(requests.get()), replies)


def _read(requests: queue.Queue[str]) -> None:
    for line in sys.stdin:
        requests.put(line)
    os._exit(0)


def _answer(engine: Engine, wire: Wire, request: dict[str, Any], replies: TextIO) -> None:
    told = 0

    def on_progress(done: int, total: int) -> None:
        nonlocal told
        _say(replies, {"progress": done - told})
        told = done

    try:
        items = [wire.work_in(item) for item in request["items"]]
        for index, found in run(engine, items, on_progress):
            _say(replies, {"index": index, "found": wire.found_out(found)})
        _say(replies, {"done": True})
    except SelfEditError as error:
        _say(replies, {"error": str(error)})


def _say(replies: TextIO, reply: dict[str, Any]) -> None:
    replies.write(json.dumps(reply) + "\n")
    replies.flush()


if __name__ == "__main__":
    main()
