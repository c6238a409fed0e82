"""Ask the built-in model all canaries, at each precision that it is used at, and ship which it answers.

    python scripts/ship_known.py

Writes src/selfedit/abilities/known.json (some three minutes on one core). To be done again when a canary, its
demonstrations or the rule that checks an answer has changed: a test says so.
"""

from __future__ import annotations

import json
import sys

from selfedit.abilities import answered, asker
from selfedit.abilities.shipped import FILE, asked
from selfedit.canaries import canaries
from selfedit.engine import Engine
from selfedit.workers.local import LocalWorker

BASE = "smollm2-135m"
DTYPES = "float32", "bfloat16"


def main() -> None:
    rows = [known(dtype) for dtype in DTYPES]
    FILE.write_text("[\n" + ",\n".join(json.dumps(row) for row in rows) + "\n]\n", encoding="utf-8")


def known(dtype: str) -> dict[str, object]:
    worker = LocalWorker(Engine.load(BASE, dtype=dtype))
    right = set(answered(canaries(), asker(worker)))
    places = [place for place, each in enumerate(canaries()) if each.probe.id in right]
    print(f"{dtype}: {len(places)} of {len(canaries())}", file=sys.stderr)
    return {"base": worker.base, "dtype": dtype, "asked": asked(), "right": places}


if __name__ == "__main__":
    main()
