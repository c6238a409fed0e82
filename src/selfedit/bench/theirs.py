"""The rivals as verbs of a side. Times them; knows nothing of our engine."""

from __future__ import annotations

from dataclasses import asdict, replace
from functools import cache, partial
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig
from transformers.utils import logging

from selfedit.bench import machine, rivals, workload
from selfedit.bench.adapters import lora_weights, write_random
from selfedit.bench.settings import Settings
from selfedit.bench.side import Verbs
from selfedit.bench.tokens import encode
from selfedit.types import TrainingPlan

PROBE_STEPS = 3


def verbs(settings: Settings) -> Verbs:
    """`settings.base` is a folder, `device` and `dtype` are resolved."""
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    base = rivals.Base(settings.base, settings.device, settings.dtype)
    plans = workload.plans(settings)
    counts = machine.thread_counts(settings.threads, settings.device)
    careful = cache(lambda: rivals.Careful(base, plans[0]))
    return {
        "facts": partial(facts, base, plans),
        "gemm": lambda: machine.gemm_gflops(_shape(base), base.device, base.dtype, counts),
        "memory": lambda: machine.peak_memory_mb(base.device),
        "adapters": partial(_write_adapters, base, plans[0]),
        "probe_train": lambda start: probe_train(careful(), plans[0], start, counts),
        "train": lambda index, start, save=None: train(careful(), plans[index], start, save),
        "mean_loss": lambda index, folder: careful().mean_loss(plans[index], rivals.read_adapter(folder)),
        "published": lambda: published(base, plans[0], settings, counts),
        **_answering(settings, base, plans, counts, careful),
    }


def _answering(settings: Settings, base: rivals.Base, plans: Any, counts: list[int], careful: Any) -> Verbs:
    mixed: list[rivals.Mixed] = []

    def load(folders: list[str]) -> int:
        mixed[:] = []
        mixed.append(rivals.Mixed(base, folders))
        return len(folders)

    return {
        "load": load,
        "probe_generate": lambda adapters: probe_generate(mixed[0], settings, adapters, counts),
        "generate": lambda adapters: generate(mixed[0], settings, adapters),
        "probe_single": lambda adapters: probe_single(mixed[0], settings, adapters, counts),
        "single": lambda adapters: single(mixed[0], settings, adapters),
        "probe_score": lambda adapters: probe_score(mixed[0], settings, adapters, counts),
        "score": lambda adapters: score(mixed[0], settings, adapters),
        "trial": lambda index, start: trial(careful(), plans[index], settings, index, start),
    }


def _shape(base: rivals.Base) -> machine.Shape:
    return machine.shape_of(AutoConfig.from_pretrained(base.path))


def facts(base: rivals.Base, plans: list[TrainingPlan]) -> dict[str, Any]:
    """What the arithmetic needs: real tokens of each plan, the share that bears loss, the model's shape."""
    tokenizer = base.tokenizer()
    pairs = [[encode(tokenizer, sequence) for sequence in plan.sequences] for plan in plans]
    tokens = [plan.epochs * sum(len(ids) for ids, _ in rows) for plan, rows in zip(plans, pairs, strict=True)]
    bearing = sum(label >= 0 for rows in pairs for _, labels in rows for label in labels[1:])
    every = sum(len(ids) for rows in pairs for ids, _ in rows)
    return {
        "tokens": tokens,
        "steps": [plan.steps for plan in plans],
        "loss_share": bearing / every,
        "lengths": sorted(len(ids) for rows in pairs for ids, _ in rows),
        "ends": sorted(rivals.end_tokens(rivals.generation_config(base.path), tokenizer)),
        "shape": asdict(_shape(base)),
        "lora": lora_weights(AutoConfig.from_pretrained(base.path), plans[0]),
    }


def _write_adapters(base: rivals.Base, plan: TrainingPlan, folder: str, count: int) -> list[str]:
    return write_random(AutoConfig.from_pretrained(base.path), plan, Path(folder), count)


# -- training -------------------------------------------------------------------------------------


def probe_train(careful: rivals.Careful, plan: TrainingPlan, start: str, counts: list[int]) -> dict[str, Any]:
    """Warm up, then choose the thread count by a few steps of the first plan."""
    weights = rivals.read_adapter(start)
    steps = replace(plan, epochs=1)
    best, took = machine.best_threads(
        lambda: careful.train(steps, weights, PROBE_STEPS), counts, careful.base.device
    )
    careful.train(steps, weights, PROBE_STEPS)
    return {"threads": best, "probe_seconds": took}


def train(careful: rivals.Careful, plan: TrainingPlan, start: str, save: str | None) -> dict[str, Any]:
    """One plan from its initial adapter; the clock covers set-up, steps and keeping the result in memory."""
    weights = rivals.read_adapter(start)
    took, (losses, trained) = rivals.timed(
        lambda: (careful.train(plan, weights), careful.weights()), careful.base.device
    )
    if save:
        _save(trained, start, Path(save))
    return {"seconds": took, "steps": len(losses), "losses": losses}


