"""Fit the coefficients of `selfedit.edits.spans` and say what share of people's answers its spans cover.

    python scripts/fit_spans.py --data DIR [--write]

DIR (or SELFEDIT_DATA) holds `squad/train.json`, `squad/train_extra.json` and `squad/val_choose.json`. Fitted
on the first two; the last only reports. Takes a minute; needs numpy, which comes with torch.
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from selfedit.edits import spans
from selfedit.edits.words import agree, content, recall

Row = dict[str, Any]
WEIGHTS = Path(spans.__file__).with_name("span_weights.json")


def main() -> None:
    options = arguments()
    squad = Path(options.data) / "squad"
    train, extra, choose = (
        json.loads((squad / f"{n}.json").read_text()) for n in ("train", "train_extra", "val_choose")
    )
    for fold in range(options.folds):
        titles = sorted({row["title"] for row in train})[fold :: options.folds]
        rest = [row for row in train if row["title"] not in titles] + extra
        report(f"fold {fold}", fit(rest, options), [row for row in train if row["title"] in titles])
    report("val_choose, train only", fit(train, options), choose)
    weights = fit(train + extra, options)
    report("val_choose", weights, choose)
    if options.write:
        WEIGHTS.write_text(json.dumps(weights, ensure_ascii=False, indent=0, sort_keys=True) + "\n")
        print(f"{len(weights)} coefficients, {WEIGHTS.stat().st_size} bytes: {WEIGHTS}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--data", default=os.environ.get("SELFEDIT_DATA"), help="folder that holds squad/")
    parser.add_argument("--write", action="store_true", help="replace the coefficients in the package")
    parser.add_argument("--folds", type=int, default=0, help="cross-validate over train titles first")
    parser.add_argument("--ridge", type=float, default=10.0)
    parser.add_argument("--rare", type=int, default=40, help="leave out features of fewer candidates")
    parser.add_argument(
        "--near", type=float, default=0.3, help="label of a span that agrees with an answer inexactly"
    )
    parser.add_argument("--steps", type=int, default=300)
    options = parser.parse_args()
    if not options.data:
        parser.error("name the data: --data DIR or SELFEDIT_DATA")
    return options


def fit(rows: Sequence[Row], options: argparse.Namespace) -> dict[str, float]:
    """Ridge logistic regression on every candidate of every row."""
    names, labels = [], []
    for row in rows:
        for start, end, _, _, features in spans.featured(row["context"], title=row["title"]):
            names.append(features)
            labels.append(label(row["context"][start:end], row, options.near))
    counts: dict[str, int] = {}
    for features in names:
        for name in features:
            counts[name] = counts.get(name, 0) + 1
    columns = {name: i for i, name in enumerate(sorted(n for n, c in counts.items() if c >= options.rare))}
    pairs = [(r, columns[name]) for r, features in enumerate(names) for name in features if name in columns]
    row_index, column_index = np.array(pairs, dtype=np.int64).T
    solved = solve(row_index, column_index, np.array(labels), len(columns), options)
    return {name: round(float(solved[i]), 2) for name, i in columns.items() if abs(solved[i]) >= 0.03}


def label(text: str, row: Row, near: float) -> float:
    answers = [question["answer"] for question in row["questions"]]
    if any(content(text) == content(answer) for answer in answers):
        return 1.0
    return near if any(agree(text, answer) for answer in answers) else 0.0


def solve(rows: Any, columns: Any, labels: Any, width: int, options: argparse.Namespace) -> Any:
    """Adam on the whole objective: smooth and convex, so it only has to be long enough."""
    weights, first, second = np.zeros(width), np.zeros(width), np.zeros(width)
    for step in range(1, options.steps + 1):
        scores = np.bincount(rows, weights[columns], minlength=len(labels))
        errors = 1 / (1 + np.exp(-scores)) - labels
        gradient = np.bincount(columns, errors[rows], minlength=width) + options.ridge * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        rate = 0.1 * (1 - step / (options.steps + 1))
        weights -= rate * (first / (1 - 0.9**step)) / (np.sqrt(second / (1 - 0.999**step)) + 1e-8)
    return weights


def report(name: str, weights: dict[str, float], rows: Iterable[Row]) -> None:
    """Answers covered, answers of which a span has 0.6 of the words, and spans that cover one."""
    rows = list(rows)
    spans._weights = lambda: weights  # type: ignore[assignment]
    figures = []
    for limit in (8, 12, 14, 20, 30):
        covered = held = asked = useful = given = 0
        for row in rows:
            chosen = [span.text for span in spans.best_spans(row["context"], limit, title=row["title"])]
            answers = [question["answer"] for question in row["questions"]]
            covered += sum(any(agree(text, answer) for text in chosen) for answer in answers)
            held += sum(any(recall(answer, text) >= 0.6 for text in chosen) for answer in answers)
            useful += sum(any(agree(text, answer) for answer in answers) for text in chosen)
            asked, given = asked + len(answers), given + len(chosen)
        figures.append(f"{limit}: {covered / asked:.2f} {held / asked:.2f} {useful / max(1, given):.2f}")
    print(f"{name:24} {'; '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
