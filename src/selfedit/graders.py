"""Graders by name, with whatever computes for them. Loads a model only when a grader first needs one."""

from __future__ import annotations

import math
from collections.abc import Callable
from collections.abc import Sequence as Items
from functools import cache
from typing import TYPE_CHECKING

from selfedit.errors import UsageError
from selfedit.policies import shipped_judge
from selfedit.rewards import Grader, RuleGrader
from selfedit.rewards.base_judge import BaseJudge
from selfedit.rewards.judging import YES
from selfedit.rewards.local import Judge, LocalGrader, fitted
from selfedit.types import Score, ScoreRequest

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

Hire = Callable[[], "Worker"]
BUILT_IN = "smollm2-135m"
"""The base that the local grader's judge stands on, whatever base is taught."""
LOCAL = ("local", "words", "rules", "base")
"""Graders that need nothing but this machine."""


def grader_for(name: str, hire: Hire | None = None) -> Grader:
    """A grader of `LOCAL`. `hire` gives a worker: for `local` one on the built-in base, for `base` any."""
    match name:
        case "rules":
            return RuleGrader()
        case "words":
            return LocalGrader(fitted())
        case "local":
            return LocalGrader(fitted(), judge(hire or built_in))
        case "base":
            worker = (hire or built_in)()
            return BaseJudge(worker.score, worker.chat)
        case _:
            raise UsageError(f"no grader {name!r}; choose among {', '.join(LOCAL)}")


def grader_at(name: str, base: str, worker: Worker) -> Grader:
    """A grader of `LOCAL`; a worker on the base of this name serves it where it would load the same."""
    return grader_for(name, (lambda: worker) if name == "base" or base == BUILT_IN else None)


def judge(hire: Hire) -> Judge:
    """The judge that ships for the built-in base. Model and adapter are loaded once, when first asked."""

    @cache
    def judging() -> tuple[Worker, Adapter]:
        worker = hire()
        adapter = shipped_judge(worker)
        if adapter is None:
            raise UsageError(f"no judge ships for this base; grade by `words`, or load {BUILT_IN}")
        return worker, adapter

    def asked(prompts: Items[str]) -> list[float]:
        worker, adapter = judging()
        scores: list[Score] = worker.score([ScoreRequest(prompt, YES, adapter) for prompt in prompts])
        return [math.exp(score.logprob) for score in scores]

    return asked


def built_in(base: str = BUILT_IN) -> Worker:
    """A worker of its own on a base."""
    from selfedit.engine import Engine
    from selfedit.workers.local import LocalWorker

    return LocalWorker(Engine.load(base))
