"""A round's self-edits, tried: what each earned, and what it had to beat.

What was tried goes to the journal a piece at a time, under a hash of what it depends on. Decides nothing
about what is kept, and knows nothing of what a task is (`kinds`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, final

from selfedit import rounds
from selfedit.config import Recipe
from selfedit.reinforcing.kinds import Written
from selfedit.rounds import Applied, Ground
from selfedit.samples import Owner
from selfedit.select import Candidate, Race
from selfedit.types import Failure, Outcome, Reward, SelfEdit, Trial, content_hash

if TYPE_CHECKING:
    from selfedit.reinforcing.campaign import Campaign

TRIED_AT_ONCE = 16
"""Trials that are made together: what a broken run may have to try again."""


@final
@dataclass(frozen=True)
class Tried:
    """What the edits of a round earned."""

    candidates: list[Candidate]
    floors: Mapping[str, float]
    """Task id → what an edit has to beat; -inf where nothing, inf where that could not be measured."""
    trials: int
    failures: Counter[str]


def attempt(work: Campaign, number: int, tasks: Items[Owner], written: Written) -> Tried:
    """Try every edit, or race them; and what each passage's floors are."""
    recipe = work.recipe
    by_id = {edit.id: edit for edits in written.edits.values() for edit in edits}
    owner = {task.id: task for task in tasks}
    entered = {task: [edit.id for edit in edits] for task, edits in written.edits.items() if edits}
    race = _race(recipe, entered)
    failures: Counter[str] = Counter()
    while batch := race.batch():
        asked = [(owner[by_id[edit].task], by_id[edit], seed) for edit, seed in batch]
        for (edit, seed), trial in zip(batch, judged(work, number, asked, written), strict=True):
            if isinstance(trial.outcome, Failure):
                failures[trial.outcome.what] += 1
            race.tell(edit, seed, trial.outcome.value if isinstance(trial.outcome, Reward) else None)
    floors = _floors(work, number, tasks, written)
    if unknown := {each.task for each in race.candidates if floors[each.task] == float("inf")}:
        failures["what has to be beaten could not be measured"] = len(unknown)
    return Tried(race.candidates, floors, race.spent, failures)


def _race(recipe: Recipe, entered: Mapping[str, list[str]]) -> Race:
    """Successive halving; or one in which all stay to the end, with every seed."""
    if recipe.select.method == "halving":
        return Race(entered, recipe.judge.seeds, recipe.select.keep)
    return Race(entered, recipe.judge.seeds, max(map(len, entered.values()), default=1))


def check(
    work: Campaign, number: int, tasks: Items[Owner], written: Written, tried: Tried
) -> dict[str, tuple[float, ...]]:
    """What every edit that can be chosen earns with the recipe's held-out seeds; without failed ones."""
    owner = {task.id: task for task in tasks}
    by_id = {edit.id: edit for edits in written.edits.values() for edit in edits}
    seeds = work.recipe.judge.held_out
    asked = [(owner[c.task], by_id[c.edit], seed) for seed in seeds for c in tried.candidates]
    found: dict[str, list[float]] = {}
    for trial in judged(work, number, asked, written):
        if isinstance(trial.outcome, Reward):
            found.setdefault(trial.edit.id, []).append(trial.outcome.value)
    return {edit: tuple(rewards) for edit, rewards in found.items() if len(rewards) == len(seeds)}


Asked = tuple[Any, SelfEdit, int]
"""A task, an edit of it, and the seed that it is tried with."""


