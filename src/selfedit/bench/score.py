"""`bench score`: teacher-forced log-probabilities, against full forward passes of one adapter at a time."""

from __future__ import annotations

from pathlib import Path

from selfedit.bench.ground import TOLERANCE, Ground, both, mean_seconds, prepared
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row


def run(settings: Settings) -> list[Row]:
    with prepared(settings) as ground:
        return rows(ground)


def rows(ground: Ground) -> list[Row]:
    """One row for each number of adapters."""
    counts = ground.settings.adapters
    folder = str(Path(ground.folder) / "random")
    folders = ground.theirs.ask("adapters", folder=folder, count=max(counts))
    return [_case(ground, count, folders[:count]) for count in counts]


def _case(ground: Ground, adapters: int, folders: list[str]) -> Row:
    settings = ground.settings
    ground.note(f"score: {settings.requests} rows, {adapters} adapters")
    for side in (ground.ours, ground.theirs):
        side.ask("load", folders=folders)
    ground.ours.ask("score", adapters=adapters)
    probe = ground.theirs.ask("probe_score", adapters=adapters)
    runs = [
        (ground.ours.ask("score", adapters=adapters), ground.theirs.ask("score", adapters=adapters))
        for _ in range(settings.repeats)
    ]
    ours, theirs = [run[0] for run in runs], [run[1] for run in runs]
    tokens = theirs[0]["tokens"]
    rates = (tokens / mean_seconds(ours), tokens / mean_seconds(theirs))
    apart = _apart(ours[0]["logprobs"], theirs[0]["logprobs"])
    return ground.row(
        f"{settings.requests} rows, {adapters} adapters",
        "careful (PEFT, one adapter at a time)",
        rates,
        "tokens/s",
        **ground.shares(ground.shape.forward_flops(ground.facts["lora"]), rates),
        agreement=apart,
        agreement_kind="relative difference of log-probabilities",
        agrees=apart <= TOLERANCE[settings.dtype],
        **both("seconds", mean_seconds(ours), mean_seconds(theirs)),
        **both("measured", *[f"{len(runs)} × {tokens} tokens"] * 2),
        **both("memory_mb", ground.ours.ask("memory"), ground.theirs.ask("memory")),
        **both("threads", ours[0].get("threads"), probe["threads"]),
        theirs_probe_seconds=probe["probe_seconds"],
        scaled="nothing",
    )


def _apart(ours: list[float], theirs: list[float]) -> float:
    return max(abs(a - b) / abs(b) for a, b in zip(ours, theirs, strict=True))
