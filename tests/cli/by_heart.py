"""The command line with a worker that learns by heart in the model's place; runs as a program.

    python tests/cli/by_heart.py PAUSE WIDTH ARGUMENTS...

PAUSE is what each of the worker's verbs takes, in seconds; WIDTH makes adapters large.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1]))

from fakes import FakeWorker
from selfedit import memory
from selfedit.cli import main


def put_in_place(patch: Any, worker: FakeWorker) -> None:
    """Let `selfedit.memory` have `worker` where it would load a model; `patch` is `setattr` or pytest's."""
    patch(memory, "loader", lambda ref, device, dtype: lambda: worker)


if __name__ == "__main__":
    put_in_place(setattr, FakeWorker(pause=float(sys.argv[1]), width=int(sys.argv[2])))
    main.main(sys.argv[3:])
