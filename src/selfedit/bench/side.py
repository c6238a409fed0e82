"""One side of a benchmark as a process of its own, so that its peak memory and threads are its own.

`python -m selfedit.bench.side SIDE SETTINGS-JSON` reads one JSON request a line, `[verb, arguments]`, and
answers it with one JSON line, `{"ok": ...}` or `{"error": ...}`. It ends when its standard input closes. What
libraries print goes to standard error.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, TextIO

from selfedit.bench.settings import Settings, from_json
from selfedit.errors import SelfEditError

Verbs = Mapping[str, Callable[..., Any]]
SIDES = {"ours": "selfedit.bench.ours", "theirs": "selfedit.bench.theirs"}


def serve(verbs: Verbs, requests: TextIO, replies: TextIO) -> None:
    """Answer requests until there are no more. A failed request is answered and ends nothing."""
    for line in requests:
        verb, arguments = json.loads(line)
        try:
            reply = {"ok": verbs[verb](**arguments)}
        except SelfEditError as error:
            reply = {"error": str(error), "usage": True}
        except Exception as error:  # a door: the parent turns it into its own error, with the verb's name
            traceback.print_exc()
            reply = {"error": f"{type(error).__name__}: {error}"}
        replies.write(json.dumps(reply) + "\n")
        replies.flush()


def refuse(error: SelfEditError, requests: TextIO, replies: TextIO) -> None:
    """Answer every request with why the side cannot start."""
    for _ in requests:
        replies.write(json.dumps({"error": str(error), "usage": True}) + "\n")
        replies.flush()


def verbs_of(side: str, settings: Settings) -> Verbs:
    """The verbs of a side; each side's libraries are imported only in its own process."""
    return import_module(SIDES[side]).verbs(settings)


def main() -> None:
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    warnings.simplefilter("ignore", FutureWarning)  # between transformers and PEFT
    try:
        verbs = verbs_of(sys.argv[1], from_json(sys.argv[2]))
    except SelfEditError as error:
        refuse(error, sys.stdin, replies)
    else:
        serve(verbs, sys.stdin, replies)


if __name__ == "__main__":
    main()
