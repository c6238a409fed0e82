"""A round's self-edits: written, tried on probes without the passage, and what each earned.

What was written goes to runs.db and the journal, what was tried to the journal, a piece at a time, under a
hash of what it depends on. Decides nothing about what is kept.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, field
from typing import Any, final

from selfedit import rounds
from selfedit.config import Recipe
from selfedit.edits.tools import headed
from selfedit.reinforcing.campaign import Campaign, pieces
from selfedit.rounds import Ground, plan_for
from selfedit.samples import as_json, from_json
from selfedit.select import Bandit, Candidate, Race, distinct, temperature
from selfedit.types import Failure, Probe, Reward, SelfEdit, Task, Trial, content_hash
from selfedit.writing import Brief, sequences_of, write_edits, write_probes

WRITTEN_AT_ONCE = 5
"""Passages that are written for together: what a broken run may have to write again."""
TRIED_AT_ONCE = 16
"""Trials that are made together: what a broken run may have to try again."""
PASSAGE = "passage"
"""The format of the edit that only repeats the passage: what an edit has to beat."""


@final
@dataclass(frozen=True)
class Written:
    """What the policy wrote for the passages of a round."""

    edits: Mapping[str, list[SelfEdit]]
    """Task id → distinct self-edits."""
    probes: Mapping[str, tuple[Probe, ...]]
    failures: Counter[str] = field(default_factory=Counter[str])
    """Why self-edits could not be used, and how often."""


@final
@dataclass(frozen=True)
class Tried:
    """What the edits of a round earned."""

    candidates: list[Candidate]
    floors: Mapping[str, float]
    """Task id → what an edit has to beat; -inf where nothing."""
    trials: int
    failures: Counter[str]


def write(work: Campaign, number: int, tasks: Items[Task]) -> Written:
    """Self-edits for every passage of a round, and probes where the recipe asks for the model's own."""
    edits: dict[str, list[SelfEdit]] = {}
    probes: dict[str, tuple[Probe, ...]] = {}
    failures: Counter[str] = Counter()
    briefs = _briefs(work, number)
    for piece in pieces(tasks, WRITTEN_AT_ONCE):
        own = _probes(work, number, piece)
        probes |= own
        for task, found in _edits(work, number, piece, own, briefs).items():
            failures.update(each.what for each in found if isinstance(each, Failure))
            edits[task] = distinct([each for each in found if isinstance(each, SelfEdit)])
    return Written(edits, probes, failures)


def _briefs(work: Campaign, number: int) -> list[Brief]:
    """How many samples of each format are written for every passage of the round."""
    recipe = work.recipe
    heat = temperature(recipe.write.temperature, number - 1)
    formats = recipe.write.formats
    if recipe.write.bandit:
        counts = Bandit(least=1).counts(_history(work), formats, recipe.write.samples, recipe.seed, number)
    else:
        share, rest = divmod(recipe.write.samples, len(formats))
        counts = {name: share + (at < rest) for at, name in enumerate(formats)}
    seed = recipe.seed * 1000 + number
    return [Brief(name, n, recipe.write.spans, heat, seed) for name, n in counts.items() if n]


def _history(work: Campaign) -> dict[str, list[Candidate]]:
    """What edits of each format earned in the rounds that have ended."""
    found: dict[str, list[Candidate]] = {name: [] for name in work.recipe.write.formats}
    for row in work.ended:
        for each in row.record["tried"]:
            if each["rewards"] and each["format"] in found:
                held = Candidate(each["task"], each["edit"], tuple(each["rewards"]))
                found[each["format"]].append(held)
    return found


def _probes(work: Campaign, number: int, tasks: Items[Task]) -> dict[str, tuple[Probe, ...]]:
    judge = work.recipe.judge
    gold = {task.id: task.probes if judge.probes != "own" else () for task in tasks}
    if judge.probes == "gold":
        return gold
    keys = {t.id: _key(work, number, "probes", t, judge.own_probes) for t in tasks}
    own = {task: work.store.result("sample", key) for task, key in keys.items()}
    if missing := [task for task in tasks if own[task.id] is None]:
        author = work.author(number, f"round {number}: writing questions")
        made = write_probes(author, missing, judge.own_probes, work.recipe.seed)
        fresh = {task: [[p.question, p.answer, p.origin] for p in mine] for task, mine in made.items()}
        work.store.put_results("sample", {keys[task]: held for task, held in fresh.items()})
        own |= fresh
    return {t.id: (*gold[t.id], *(Probe(q, a, t.title, by) for q, a, by in own[t.id] or ())) for t in tasks}