def _save(weights: rivals.Weights, like: str, folder: Path) -> None:
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    save_file(
        {key: value.cpu().contiguous() for key, value in weights.items()},
        folder / "adapter_model.safetensors",
    )
    (folder / "adapter_config.json").write_text((Path(like) / "adapter_config.json").read_text())


def published(base: rivals.Base, plan: TrainingPlan, settings: Settings, counts: list[int]) -> dict[str, Any]:
    """Choose threads by one step at an eighth of the padding, then time whole ones. The fastest counts."""
    short = max(16, settings.pad_to // 8)
    took: dict[int, float] = {}
    for count in counts if len(counts) > 1 else []:
        torch.set_num_threads(count)
        took[count] = min(rivals.published(base, plan, 2, short).seconds)
    best = min(took, key=took.__getitem__) if took else counts[0]
    torch.set_num_threads(best)
    run = rivals.published(base, plan, settings.padded_steps, settings.pad_to)
    return {
        "threads": best,
        "probe_seconds": {str(count): round(value, 3) for count, value in took.items()},
        "seconds": list(run.seconds),
        "losses": list(run.losses),
    }


# -- generation -----------------------------------------------------------------------------------


def probe_generate(
    mixed: rivals.Mixed, settings: Settings, adapters: int, counts: list[int]
) -> dict[str, Any]:
    rows = workload.rows(settings, adapters)
    few = min(6, settings.max_tokens)
    best, took = machine.best_threads(lambda: _mixed(mixed, rows, few), counts, mixed.base.device)
    return {"threads": best, "probe_seconds": took}


def _mixed(mixed: rivals.Mixed, rows: list[workload.Row], max_tokens: int) -> list[list[int]]:
    return mixed.generate([row.prompt for row in rows], [row.adapter for row in rows], max_tokens)


def generate(mixed: rivals.Mixed, settings: Settings, adapters: int) -> dict[str, Any]:
    """All rows in one mixed-adapter batch."""
    rows = workload.rows(settings, adapters)
    took, tokens = rivals.timed(lambda: _mixed(mixed, rows, settings.max_tokens), mixed.base.device)
    return {"seconds": took, "tokens": tokens}


def probe_single(mixed: rivals.Mixed, settings: Settings, adapters: int, counts: list[int]) -> dict[str, Any]:
    row = workload.rows(settings, adapters)[0]
    few = min(6, settings.max_tokens)
    work = partial(mixed.generate_one, row.prompt, row.adapter, few)
    best, took = machine.best_threads(work, counts, mixed.base.device)
    return {"threads": best, "probe_seconds": took}


def single(mixed: rivals.Mixed, settings: Settings, adapters: int) -> dict[str, Any]:
    """The first few rows, each alone."""
    rows = workload.rows(settings, adapters)[: settings.single_requests]
    took, tokens = rivals.timed(
        lambda: [mixed.generate_one(row.prompt, row.adapter, settings.max_tokens) for row in rows],
        mixed.base.device,
    )
    return {"seconds": took, "tokens": tokens}


# -- score ----------------------------------------------------------------------------------------


def probe_score(mixed: rivals.Mixed, settings: Settings, adapters: int, counts: list[int]) -> dict[str, Any]:
    rows = workload.rows(settings, adapters)
    first = [(row.prompt, row.completion) for row in rows if row.adapter == 0]
    best, took = machine.best_threads(lambda: mixed.score(first, 0), counts, mixed.base.device)
    return {"threads": best, "probe_seconds": took}


def score(mixed: rivals.Mixed, settings: Settings, adapters: int) -> dict[str, Any]:
    """One adapter after another, the rows of each in one batch."""
    rows = workload.rows(settings, adapters)
    found = [0.0] * len(rows)

    def work() -> None:
        for adapter, places in workload.groups(rows).items():
            values = mixed.score([(rows[i].prompt, rows[i].completion) for i in places], adapter)
            for place, value in zip(places, values, strict=True):
                found[place] = value

    took = machine.seconds(work, mixed.base.device)
    lengths = [
        len(mixed.tokenizer(text, add_special_tokens=False)["input_ids"])
        for row in rows
        for text in (row.prompt, row.completion)
    ]
    return {"seconds": took, "logprobs": found, "tokens": sum(lengths)}


# -- trial ----------------------------------------------------------------------------------------


def trial(
    careful: rivals.Careful, plan: TrainingPlan, settings: Settings, index: int, start: str
) -> dict[str, Any]:
    """Train one adapter, answer its passage's questions in one batch, grade them."""
    from selfedit.rewards.grading import correct

    rows = workload.questions(workload.passages(settings)[index], index)
    weights = rivals.read_adapter(start)

    def work() -> tuple[list[str], list[bool]]:
        careful.train(plan, weights)
        ids = careful.answer([row.prompt for row in rows], settings.max_tokens)
        texts = [careful.tokenizer.decode(row, skip_special_tokens=True) for row in ids]
        return texts, [bool(correct(text, row.completion)) for text, row in zip(texts, rows, strict=True)]

    took, (texts, verdicts) = rivals.timed(work, careful.base.device)
    return {"seconds": took, "texts": texts, "verdicts": verdicts}