def judged(work: Campaign, number: int, asked: Items[Asked], written: Written) -> list[Trial]:
    """The trials, those that were made before as they ended then. Made seed by seed, a piece at a time."""
    found: dict[int, Trial] = {}
    for seed in dict.fromkeys(seed for _, _, seed in asked):
        ground = work.ground(number, seed, work.recipe.apply, f"round {number}: trying notes")
        mine = [at for at, (_, _, each) in enumerate(asked) if each == seed]
        made = {at: _trial(work, asked[at], ground) for at in mine}
        plans = [trial.plan for trial in made.values() if trial.plan]
        work.spent[number] += sum(rounds.trained_tokens(work.worker, plan) for plan in plans)
        keys = {at: _trial_key(work, asked[at], trial, written, ground) for at, trial in made.items()}
        for at in mine:
            if held := work.store.trial(keys[at]):
                found[at] = Trial(made[at].edit, made[at].plan, held.outcome, held.adapter)
        waiting = [at for at in mine if at not in found]
        for piece in (waiting[n : n + TRIED_AT_ONCE] for n in range(0, len(waiting), TRIED_AT_ONCE)):
            ended = _ended(work, [asked[at] for at in piece], [made[at] for at in piece], written, ground)
            kept = {keys[at]: work.kind.kept(trial) for at, trial in zip(piece, ended, strict=True)}
            work.store.record_trials(kept)
            found |= dict(zip(piece, ended, strict=True))
    return [found[at] for at in range(len(asked))]


def _ended(
    work: Campaign, asked: Items[Asked], trials: Items[Trial], written: Written, ground: Ground
) -> list[Trial]:
    owner = {task.id: task for task, _, _ in asked}

    def judge(waiting: Items[Applied]) -> list[Outcome]:
        pairs = [(adapter, owner[trial.edit.task]) for adapter, trial in waiting]
        return work.kind.judge(pairs, written, ground)

    return rounds.judged_by(judge, trials, ground)


def _trial(work: Campaign, asked: Asked, ground: Ground) -> Trial:
    task, edit, _ = asked
    return Trial(edit, work.kind.plan(task, edit, ground), Failure("judge", "not judged yet"))


def _trial_key(work: Campaign, asked: Asked, trial: Trial, written: Written, ground: Ground) -> str:
    """All that an outcome depends on: edit, plan (which names head and seed), and how it is judged."""
    task, edit, _ = asked
    depends = [edit.id, trial.plan.id if trial.plan else None, *work.kind.judged_by(task, written, ground)]
    return content_hash(["trial", *depends, work.worker.base, work.worker.dtype])


# -- what has to be beaten -----------------------------------------------------------------------------------


def _floors(work: Campaign, number: int, tasks: Items[Owner], written: Written) -> dict[str, float]:
    """What an edit of each task has to beat: the highest of its floors; inf where one is unknown."""
    floors = {task.id: float("-inf") for task in tasks}
    entered = [task for task in tasks if written.edits.get(task.id)]
    for name in work.recipe.select.beat:
        found = work.kind.floor(name, work, number, entered, written)
        for task in entered:
            floors[task.id] = max(floors[task.id], found.get(task.id, float("inf")))
    return floors


def of_head(work: Campaign, number: int, tasks: Items[Owner], written: Written) -> dict[str, float]:
    """What the model earns as it is, without any training; kept, but for what could not be measured."""
    ground = work.ground(number, 0, work.recipe.apply, f"round {number}: asking without notes")
    keys = {task.id: _floor_key(work, task, written, ground) for task in tasks}
    found: dict[str, Any] = {task: work.store.result("row", key) for task, key in keys.items()}
    waiting = [task for task in tasks if found[task.id] is None]
    if waiting:
        outcomes = work.kind.judge([(None, task) for task in waiting], written, ground)
        pairs = zip(waiting, outcomes, strict=True)
        found |= {task.id: each.value for task, each in pairs if isinstance(each, Reward)}
        work.store.put_results("row", {keys[t.id]: found[t.id] for t in waiting if found[t.id] is not None})
    return {task: value for task, value in found.items() if value is not None}


def _floor_key(work: Campaign, task: Owner, written: Written, ground: Ground) -> str:
    """As of a trial, with the head itself for what is trained on it."""
    depends = [ground.head.id if ground.head else None, *work.kind.judged_by(task, written, ground)]
    return content_hash(["floor", task.id, *depends, work.worker.base, work.worker.dtype])