def _edits(
    work: Campaign,
    number: int,
    tasks: Items[Task],
    probes: Mapping[str, tuple[Probe, ...]],
    briefs: Items[Brief],
) -> dict[str, list[SelfEdit | Failure]]:
    """Task id → all that was written for it, in the order of the briefs."""
    depends = [[b.format, b.samples, b.spans, b.temperature, b.seed] for b in briefs]
    keys = {t.id: _key(work, number, "edits", t, [depends, [p.id for p in probes[t.id]]]) for t in tasks}
    held = {task: work.store.result("sample", key) for task, key in keys.items()}
    if missing := [task for task in tasks if held[task.id] is None]:
        work.store.record_tasks(missing)
        made: dict[str, list[SelfEdit | Failure]] = {task.id: [] for task in missing}
        every = [probe for task in missing for probe in probes[task.id]]
        for brief in briefs:
            author = work.author(number, f"round {number}: writing notes")
            for task, found in write_edits(author, missing, every, brief).items():
                made[task] += found
        work.store.record_edits(e for found in made.values() for e in found if isinstance(e, SelfEdit))
        fresh = {task: [as_json(each) for each in found] for task, found in made.items()}
        work.store.put_results("sample", {keys[task]: each for task, each in fresh.items()})
        held |= fresh
    return {task.id: [from_json(task, each) for each in held[task.id] or ()] for task in tasks}


def _key(work: Campaign, number: int, what: str, task: Task, more: Any) -> str:
    """All that a sample depends on: campaign, policy of the round, passage, and how it was asked."""
    return content_hash(
        ["sample", what, work.id, number, [a.hash for a in work.policy(number)], task.id, more]
    )


# -- trying --------------------------------------------------------------------------------------------------


def attempt(work: Campaign, number: int, tasks: Items[Task], written: Written) -> Tried:
    """Try every edit, or race them; and what each passage's floors are."""
    recipe = work.recipe
    by_id = {edit.id: edit for edits in written.edits.values() for edit in edits}
    owner = {task.id: task for task in tasks}
    entered = {task: [edit.id for edit in edits] for task, edits in written.edits.items() if edits}
    race = _race(recipe, entered)
    failures: Counter[str] = Counter()
    while batch := race.batch():
        asked = [(owner[by_id[edit].task], by_id[edit], seed) for edit, seed in batch]
        for (edit, seed), trial in zip(batch, _judged(work, number, asked, written), strict=True):
            if isinstance(trial.outcome, Failure):
                failures[trial.outcome.what] += 1
            race.tell(edit, seed, trial.outcome.value if isinstance(trial.outcome, Reward) else None)
    floors = _floors(work, number, tasks, written)
    return Tried(race.candidates, floors, race.spent, failures)


def _race(recipe: Recipe, entered: Mapping[str, list[str]]) -> Race:
    """Successive halving; or one in which all stay to the end, with every seed."""
    if recipe.select.method == "halving":
        return Race(entered, recipe.judge.seeds, recipe.select.keep)
    return Race(entered, recipe.judge.seeds, max(map(len, entered.values()), default=1))


def check(
    work: Campaign, number: int, tasks: Items[Task], written: Written, tried: Tried
) -> dict[str, tuple[float, ...]]:
    """What every edit that can be chosen earns with the recipe's held-out seeds; without failed ones."""
    owner = {task.id: task for task in tasks}
    by_id = {edit.id: edit for edits in written.edits.values() for edit in edits}
    seeds = work.recipe.judge.held_out
    asked = [(owner[c.task], by_id[c.edit], seed) for seed in seeds for c in tried.candidates]
    found: dict[str, list[float]] = {}
    for trial in _judged(work, number, asked, written):
        if isinstance(trial.outcome, Reward):
            found.setdefault(trial.edit.id, []).append(trial.outcome.value)
    return {edit: tuple(rewards) for edit, rewards in found.items() if len(rewards) == len(seeds)}


