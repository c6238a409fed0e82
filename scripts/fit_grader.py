"""Fit what the local grader ships: trees over words, the judge's adapter, and how the two are mixed.

    pip install scikit-learn
    SELFEDIT_DATA=DIR python scripts/fit_grader.py trees OUT      # a minute; OUT/trees.json, OUT/rows.json
    SELFEDIT_DATA=DIR python scripts/fit_grader.py judge OUT      # an hour on one core; OUT/judge
    SELFEDIT_DATA=DIR python scripts/fit_grader.py mix OUT        # minutes; OUT/grader.json

The published verdicts are parted by title: those of the reporting passages (squad/val_report.json) are never
looked at here; of the others, most fit trees and judge, and the rest tunes. Beside the verdicts stand made-up
answers that list everything, which are wrong by our own rule, whatever a lenient judge may say.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import random
import shutil
import sys
import time
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors.torch
import torch
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold

from selfedit.engine import Adapter, Engine
from selfedit.rewards.features import NAMES, features
from selfedit.rewards.judging import YES, judge_prompt, judge_row
from selfedit.rewards.local import Fitted, fitted
from selfedit.rewards.trees import Tree, Trees, log_odds, probability
from selfedit.types import GradeRequest, ScoreRequest, TrainingPlan

TUNED = 15
"""Titles that tune."""
CLEAR = (0.2, 0.85)
"""Where words decide alone: chosen on the tuning titles, for speed as much as for agreement."""
LISTERS = 3
"""Made-up listers a question."""
HARD, EASY = 18, 6
"""Rows of a question that the judge is trained on: at most so many that words leave open, and others."""


@dataclass(frozen=True)
class Row:
    title: str
    request: GradeRequest
    correct: bool


def read(data: Path) -> tuple[list[Row], list[Row]]:
    """Rows to fit on, and rows to tune on."""
    with gzip.open(data / "grading_verdicts.jsonl.gz", "rt", encoding="utf-8") as file:
        held = [json.loads(line) for line in file]
    report = {each["title"] for each in json.loads((data / "squad" / "val_report.json").read_text())}
    rows = [
        Row(r["title"], GradeRequest(r["question"], r["answer"], r["prediction"]), r["correct"]) for r in held
    ]
    titles = sorted({row.title for row in rows} - report)
    random.Random(0).shuffle(titles)
    tuned = set(titles[:TUNED])
    kept = [row for row in rows if row.title not in report]
    return [r for r in kept if r.title not in tuned], [r for r in kept if r.title in tuned]


def listers(rows: list[Row]) -> list[Row]:
    """For each question answers that name everything the title's gold answers name, its own among them."""
    golds: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        if row.request.answer not in golds[row.title]:
            golds[row.title].append(row.request.answer)
    rng, made = random.Random(1), []
    for (title, question), row in {(r.title, r.request.question): r for r in rows}.items():
        others = [gold for gold in golds[title] if gold != row.request.answer]
        for _ in range(LISTERS if len(others) >= 4 else 0):
            listed = [*rng.sample(others, min(len(others), rng.randint(4, 12))), row.request.answer]
            rng.shuffle(listed)
            text = rng.choice((", ", "; ", " ", ". ")).join(listed)
            made.append(Row(title, GradeRequest(question, row.request.answer, text), False))
    return made


def model() -> HistGradientBoostingClassifier:
    return HistGradientBoostingClassifier(
        learning_rate=0.04, max_iter=220, max_leaf_nodes=6, min_samples_leaf=100, l2_regularization=1.0,
        random_state=0,
    )  # fmt: skip


def exported(fitted: HistGradientBoostingClassifier) -> Trees:
    """scikit-learn's trees as ours."""
    trees: list[Tree] = []
    for (predictor,) in fitted._predictors:
        nodes = predictor.nodes
        leaf = nodes["is_leaf"].astype(bool)
        trees.append(
            Tree(
                tuple(-1 if end else int(f) for end, f in zip(leaf, nodes["feature_idx"], strict=True)),
                tuple(0.0 if end else float(t) for end, t in zip(leaf, nodes["num_threshold"], strict=True)),
                tuple(map(int, nodes["left"])),
                tuple(map(int, nodes["right"])),
                tuple(map(float, nodes["value"])),
            )
        )
    return Trees(NAMES, float(fitted._baseline_prediction.ravel()[0]), tuple(trees))


def fit_trees(data: Path, out: Path) -> None:
    """Trees on the fitting titles; the judge's rows are those that trees of other titles leave open."""
    fit, tune = read(data)
    made = listers(fit)
    every = [*fit, *made]
    x = np.array([features(row.request) for row in every])
    y = np.array([row.correct for row in every])
    weight = np.array([1.0] * len(fit) + [2.0] * len(made))
    groups = np.array([row.title for row in every])
    apart = np.zeros(len(every))
    for a, b in GroupKFold(6).split(x, y, groups):
        apart[b] = model().fit(x[a], y[a], sample_weight=weight[a]).predict_proba(x[b])[:, 1]
    trees = exported(model().fit(x, y, sample_weight=weight))
    out.mkdir(parents=True, exist_ok=True)
    (out / "trees.json").write_text(json.dumps(trees.as_json()))
    (out / "rows.json").write_text(json.dumps(picked(every, apart)))
    scores = [probability(trees(features(row.request))) for row in tune]
    right = [(score >= 0.5) == row.correct for score, row in zip(scores, tune, strict=True)]
    print(f"cross-fitted {np.mean((apart >= 0.5) == y):.4f}, tuning titles {np.mean(right):.4f}")


