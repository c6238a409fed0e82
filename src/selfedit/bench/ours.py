"""Our engine as verbs of a side, through its public surface alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from selfedit.bench import machine, workload
from selfedit.bench.rivals import timed
from selfedit.bench.settings import Settings
from selfedit.bench.side import Verbs
from selfedit.engine import Adapter, Engine
from selfedit.errors import EngineError
from selfedit.types import Failure, GenerationRequest, ScoreRequest, TrainingPlan
from selfedit.workers.pool import PooledWorker


def verbs(settings: Settings) -> Verbs:
    """`device` and `dtype` are resolved; the base may be any reference that the engine takes."""
    engine = Engine.load(settings.base, device=settings.device, dtype=settings.dtype)
    alone = bool(settings.threads) and max(settings.threads) == 1
    worker = PooledWorker(engine, processes=1 if alone else None)
    worker.start()
    plans = workload.plans(settings)
    loaded: list[Adapter] = []

    def load(folders: list[str]) -> int:
        loaded[:] = [Adapter.load(folder) for folder in folders]
        return len(loaded)

    return {
        "path": lambda: str(engine.path),
        "memory": lambda: machine.peak_memory_mb(settings.device),
        "initial": partial(initial, worker, plans),
        "warm_train": lambda: warm_train(worker, plans),
        "train": lambda folder, keep: train(worker, plans, settings, Path(folder), keep),
        "load": load,
        "generate": lambda adapters: generate(worker, loaded, settings, adapters),
        "score": lambda adapters: score(worker, loaded, settings, adapters),
        "trial": lambda: trial(worker, plans, settings),
    }


def initial(worker: PooledWorker, plans: list[TrainingPlan], indices: list[int], folder: str) -> list[str]:
    """Write the adapters that the plans start from, so that a rival starts from the same weights."""
    made = adapters(worker.train([replace(plans[i], epochs=0) for i in indices]))
    return [_save(adapter, Path(folder) / f"initial-{i}") for i, adapter in zip(indices, made, strict=True)]


def threads(worker: PooledWorker) -> int | str:
    """The engine's own thread count, or how many processes of one thread share the work."""
    return worker.engine.threads if worker.processes < 2 else f"{worker.processes} processes of 1"


def _save(adapter: Adapter, folder: Path) -> str:
    adapter.save(folder)
    return str(folder)


def adapters(results: list[Adapter | Failure]) -> list[Adapter]:
    """All results, or an error: a benchmark with a failed plan in it measures nothing."""
    failed = [result for result in results if isinstance(result, Failure)]
    if failed:
        raise EngineError(
            f"{len(failed)} of {len(results)} plans failed, the first in {failed[0].where}: {failed[0].what}"
        )
    return [result for result in results if not isinstance(result, Failure)]


def warm_train(worker: PooledWorker, plans: list[TrainingPlan]) -> int:
    """One step of every plan: compiled kernels, probes and allocations are there before the clock starts."""
    adapters(worker.train([replace(plan, epochs=1, sequences=plan.sequences[:1]) for plan in plans]))
    return len(plans)


def train(
    worker: PooledWorker, plans: list[TrainingPlan], settings: Settings, folder: Path, keep: list[int]
) -> dict[str, Any]:
    """All plans in one call; the adapters named by `keep` are written after the clock has stopped."""
    took, results = timed(lambda: worker.train(plans), settings.device)
    made = adapters(results)
    folders = [_save(made[i], folder / f"ours-{i}") for i in keep]
    return {"seconds": took, "folders": folders, "threads": threads(worker)}


def generate(
    worker: PooledWorker, loaded: list[Adapter], settings: Settings, adapters: int
) -> dict[str, Any]:
    """All rows in one call, each with its adapter."""
    requests = [
        GenerationRequest(row.prompt, adapter=loaded[row.adapter], max_tokens=settings.max_tokens)
        for row in workload.rows(settings, adapters)
    ]
    took, found = timed(lambda: worker.generate(requests), settings.device)
    return {"seconds": took, "tokens": [list(each.tokens) for each in found], "threads": threads(worker)}


def score(worker: PooledWorker, loaded: list[Adapter], settings: Settings, adapters: int) -> dict[str, Any]:
    requests = [
        ScoreRequest(row.prompt, row.completion, adapter=loaded[row.adapter])
        for row in workload.rows(settings, adapters)
    ]
    took, found = timed(lambda: worker.score(requests), settings.device)
    return {"seconds": took, "logprobs": [each.logprob for each in found], "threads": threads(worker)}


def trial(worker: PooledWorker, plans: list[TrainingPlan], settings: Settings) -> dict[str, Any]:
    """All trials: train every plan, ask every question, grade every answer."""
    from selfedit.rewards.grading import correct

    passages = workload.passages(settings)
    asked = [workload.questions(passages[i], i) for i in range(len(plans))]
    took, (texts, verdicts) = timed(lambda: _trials(worker, plans, asked, settings, correct), settings.device)
    return {"seconds": took, "texts": texts, "verdicts": verdicts, "threads": threads(worker)}


def _trials(
    worker: PooledWorker,
    plans: list[TrainingPlan],
    asked: list[list[workload.Row]],
    settings: Settings,
    correct: Callable[[str, str], Any],
) -> tuple[list[list[str]], list[list[bool]]]:
    made = adapters(worker.train(plans))
    rows = [row for group in asked for row in group]
    requests = [
        GenerationRequest(row.prompt, adapter=made[row.adapter], max_tokens=settings.max_tokens)
        for row in rows
    ]
    texts = [each.text for each in worker.generate(requests)]
    verdicts = [bool(correct(text, row.completion)) for text, row in zip(texts, rows, strict=True)]
    size = workload.QUESTIONS_PER_TRIAL
    cuts = range(0, len(rows), size)
    return [texts[i : i + size] for i in cuts], [verdicts[i : i + size] for i in cuts]
