"""`bench trial`: train, answer five questions, grade; many trials at once against one adapter at a time."""

from __future__ import annotations

from typing import Any

from selfedit.bench.ground import Ground, both, prepared
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row
from selfedit.bench.workload import QUESTIONS_PER_TRIAL


def run(settings: Settings) -> list[Row]:
    with prepared(settings) as ground:
        return rows(ground)


def rows(ground: Ground) -> list[Row]:
    """One row. The rival's subset runs in two halves with our whole run between them."""
    chosen = ground.settings.measured()
    starts = ground.ours.ask("initial", indices=chosen, folder=ground.folder)
    probe = ground.theirs.ask("probe_train", start=starts[0])
    ground.ours.ask("warm_train")
    pieces = list(zip(chosen, starts, strict=True))
    half = (len(pieces) + 1) // 2
    before = [_one(ground, index, start) for index, start in pieces[:half]]
    ground.note(f"trial: ours, {ground.settings.plans} trials")
    ours = ground.ours.ask("trial")
    after = [_one(ground, index, start) for index, start in pieces[half:]]
    return [_row(ground, chosen, ours, before + after, probe)]


def _one(ground: Ground, index: int, start: str) -> dict[str, Any]:
    ground.note(f"trial: careful, trial {index}")
    return ground.theirs.ask("trial", index=index, start=start)


def _row(ground: Ground, chosen: list[int], ours: Any, theirs: list[Any], probe: Any) -> Row:
    settings, facts = ground.settings, ground.facts
    spent = sum(each["seconds"] for each in theirs)
    part = sum(facts["tokens"][i] for i in chosen) / sum(facts["tokens"])
    scaled = spent / part
    rates = (3600 * settings.plans / ours["seconds"], 3600 * settings.plans / scaled)
    work = f"{settings.plans} trials, {sum(facts['steps'])} steps, {sum(facts['tokens'])} tokens"
    return ground.row(
        case(settings),
        "careful (PEFT, one adapter at a time, its questions batched)",
        rates,
        "trials/h",
        agreement=equal(ours["texts"], [each["texts"] for each in theirs], chosen),
        agreement_kind="equal answers",
        equal_verdicts=equal(ours["verdicts"], [each["verdicts"] for each in theirs], chosen),
        **both("seconds", ours["seconds"], scaled),
        **both("measured", work, f"{len(chosen)} trials in {spent:.1f} s"),
        **both("memory_mb", ground.ours.ask("memory"), ground.theirs.ask("memory")),
        **both("threads", ours.get("threads"), probe["threads"]),
        theirs_probe_seconds=probe["probe_seconds"],
        theirs_trial_seconds=[round(each["seconds"], 2) for each in theirs],
        scaled="theirs by trained tokens from its subset; ours ran between its halves",
    )


def case(settings: Settings) -> str:
    size = f"{settings.plans} trials of {settings.sequences} sequences × {settings.epochs} epochs"
    return f"{size}, {QUESTIONS_PER_TRIAL} questions each, rank {settings.rank}"


def equal(ours: list[list[Any]], theirs: list[list[Any]], chosen: list[int]) -> float:
    """Share of equal entries; `theirs` holds the chosen trials alone."""
    pairs = [pair for i, row in zip(chosen, theirs, strict=True) for pair in zip(ours[i], row, strict=True)]
    return sum(a == b for a, b in pairs) / len(pairs)
