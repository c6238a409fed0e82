"""Kills 500 processes that work on a store, and makes each of their system calls fail: what is lost?

    .venv/bin/python scripts/crash.py [--kills N] [--jobs N] [--out FOLDER]

Runs the programs of tests/store (crash.py, crash_faults.py) with all there is to do. Every kill and every
fault is a line in FOLDER/kills.jsonl or FOLDER/faults.jsonl; what is there already is not done again. Prints
the tables of docs/results.md; ends with 1 if anything was lost. Needs Linux and a C compiler.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PROGRAMS = ROOT / "tests" / "store"
sys.path.insert(0, str(PROGRAMS))

import faults  # noqa: E402
from crash_faults import STEPS  # noqa: E402

Row = dict[str, Any]
BATCH = 25
"""Kills on one store; then a new one is made."""
MEMORY = Path("/dev/shm")


@dataclass(frozen=True)
class Work:
    """A program with its arguments, and the name under which its lines are kept."""

    name: str
    program: str
    arguments: tuple[str, ...]


def main() -> int:
    options = _options()
    if reason := faults.why_not():
        raise SystemExit(f"scripts/crash.py: {reason}")
    batches = [f"batch-{n}" for n in range(-(-options.kills // BATCH))]
    kills = [Work(name, "crash.py", ("1", str(BATCH), name)) for name in batches]
    failures = [Work(step, "crash_faults.py", ("1", step)) for step in STEPS]
    options.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=MEMORY if os.access(MEMORY, os.W_OK) else None) as room:
        run = partial(_run, Path(room), faults.build(Path(room)))
        _complete(options.out / "kills.jsonl", kills, run, options.jobs)
        _complete(options.out / "faults.jsonl", failures, lambda work: grouped(run(work)), options.jobs)
    killed, failed = _read(options.out / "kills.jsonl"), _read(options.out / "faults.jsonl")
    print("\n".join([*killed_table(killed), "", *failed_table(failed)]))
    return int(any(row["problems"] for row in (*killed, *failed)))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=500)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--out", type=Path, default=ROOT / "results" / "crash")
    return parser.parse_args()


# -- running --------------------------------------------------------------------------------------


def _complete(file: Path, works: list[Work], run: Callable[[Work], list[Row]], jobs: int) -> None:
    """Do the work whose lines are not in `file` yet, and add them, the lines of one work at a time."""
    known = {row["work"] for row in _read(file)}
    missing = [work for work in works if work.name not in known]
    with ThreadPoolExecutor(jobs) as pool, file.open("a") as out:
        for done, rows in enumerate(pool.map(run, missing), 1):
            out.writelines(json.dumps(row) + "\n" for row in rows)
            out.flush()
            print(f"{file.name}: {len(works) - len(missing) + done} of {len(works)}", file=sys.stderr)


def _run(room: Path, library: Path, work: Work) -> list[Row]:
    with tempfile.TemporaryDirectory(dir=room) as folder:
        command = [sys.executable, PROGRAMS / work.program, folder, *work.arguments]
        environment = {**os.environ, **faults.environment(library)}
        done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return [{"work": work.name, **json.loads(line)} for line in done.stdout.splitlines()]


def _read(file: Path) -> list[Row]:
    return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []


def grouped(rows: list[Row]) -> list[Row]:
    """One row for all equal faults at calls of one kind: how many there were, and what came of them."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        groups.setdefault(tuple(row[name] for name in ("work", "fault", "call", "file")), []).append(row)
    return [
        dict(zip(("work", "fault", "call", "file"), key, strict=True))
        | {
            "faults": len(alike),
            "one_line": sum(row["line"] is not None for row in alike),
            "stored": sum(row["stored"] for row in alike),
            "lines": sorted({_line(row["line"]) for row in alike if row["line"]}),
            "problems": [line for row in alike for line in row["problems"]],
        }
        for key, alike in groups.items()
    ]


def _line(line: str) -> str:
    """A line without what differs from run to run."""
    return re.sub(r"[0-9a-f]{32,}", "…", line)


# -- tables ---------------------------------------------------------------------------------------

PLACES = {
    "the commit step (learn, retrain)": ("learn", "retrain"),
    "revert": ("revert",),
    "rollback": ("rollback",),
    "gc": ("gc",),
    "gc --erase": ("erase",),
    "backup": ("backup",),
    "recording trials, reports": ("trial", "report"),
    "rounds of training, dropping them": ("round", "drop"),
    "making and opening the store": ("create", "open"),
    "between steps": ("between steps",),
}
LOST = {"lost": ("lost", "head"), "half there": ("half",), "verify": ("verify",), "erase undone": ("erase",)}
"""Column → how the lines begin that count in it; all others are counted apart."""


def killed_table(rows: list[Row]) -> Iterator[str]:
    """Kills by place, and what was wrong after them."""
    yield from _head(["killed inside", "kills", "at a system call", "its step was stored", *LOST, "other"])
    for place, names in (*PLACES.items(), ("all", None)):
        there = [row for row in rows if names is None or row["place"] in names]
        struck, stored = sum(bool(row["call"]) for row in there), sum(row["stored"] for row in there)
        wrong = _wrong(line for row in there for line in row["problems"])
        yield _cells([place, len(there), struck, stored, *(wrong[name] for name in (*LOST, "other"))])


def failed_table(rows: list[Row]) -> Iterator[str]:
    """Faults by call, and what came of them."""
    names = list(dict.fromkeys(row["fault"] for row in rows))
    yield from _head(["call", *names, "one line", "went on regardless", "stored all the same", "not whole"])
    count = Counter[str]()
    for row in rows:
        count[_call(row)] += row["faults"]
    for call in (*sorted(count, key=lambda each: -count[each]), "all"):
        there = [row for row in rows if call in (_call(row), "all")]
        each = [sum(row["faults"] for row in there if row["fault"] == name) for name in names]
        said, stored = (sum(row[name] for row in there) for name in ("one_line", "stored"))
        yield _cells(
            [call, *each, said, sum(each) - said, stored, sum(len(row["problems"]) for row in there)]
        )


def _head(names: list[str]) -> Iterator[str]:
    yield _cells(names)
    yield "|" + "---|" * len(names)


def _cells(values: Iterable[object]) -> str:
    return "| " + " | ".join(map(str, values)) + " |"


def _call(row: Row) -> str:
    """The call without what differs between machines."""
    return row["call"].removesuffix("64").removesuffix("at").replace("fdatasync", "fsync")


def _wrong(lines: Iterable[str]) -> Counter[str]:
    return Counter(
        next((name for name, begins in LOST.items() if line.startswith(begins)), "other") for line in lines
    )


if __name__ == "__main__":
    sys.exit(main())
