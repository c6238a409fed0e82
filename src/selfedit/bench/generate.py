"""`bench generate`: rows of several adapters decoded together.

Against `transformers.generate` with PEFT's mixed-adapter batches of the same adapters, and one row at a time.
"""

from __future__ import annotations

from itertools import takewhile
from pathlib import Path
from typing import Any

from selfedit.bench.ground import Ground, both, mean_seconds, prepared
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row

Tokens = list[list[int]]


def run(settings: Settings) -> list[Row]:
    with prepared(settings) as ground:
        return rows(ground)


def rows(ground: Ground) -> list[Row]:
    """Two rows for each number of adapters. Greedy. A later case's memory includes the earlier one's."""
    counts = ground.settings.adapters
    folder = str(Path(ground.folder) / "random")
    folders = ground.theirs.ask("adapters", folder=folder, count=max(counts))
    return [row for count in counts for row in _case(ground, count, folders[:count])]


def _case(ground: Ground, adapters: int, folders: list[str]) -> list[Row]:
    ground.note(f"generate: {ground.settings.requests} rows, {adapters} adapters")
    for side in (ground.ours, ground.theirs):
        side.ask("load", folders=folders)
    ground.ours.ask("generate", adapters=adapters)
    probe = ground.theirs.ask("probe_generate", adapters=adapters)
    runs = [
        (ground.ours.ask("generate", adapters=adapters), ground.theirs.ask("generate", adapters=adapters))
        for _ in range(ground.settings.repeats)
    ]
    mixed = _row(
        ground, adapters, "careful (PEFT mixed batch)", [run[0] for run in runs], [r[1] for r in runs], probe
    )
    probe = ground.theirs.ask("probe_single", adapters=adapters)
    single = ground.theirs.ask("single", adapters=adapters)
    return [mixed, _row(ground, adapters, "one row at a time", [run[0] for run in runs], [single], probe)]


def _row(ground: Ground, adapters: int, rival: str, ours: list[Any], theirs: list[Any], probe: Any) -> Row:
    ours_rows = [_text(ground, run) for run in ours]
    theirs_rows = [_text(ground, run) for run in theirs]
    rates = (_rate(ours, ours_rows), _rate(theirs, theirs_rows))
    settings = ground.settings
    return ground.row(
        f"{settings.requests} rows, {adapters} adapters, ≤ {settings.max_tokens} new tokens",
        rival,
        rates,
        "new tokens/s",
        **ground.shares(ground.shape.forward_flops(ground.facts["lora"]), rates),
        agreement=agreement(ours_rows[0], theirs_rows[0]),
        agreement_kind="equal tokens",
        **both("seconds", mean_seconds(ours), mean_seconds(theirs)),
        **both("measured", _work(ours_rows), _work(theirs_rows)),
        **both("memory_mb", ground.ours.ask("memory"), ground.theirs.ask("memory")),
        **both("threads", ours[0].get("threads"), probe["threads"]),
        theirs_probe_seconds=probe["probe_seconds"],
        scaled="theirs by tokens" if len(theirs_rows[0]) < len(ours_rows[0]) else "nothing",
    )


def _text(ground: Ground, run: Any) -> Tokens:
    """The new ids of each row without its end token, which one side reports and the other may not."""
    ends = set(ground.facts["ends"])
    return [list(takewhile(lambda token: token not in ends, row)) for row in run["tokens"]]


def _work(runs: list[Tokens]) -> str:
    return f"{len(runs)} × {len(runs[0])} rows, {_count(runs[0])} tokens"


def agreement(ours: Tokens, theirs: Tokens) -> float:
    """Share of tokens that are equal from the start of each row. Rounding may part two greedy texts."""
    together = sum(_common(a, b) for a, b in zip(ours, theirs, strict=False))
    return together / max(1, sum(max(len(a), len(b)) for a, b in zip(ours, theirs, strict=False)))


def _common(a: list[int], b: list[int]) -> int:
    return next((i for i, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


def _rate(runs: list[Any], rows: list[Tokens]) -> float:
    return sum(map(_count, rows)) / sum(run["seconds"] for run in runs)


def _count(tokens: Tokens) -> int:
    return sum(map(len, tokens))
