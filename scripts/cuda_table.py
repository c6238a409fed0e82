"""The results of scripts/cuda.sh: one JSON-lines file and one table.

`cuda_table.py parity LOG` turns a test runner's log into a row; `cuda_table.py table FOLDER` gathers the rows
of every part's `*.json` into `rows.jsonl` and prints them.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from selfedit.bench.table import markdown


def parity_row(log: str) -> dict[str, str]:
    """The runner's own closing line."""
    lines = [line.strip("= \n") for line in log.splitlines() if " passed" in line or " failed" in line]
    return {"name": "parity", "result": lines[-1] if lines else "the test runner printed no closing line"}


def gather(folder: Path) -> list[dict[str, object]]:
    """The rows of every part, in the order of the parts' names; each says which part it is of."""
    parts = sorted(folder.glob("*.json"))
    return [{"part": path.stem, **row} for path in parts for row in json.loads(path.read_text())]


def table(folder: Path) -> str:
    rows = gather(folder)
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (folder / "rows.jsonl").write_text(lines, encoding="utf-8")
    tests = [f"parity: {row['result']}" for row in rows if row["name"] == "parity"]
    shown = [{**row, "name": row["part"]} for row in rows if row["name"] != "parity"]
    return "\n".join([*tests, markdown(shown)])


if __name__ == "__main__":
    kind, place = sys.argv[1], Path(sys.argv[2])
    print(json.dumps([parity_row(place.read_text())]) if kind == "parity" else table(place))