Asked = tuple[Task, SelfEdit, int]


def _judged(work: Campaign, number: int, asked: Items[Asked], written: Written) -> list[Trial]:
    """The trials, those that were made before as they ended then. Made seed by seed, a piece at a time."""
    found: dict[int, Trial] = {}
    for seed in dict.fromkeys(seed for _, _, seed in asked):
        ground = work.ground(number, seed, work.recipe.apply, f"round {number}: trying notes")
        mine = [at for at, (_, _, each) in enumerate(asked) if each == seed]
        made = {at: _trial(asked[at][0], asked[at][1], ground) for at in mine}
        keys = {
            at: _trial_key(work, trial, written.probes[trial.edit.task], ground) for at, trial in made.items()
        }
        for at in mine:
            if held := work.store.trial(keys[at]):
                found[at] = Trial(made[at].edit, made[at].plan, held.outcome, held.adapter)
        waiting = [at for at in mine if at not in found]
        for piece in (waiting[n : n + TRIED_AT_ONCE] for n in range(0, len(waiting), TRIED_AT_ONCE)):
            ended = rounds.apply_and_judge([made[at] for at in piece], written.probes, ground)
            work.store.record_trials({keys[at]: trial for at, trial in zip(piece, ended, strict=True)})
            found |= dict(zip(piece, ended, strict=True))
    return [found[at] for at in range(len(asked))]


def _trial(task: Task, edit: SelfEdit, ground: Ground) -> Trial:
    sequences = (headed(task.title, task.passage),) if edit.format == PASSAGE else sequences_of(task, edit)
    training = rounds.directed(ground.training, edit)
    return Trial(edit, plan_for(sequences, ground, training), Failure("judge", "not judged yet"))


def _trial_key(work: Campaign, trial: Trial, probes: Items[Probe], ground: Ground) -> str:
    """All that an outcome depends on: the edit, its plan (which names head and seed), probes and rewards."""
    depends = [trial.edit.id, trial.plan.id if trial.plan else None, [probe.id for probe in probes]]
    rewards = [sorted(ground.rewards.items()), ground.answer_tokens, work.grader.name]
    return content_hash(["trial", *depends, *rewards, work.worker.base, work.worker.dtype])


def _floors(work: Campaign, number: int, tasks: Items[Task], written: Written) -> dict[str, float]:
    """What an edit of each passage has to beat: the model as it was, and training on the passage alone."""
    floors = {task.id: float("-inf") for task in tasks}
    entered = [task for task in tasks if written.edits.get(task.id)]
    for name in work.recipe.select.beat:
        found = (_of_base if name == "base" else _of_passage)(work, number, entered, written)
        for task, value in found.items():
            floors[task] = max(floors[task], value)
    return floors


def _of_base(work: Campaign, number: int, tasks: Items[Task], written: Written) -> dict[str, float]:
    ground = work.ground(number, 0, work.recipe.apply, f"round {number}: asking without notes")
    outcomes = rounds.rewarded([(None, written.probes[task.id]) for task in tasks], ground)
    return {t.id: o.value for t, o in zip(tasks, outcomes, strict=True) if isinstance(o, Reward)}


def _of_passage(work: Campaign, number: int, tasks: Items[Task], written: Written) -> dict[str, float]:
    """The mean over the seeds."""
    edits = {task.id: SelfEdit(task.id, PASSAGE, task.passage, (task.passage,)) for task in tasks}
    work.store.record_edits(edits.values())
    asked = [(task, edits[task.id], seed) for task in tasks for seed in work.recipe.judge.seeds]
    values: dict[str, list[float]] = {task.id: [] for task in tasks}
    for trial in _judged(work, number, asked, written):
        if isinstance(trial.outcome, Reward):
            values[trial.edit.task].append(trial.outcome.value)
    return {task: sum(mine) / len(mine) for task, mine in values.items() if mine}
