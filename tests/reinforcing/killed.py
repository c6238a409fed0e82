"""A run that may be killed: a tiny real engine trains and scores, and a worker by heart writes self-edits.

python -m tests.reinforcing.killed KIND FOLDER        does the run in FOLDER/store to its end
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from selfedit.engine import Engine
from selfedit.recipes import parse_recipe
from selfedit.reinforcing import campaign, reinforce
from selfedit.store import Store

from ..fakes import FakeWorker
from ..solvers import Trainee

PASSAGES = """
rounds: 2
data: {passages: 4}
write: {samples: 3, spans: 4}
apply: {rank: 2, alpha: 4, epochs: 2}
judge: {seeds: [0, 1]}
select: {beat: [passage]}
reinforce: {kl: 0.1, training: {rank: 2, alpha: 4, epochs: 2}}
"""
TEXT = """
rounds: 2
data: {kind: text, train: train.jsonl, report: report.jsonl, passages: 3}
few_shot: {steps: 3}
write: {formats: [few-shot], samples: 3}
apply: {rank: 2, alpha: 4, batch_size: 2}
judge: {seeds: [0, 1], answer_tokens: 4, rewards: [{name: likelihood}, {name: solved}]}
select: {beat: [base]}
reinforce: {kl: 0.1, training: {rank: 2, alpha: 4, epochs: 1}}
report: {rows: [in-context], training: {least_steps: 0}}
"""
RECIPES = {"passages": PASSAGES, "text": TEXT}


class Mixed(FakeWorker):
    """Writes as the fake does; learns and knows as a real engine does."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(base=engine.base, path=engine.path, dtype=engine.dtype)
        self.engine = engine

    def train_iter(self, plans: Any, progress: Any = lambda done, total: None) -> Any:
        return self.engine.train_iter(plans, progress)

    def score(self, requests: Any) -> Any:
        return self.engine.score(requests)

    def head(self, adapters: Any) -> Any:
        return self.engine.head(adapters)


WORKERS: dict[str, Callable[[Engine], FakeWorker]] = {"passages": Mixed, "text": Trainee}


def run(kind: str, folder: Path) -> None:
    """The whole run, or what is left of it."""
    engine = Engine.load(folder / "model")
    engine.threads = 1
    worker = WORKERS[kind](engine)
    place = folder / "store"
    if not Store.exists(place):
        Store.create(place, base="tiny", weights=worker.base, dtype=worker.dtype).close()
    with Store.open(place, write=True, verb="train") as store:
        reinforce(campaign(store, worker, parse_recipe(RECIPES[kind], "killed.yaml"), folder))


def outcome(folder: Path) -> list[object]:
    """All that the run left behind but its clock."""
    with Store.open(folder / "store") as store:
        return [
            (row.number, row.adapter, row.head, {k: v for k, v in row.record.items() if k != "seconds"})
            for run in store.runs()
            for row in store.rounds(run.id)
        ]


if __name__ == "__main__":
    run(sys.argv[1], Path(sys.argv[2]))
