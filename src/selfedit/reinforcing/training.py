"""The rounds, one after another: write → try → select → learn. The page to read first.

Each step takes all passages of a round at once, and keeps what it makes. Knows nothing of argv or screens.
"""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit.errors import RoundError
from selfedit.reinforcing import attempts, update
from selfedit.reinforcing.attempts import Tried
from selfedit.reinforcing.campaign import Campaign
from selfedit.reinforcing.checking import checked, choice
from selfedit.reinforcing.kinds import Written
from selfedit.reinforcing.rules import compared
from selfedit.rounds import trained_tokens
from selfedit.samples import Owner
from selfedit.select import means, reliability
from selfedit.settled import settle
from selfedit.store import NewAdapter, RoundRow
from selfedit.types import Failure, SelfEdit, TrainingPlan

if TYPE_CHECKING:
    from selfedit.engine import Adapter


@final
@dataclass(frozen=True)
class RoundReport:
    """What a round did."""

    round: int
    passages: int
    edits: int
    """Distinct self-edits that could be used."""
    trials: int
    failures: int
    """Self-edits that could not be used, and trials that could not be judged."""
    kept: int
    """Self-edits that the policy learned from."""
    rows: int
    """What it was trained on: pieces that the policy wrote."""
    reward: float | None
    """The mean over all edits that were tried, each by the mean of its seeds."""
    reward_kept: float | None
    """The same over the kept ones: by the very trials that chose them, so too good to be true."""
    floor: float | None
    """The mean over passages of what an edit had to beat."""
    reliability: float | None
    """The share of one trial's variance that another seed would confirm."""
    choice: Mapping[str, Any] | None
    """What the choice was worth on seeds that had no part in it (`checking.choice`); None without such."""
    adapter: str | None
    """The policy's new adapter; None where nothing was learned and the policy stays as it was."""
    seconds: float
    """Of the process that ended it: what others did of it before they were broken off is not in here."""
    tokens: int | None = None
    """Trained on by trials, whenever they were made, and by the policy; None: nobody counted."""

    def as_json(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in self.__dataclass_fields__}


Ended = Callable[[RoundReport], None]
"""Told of each round as it ends; of those that had ended before, nothing."""


def unheard(report: RoundReport) -> None:
    """For a caller who waits for the end."""


def reinforce(work: Campaign, ended: Ended = unheard) -> list[RoundReport]:
    """Do the rounds that have not ended; returns all. Raises RoundError where every edit of one failed."""
    work.store.begin_run(work.id, work.recipe.depended_on())
    settle(work.store, work.worker, work.id)
    for number in range(len(work.ended) + 1, work.recipe.rounds + 1):
        ended(report(_round(work, number)))
    return [report(row) for row in work.ended if row.number <= work.recipe.rounds]


def report(row: RoundRow) -> RoundReport:
    """What a round that has ended did."""
    none = {"choice": None, "tokens": None}  # as in rounds of earlier versions
    held: dict[str, Any] = {**none, **row.record}
    return RoundReport(**{name: held[name] for name in RoundReport.__dataclass_fields__})


def _round(work: Campaign, number: int) -> RoundRow:
    began = time.monotonic()
    tasks = work.kind.prepared(work, work.drawn(number))
    written = work.kind.write(work, number, tasks)
    tried = attempts.attempt(work, number, tasks, written)
    _check(number, written, tried)
    kept = update.keep(work.recipe, tried)
    plan = update.plan(work, number, tasks, written, kept)
    again = attempts.check(work, number, tasks, written, tried)
    adapter = _learned(work, number, plan) if plan else None  # last: it is kept only with the round
    told = _told(number, (tasks, written, tried, kept), plan, adapter)
    seen = checked(tried.candidates, again)
    record = {
        **told,
        "tokens": work.spent[number],
        "choice": choice(seen, kept.keys()),
        "rules": compared(seen, work.recipe.select.keep),
        "seconds": time.monotonic() - began,
        "reasons": dict(written.failures + tried.failures),
        "tried": _edits(tasks, written, tried, kept, again),
        "floors": {task: value for task, value in tried.floors.items() if math.isfinite(value)},
    }
    with tempfile.TemporaryDirectory(prefix="selfedit-", ignore_cleanup_errors=True) as scratch:
        new = _packed(adapter, Path(scratch)) if adapter else None
        return work.store.end_round(work.id, number, record, new, plan if adapter else None)


def _check(number: int, written: Written, tried: Tried) -> None:
    """A round in which nothing could be judged teaches nothing, and is not one that went badly."""
    if tried.candidates:
        return
    reasons = (written.failures + tried.failures).most_common(3)
    told = "; ".join(f"{times} × {what}" for what, times in reasons) or "nothing was written"
    raise RoundError(f"round {number}: every self-edit failed ({told}); nothing was reinforced")


def _learned(work: Campaign, number: int, plan: TrainingPlan) -> Adapter:
    (adapter,) = work.worker.train([plan], work.begin(f"round {number}: reinforcing"))
    work.spent[number] += trained_tokens(work.worker, plan)
    if isinstance(adapter, Failure):
        raise RoundError(
            f"round {number}: the policy could not be trained ({adapter.what}); nothing was kept"
        )
    return adapter


def _packed(adapter: Adapter, folder: Path) -> NewAdapter:
    weights = adapter.save(folder) / "adapter_model.safetensors"
    losses = {"first": adapter.losses[0], "last": adapter.losses[-1]} if adapter.losses else {}
    return NewAdapter(adapter.hash, weights, adapter.peft_config(), losses)


Done = tuple[Items[Owner], Written, Tried, Mapping[str, float]]


def _told(number: int, done: Done, plan: TrainingPlan | None, adapter: Adapter | None) -> dict[str, Any]:
    """The fields of the round's report, less the time."""
    tasks, written, tried, kept = done
    values = means(tried.candidates)
    floors = [value for value in tried.floors.values() if math.isfinite(value)]
    return {
        "round": number,
        "passages": len(tasks),
        "edits": sum(map(len, written.edits.values())),
        "trials": tried.trials,
        "failures": (written.failures + tried.failures).total(),
        "kept": len(kept),
        "rows": len(plan.sequences) if plan else 0,
        "reward": _mean(list(values.values())),
        "reward_kept": _mean([values[edit] for edit in kept]),
        "floor": _mean(floors),
        "reliability": reliability(tried.candidates),
        "adapter": adapter.hash if adapter else None,
    }


def _edits(
    tasks: Items[Owner],
    written: Written,
    tried: Tried,
    kept: Mapping[str, float],
    again: Mapping[str, Items[float]],
) -> list[dict[str, Any]]:
    """Every edit of the round: what it earned at each seed, held-out ones apart, and what it weighed."""
    rewards = {each.edit: list(each.rewards) for each in tried.candidates}
    found: list[SelfEdit] = [edit for task in tasks for edit in written.edits.get(task.id, ())]
    return [
        {
            "task": edit.task,
            "edit": edit.id,
            "format": edit.format,
            "rewards": rewards.get(edit.id, []),
            "held_out": list(again.get(edit.id, ())),
            "weight": kept.get(edit.id, 0.0),
        }
        for edit in found
    ]


def _mean(values: Items[float]) -> float | None:
    return sum(values) / len(values) if values else None