def picked(rows: list[Row], apart: np.ndarray[Any, Any]) -> list[int]:
    """Of each question the rows that words leave open, and some that they do not."""
    rng = random.Random(0)
    mine: dict[str, list[int]] = defaultdict(list)
    for at, row in enumerate(rows):
        if row.request.prediction.strip():
            mine[row.request.question].append(at)
    chosen: list[int] = []
    for all_ in mine.values():
        hard = [at for at in all_ if 0.06 < apart[at] < 0.94]
        easy = [at for at in all_ if not 0.06 < apart[at] < 0.94]
        rng.shuffle(hard)
        rng.shuffle(easy)
        hard = hard[:HARD]
        chosen += hard + easy[: max(EASY - 1, HARD + EASY - len(hard)) if len(hard) < HARD else EASY]
    return chosen


def fit_judge(data: Path, out: Path, dtype: str) -> None:
    """A small adapter of the built-in model that says yes or no."""
    fit, _ = read(data)
    every = [*fit, *listers(fit)]
    rows = [every[at] for at in json.loads((out / "rows.json").read_text())]
    engine = Engine.load("smollm2-135m", dtype=dtype)
    sequences = tuple(judge_row(row.request, row.correct) for row in rows)
    plan = TrainingPlan(
        sequences, rank=16, alpha=32, learning_rate=8e-4, epochs=1, batch_size=16, warmup=0.05
    )
    began = time.monotonic()

    def progress(done: int, total: int) -> None:
        print(f"{done}/{total} tokens, {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)

    (adapter,) = engine.train([plan], progress)
    if not isinstance(adapter, Adapter):
        sys.exit(f"training failed: {adapter.what}")
    save(adapter, out / "judge")
    print(f"{len(rows)} rows, loss {sum(adapter.losses[-40:]) / 40:.3f}, {time.monotonic() - began:.0f} s")


def save(adapter: Adapter, folder: Path) -> None:
    """In bfloat16, half the size."""
    shutil.rmtree(folder, ignore_errors=True)
    adapter.save(folder)
    halves = {f"base_model.model.{name}": t.to(torch.bfloat16) for name, t in adapter.tensors().items()}
    safetensors.torch.save_file(halves, folder / "adapter_model.safetensors", metadata={"format": "pt"})


def fit_mix(data: Path, out: Path, dtype: str) -> None:
    """How trees and judge are mixed, on the tuning titles."""
    fit, tune = read(data)
    trees = Trees(**_trees(out))
    words = np.array([probability(trees(features(row.request))) for row in tune])
    open_ = [at for at, score in enumerate(words) if CLEAR[0] < score < CLEAR[1]]
    engine, judge = Engine.load("smollm2-135m", dtype=dtype), Adapter.load(out / "judge")
    began = time.monotonic()
    scores = engine.score([ScoreRequest(judge_prompt(tune[at].request), YES, judge) for at in open_])
    print(f"{len(open_)} of {len(tune)} left open, {len(open_) / (time.monotonic() - began):.1f} a second")
    yes = np.exp([score.logprob for score in scores])
    x = np.array([[log_odds(words[at]), log_odds(p)] for at, p in zip(open_, yes, strict=True)])
    y = np.array([tune[at].correct for at in open_])
    mixed = LogisticRegression(C=100.0).fit(x, y)
    mix = (float(mixed.intercept_[0]), *map(float, mixed.coef_[0]))
    titles = {row.title for row in (*fit, *tune)}
    tuned, revision = frozenset(row.title for row in tune), fitted().revision + 1
    held = Fitted(trees, CLEAR, mix, frozenset(titles), tuned, revision)
    (out / "grader.json").write_text(json.dumps(held.as_json()) + "\n")
    both = words.copy()
    both[open_] = mixed.predict_proba(x)[:, 1]
    truth = np.array([row.correct for row in tune])
    for name, found in (("words", words), ("words, then judge", both)):
        print(f"{name}: {np.mean((found >= 0.5) == truth):.4f} on the tuning titles")
    print(f"on what is left open: words {np.mean((words[open_] >= 0.5) == y):.4f}, "
          f"judge {np.mean((yes >= 0.5) == y):.4f}, mixed {mixed.score(x, y):.4f}, mix {mix}")  # fmt: skip


def _trees(out: Path) -> dict[str, Any]:
    held = json.loads((out / "trees.json").read_text())
    trees = tuple(Tree(**{name: tuple(values) for name, values in tree.items()}) for tree in held["trees"])
    return {"names": tuple(held["names"]), "start": held["start"], "trees": trees}


def main() -> None:
    """One of the three steps."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("step", choices=("trees", "judge", "mix"))
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFEDIT_DATA", "data")))
    parser.add_argument("--dtype", default="float32")
    given = parser.parse_args()
    match given.step:
        case "trees":
            fit_trees(given.data, given.out)
        case "judge":
            fit_judge(given.data, given.out, given.dtype)
        case _:
            fit_mix(given.data, given.out, given.dtype)


if __name__ == "__main__":
    main()
