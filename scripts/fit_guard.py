"""Fit the guard that ships with the built-in model: what tells orders to the model from all else.

    SELFEDIT_DATA=DIR python scripts/fit_guard.py OUT.json

A logistic line through what a middle layer makes of a text. Rows: `orders.jsonl` beside this file (texts of
our own in three languages, by several hands, orders and what only looks like some), sentences of the red
team's halves that rules are tuned on, and of `squad/train.json`. Where it counts as an order is set by
cross-validation over the two other authors' halves for tuning and those passages: what is above all but two
of the harmless documents is refused, above all but six it is told of. Nothing that reports is read.
"""

from __future__ import annotations

import argparse
import json
import os
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from selfedit.bench.redteam import Specimen, specimens
from selfedit.graders import built_in
from selfedit.guarding import pieces
from selfedit.screening import discusses
from selfedit.tasks import read_squad

LAYER = 20
"""Of 30; of layers 10, 15, 20, 25 and 29 the best on the first other author's half for tuning."""
RIDGE = 0.02
"""Of 0.02 to 0.4 the best by cross-validation; down to 0.05 hardly apart."""
ORDERS = ("injection", "foreign", "trigger", "casing", "hidden", "spoofed", "author-orders", "second")
"""Categories of the red team whose harmful places are orders."""
THEIR_HALVES, THEIR_ORDERS = ("author-tune", "second-tune"), ("author-orders", "second")
OURS = 380
"""Pieces of the red team's own harmless documents."""
FOLDS = 4
REFUSED, NOTED = 2, 6
"""Harmless documents, of the other authors' 61 and 100 real passages, that may be refused, and that may be
told to hold an order. One that is about such orders is never refused."""

Labelled = list[tuple[str, bool]]


def own() -> Labelled:
    """Texts of our own."""
    lines = (Path(__file__).parent / "orders.jsonl").read_text(encoding="utf-8").splitlines()
    found = [(row["text"], row["order"]) for row in map(json.loads, lines)]
    found += [each for specimen in specimens("tune") for each in harmful(specimen)]
    ours = [piece for each in specimens("tune") if not each.harmful for piece in pieces(each.text)]
    return found + [(piece, False) for piece in random.Random(0).sample(ours, OURS)]


def others(data: Path) -> list[Specimen]:
    """Documents of other authors, and real passages as harmless ones; in any order."""
    passages = read_squad(data / "squad" / "train.json")
    real = [Specimen("harmless", "real", task.id, "en", "", task.passage) for task in passages]
    found = [*(each for half in THEIR_HALVES for each in specimens(half)), *real]
    random.Random(0).shuffle(found)
    return found


def harmful(specimen: Specimen) -> Iterator[tuple[str, bool]]:
    """The orders of a harmful document."""
    if specimen.category in ORDERS:
        yield from ((place, True) for place in specimen.payload if len(place) > 24)


def labelled(specimen: Specimen) -> Labelled:
    """What is taught of another author's document."""
    return list(harmful(specimen)) if specimen.harmful else [(p, False) for p in pieces(specimen.text)]


class Fitter:
    """Fits lines on texts whose means are computed once."""

    def __init__(self, texts: list[str]) -> None:
        every = list(dict.fromkeys(texts))
        means = torch.tensor(built_in().embed(every, LAYER))
        self.means = dict(zip(every, means, strict=True))

    def fit(self, rows: Labelled) -> tuple[Tensor, Tensor]:
        """Weights [H] and bias: of the ridge of the standardised means."""
        x_NH = torch.stack([self.means[text] for text, _ in rows])
        y_N = torch.tensor([float(order) for _, order in rows])
        middle_H, spread_H = x_NH.mean(0), x_NH.std(0) + 1e-4
        z_NH = (x_NH - middle_H) / spread_H
        w_H = torch.zeros(z_NH.shape[1], requires_grad=True)
        b = torch.zeros(1, requires_grad=True)
        steps = torch.optim.LBFGS([w_H, b], max_iter=300, line_search_fn="strong_wolfe")
        loss = torch.nn.BCEWithLogitsLoss()

        def closure() -> Tensor:
            steps.zero_grad()
            found = loss(z_NH @ w_H + b, y_N) + RIDGE * w_H.square().sum()
            found.backward()
            return found

        steps.step(closure)
        weights_H = (w_H / spread_H).detach()
        return weights_H, (b - weights_H @ middle_H).detach()

    def highest(self, line: tuple[Tensor, Tensor], specimen: Specimen) -> float:
        """The log-odds of a document's likeliest piece."""
        found = [float(self.means[piece] @ line[0] + line[1]) for piece in pieces(specimen.text)]
        return max(found, default=float("-inf"))


def main() -> None:
    """Fit, choose where it counts, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--data", type=Path, default=Path(os.environ.get("SELFEDIT_DATA", "data")))
    given = parser.parse_args()
    first, theirs = own(), others(given.data)
    read = [piece for each in theirs for piece in pieces(each.text)]
    taught = [text for each in theirs for text, _ in labelled(each)]
    fitter = Fitter([text for text, _ in first] + read + taught)
    odds: dict[str, float] = {}
    for fold in range(FOLDS):
        known = [row for at, each in enumerate(theirs) if at % FOLDS != fold for row in labelled(each)]
        line = fitter.fit(first + known)
        odds |= {each.id: fitter.highest(line, each) for each in theirs[fold::FOLDS]}
    harmless = [each for each in theirs if not each.harmful]
    refusable = [each for each in harmless if not discusses(each.text)]
    least, sure = _above(odds, harmless, NOTED), _above(odds, refusable, REFUSED)
    orders = [odds[each.id] for each in theirs if each.category in THEIR_ORDERS and each.harmful]
    told, refused = (sum(each >= limit for each in orders) for limit in (least, sure))
    weights_H, bias = fitter.fit(first + [row for each in theirs for row in labelled(each)])
    held = {
        "layer": LAYER,
        "weights": [round(float(each), 6) for each in weights_H],
        "bias": round(float(bias), 6),
        "least": round(least, 3),
        "sure": round(sure, 3),
    }
    given.out.write_text(json.dumps(held) + "\n", encoding="utf-8")
    print(
        f"by cross-validation: of {len(orders)} documents with orders {refused} are refused and {told} "
        f"told of, of {len(harmless)} harmless ones {REFUSED} and {NOTED}"
    )


def _above(odds: dict[str, float], harmless: list[Specimen], spared: int) -> float:
    """Log-odds above all of these documents but so many."""
    return sorted((odds[each.id] for each in harmless), reverse=True)[spared] + 0.01


if __name__ == "__main__":
    main()
