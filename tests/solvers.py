"""Workers for tasks of demonstrations: configurations are drawn by the seed of what is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from selfedit.config import FewShots
from selfedit.edits import format_of
from selfedit.engine import Engine
from selfedit.recipes import Shown
from selfedit.solving import queries
from selfedit.types import Completion, GenerationRequest, Score, ScoreRequest, TrainingPlan, rng_for

from .fakes import FakeWorker


def drawn(request: GenerationRequest, kind: Any = "text") -> str:
    """A valid configuration that the seed draws; at temperature 0 always the same."""
    rng = rng_for("drawn", request.seed if request.temperature else 0)
    form = format_of(kind, paraphrases='"paraphrase"' in (request.grammar or ""))
    tools = {tool: rng.random() < 0.5 for tool in form.tools}
    settings = {"loss": rng.choice(["all", "output"]), "learning_rate": rng.choice([0.0001, 0.002])}
    return json.dumps({**tools, **settings, "epochs": rng.randint(1, 2)})


class Solver(FakeWorker):
    """Answers rightly under any adapter that was trained at a rate of `needs` or more; others answer nothing.

    The greater the rate, the likelier the right output.
    """

    def __init__(self, tasks: Iterable[Shown] = (), terms: FewShots | None = None, **given: Any) -> None:
        super().__init__(**given)
        terms = terms or FewShots()
        self.needs = 0.001
        self.right = {
            query.prompt: query.completion(test.output)
            for task in tasks
            for at, test in enumerate(task.tests)
            for query in queries(task, at, terms)
        }
        self._plans: dict[str, TrainingPlan] = {}

    def generate(self, requests, progress=lambda done, total: None) -> list[Completion]:
        self.asked += requests
        return [Completion(self._said(each), (1, 2), "stop", -1.0) for each in requests]

    def score(self, requests: Any) -> list[Score]:
        return [Score(value, (value,)) for value in map(self._likelihood, requests)]

    def _said(self, request: GenerationRequest) -> str:
        if request.grammar:
            return drawn(request)
        plan = self._plans.get(request.adapter.hash) if request.adapter else None
        knows = plan is not None and plan.learning_rate >= self.needs
        return self.right[str(request.prompt)] if knows else " no idea"

    def _likelihood(self, request: ScoreRequest) -> float:
        assert self.right[str(request.prompt)] == request.completion
        plan = self._plans.get(request.adapter.hash) if request.adapter else None
        return -1.0 + (plan.learning_rate if plan else 0.0)

    def _adapter(self, plan: TrainingPlan) -> Any:
        adapter = super()._adapter(plan)
        self._plans[adapter.hash] = plan
        return adapter


class Trainee(FakeWorker):
    """Configurations by seed; everything else by a real engine."""

    def __init__(self, engine: Engine, kind: Any = "text") -> None:
        super().__init__(base=engine.base, path=engine.path, dtype=engine.dtype)
        self.engine, self.kind = engine, kind

    def train_iter(self, plans: Any, progress: Any = lambda done, total: None) -> Any:
        return self.engine.train_iter(plans, progress)

    def generate(self, requests: Any, progress: Any = lambda done, total: None) -> list[Completion]:
        plain = iter(self.engine.generate([each for each in requests if not each.grammar]))
        return [
            Completion(drawn(each, self.kind), (1,), "stop") if each.grammar else next(plain)
            for each in requests
        ]

    def score(self, requests: Any) -> Any:
        return self.engine.score(requests)

    def head(self, adapters: Any) -> Any:
        return self.engine.head(adapters)
