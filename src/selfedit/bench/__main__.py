"""`python -m selfedit.bench NAME`: the benchmarks where typer and pydantic are not installed."""

from __future__ import annotations

import argparse
import json
import os
import sys

from selfedit.bench import BENCHES, markdown, run, settings_for
from selfedit.errors import SelfEditError


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser("python -m selfedit.bench", description=__doc__)
    made.add_argument("name", choices=BENCHES)
    made.add_argument("--base", help="built-in name, hub name, folder or GGUF file")
    made.add_argument("--device")
    made.add_argument("--dtype", choices=("auto", "float32", "bfloat16", "float64"))
    made.add_argument("--data", default=os.environ.get("SELFEDIT_DATA"), help="folder with squad/train.json")
    made.add_argument("--synthetic", action="store_true", help="random-word texts in place of data")
    made.add_argument("--quick", action="store_true", help="seconds, to see that it works")
    made.add_argument("--json", action="store_true", help="one JSON array on standard output")
    for name, text in COUNTS.items():
        made.add_argument(f"--{name}", type=int, help=text)
    return made


COUNTS = {
    "plans": "adapters to train (trial: trials)",
    "sequences": "training sequences a plan",
    "epochs": "epochs a plan",
    "rank": "LoRA rank",
    "subset": "plans that a one-at-a-time rival is measured on",
    "requests": "rows to generate or score",
    "max-tokens": "new tokens a row",
}


def main(arguments: list[str] | None = None) -> int:
    """0 when the rows are printed; 2 with one line when the input is bad."""
    given = vars(parser().parse_args(arguments))
    as_json, quick, name = given.pop("json"), given.pop("quick"), given.pop("name")
    try:
        rows = [row.as_json() for row in run(settings_for(name, quick=quick, **given))]
    except SelfEditError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(rows, indent=1, ensure_ascii=False) if as_json else markdown(rows))
    return 0


if __name__ == "__main__":
    sys.exit(main())
