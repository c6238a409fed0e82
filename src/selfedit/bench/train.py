"""`bench train`: many plans at once against one adapter at a time. Real tokens per second, identical work."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from selfedit.bench.ground import TOLERANCE, Ground, both, prepared
from selfedit.bench.process import running
from selfedit.bench.settings import Settings
from selfedit.bench.table import Row


def run(settings: Settings) -> list[Row]:
    """One row against *careful*, one against *published*.

    The padded rival has a fresh process after the others have ended: its memory is its own.
    """
    with prepared(settings) as ground:
        careful = against_careful(ground)
    ground.note(f"train: published, {settings.padded_steps} steps of {settings.pad_to} tokens")
    with running("theirs", ground.theirs_settings) as side:
        padded = {**side.ask("published"), "memory": side.ask("memory")}
    return [careful_row(ground, careful), published_row(ground, careful, padded)]


def against_careful(ground: Ground) -> dict[str, Any]:
    """The rival's subset in two halves with our whole run between them, so that drift meets both."""
    chosen = ground.settings.measured()
    starts = ground.ours.ask("initial", indices=chosen, folder=ground.folder)
    probe = ground.theirs.ask("probe_train", start=starts[0])
    ground.ours.ask("warm_train")
    half = (len(chosen) + 1) // 2
    pieces = list(zip(chosen, starts, strict=True))
    before = [_one(ground, index, start) for index, start in pieces[:half]]
    ground.note(f"train: ours, {len(ground.facts['tokens'])} plans, {sum(ground.facts['tokens'])} tokens")
    ours = ground.ours.ask("train", folder=ground.folder, keep=chosen)
    after = [_one(ground, index, start) for index, start in pieces[half:]]
    memory = [side.ask("memory") for side in (ground.ours, ground.theirs)]
    losses = [_losses(ground, *each) for each in zip(chosen, starts, ours["folders"], strict=True)]
    found = {"ours": ours, "pieces": before + after, "losses": losses}
    return {"chosen": chosen, "probe": probe, "memory": memory, **found}


def _one(ground: Ground, index: int, start: str) -> dict[str, Any]:
    ground.note(f"train: careful, plan {index}")
    return ground.theirs.ask(
        "train", index=index, start=start, save=str(Path(ground.folder) / f"theirs-{index}")
    )


def _losses(ground: Ground, index: int, start: str, ours: str) -> tuple[float, float, float]:
    """The plan's mean loss under the initial adapter, ours and theirs, all judged by PEFT's forward."""
    theirs = str(Path(ground.folder) / f"theirs-{index}")
    initial, after, rival = (
        ground.theirs.ask("mean_loss", index=index, folder=f) for f in (start, ours, theirs)
    )
    return initial, after, rival


def careful_row(ground: Ground, found: dict[str, Any]) -> Row:
    tokens, steps, chosen = ground.facts["tokens"], ground.facts["steps"], found["chosen"]
    spent = sum(piece["seconds"] for piece in found["pieces"])
    some = sum(tokens[i] for i in chosen)
    rates = (sum(tokens) / found["ours"]["seconds"], some / spent)
    return ground.row(
        case(ground.settings),
        "careful (PEFT, one at a time)",
        rates,
        "tokens/s",
        **ground.shares(_flops(ground), rates),
        **agreement(ground, found["losses"]),
        **both("seconds", found["ours"]["seconds"], spent * sum(tokens) / some),
        **both(
            "measured", _work(steps, tokens), _work([steps[i] for i in chosen], [tokens[i] for i in chosen])
        ),
        **both("memory_mb", *found["memory"]),
        **both("threads", found["ours"].get("threads"), found["probe"]["threads"]),
        theirs_probe_seconds=found["probe"]["probe_seconds"],
        theirs_rate_of_each_plan=_drift(ground.facts, found),
        scaled="theirs by tokens from its subset; ours ran between its halves",
    )


def agreement(ground: Ground, losses: list[tuple[float, float, float]]) -> dict[str, Any]:
    """How far apart the two sides' trained adapters are on the plans that both trained."""
    apart = max(abs(ours - theirs) / abs(theirs) for _, ours, theirs in losses)
    initial, ours, theirs = (sum(column) / len(column) for column in zip(*losses, strict=True))
    return {
        "agreement": apart,
        "agreement_kind": "relative difference of losses",
        "agrees": apart <= TOLERANCE[ground.settings.dtype],
        "loss_initial": initial,
        "loss_ours": ours,
        "loss_theirs": theirs,
    }


def _work(steps: list[int], tokens: list[int]) -> str:
    return f"{len(steps)} plans, {sum(steps)} steps, {sum(tokens)} tokens"


def _drift(facts: dict[str, Any], found: dict[str, Any]) -> list[float]:
    """The rival's rate on each plan, in the order measured; ours ran in the middle."""
    pieces = zip(found["chosen"], found["pieces"], strict=True)
    return [round(facts["tokens"][i] / piece["seconds"], 2) for i, piece in pieces]


def published_row(ground: Ground, careful: dict[str, Any], padded: dict[str, Any]) -> Row:
    tokens, steps, ours = ground.facts["tokens"], ground.facts["steps"], careful["ours"]
    step = min(padded["seconds"])
    rates = (sum(tokens) / ours["seconds"], sum(tokens) / sum(steps) / step)
    return ground.row(
        case(ground.settings),
        f"published (Trainer, padded to {ground.settings.pad_to})",
        rates,
        "tokens/s",
        **ground.shares(_flops(ground), rates),
        agreement=None,
        agreement_kind="none: its loss covers pads",
        **both("seconds", ours["seconds"], step * sum(steps)),
        **both("measured", _work(steps, tokens), f"{len(padded['seconds'])} steps, the fastest counts"),
        **both("memory_mb", careful["memory"][0], padded["memory"]),
        **both("threads", ours.get("threads"), padded["threads"]),
        theirs_step_seconds=[round(value, 3) for value in padded["seconds"]],
        theirs_probe_seconds=padded["probe_seconds"],
        scaled="theirs by steps",
    )


def case(settings: Settings) -> str:
    size = f"{settings.plans} plans × {settings.sequences} sequences × {settings.epochs} epochs"
    return f"{size}, rank {settings.rank}"


def _flops(ground: Ground) -> float:
    return ground.shape.training_flops(ground.facts["lora"], ground.facts["loss_share"])
