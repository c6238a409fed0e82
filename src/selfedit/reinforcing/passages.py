"""Passages as a kind of task: notes are written on each, and probes without the passage judge them.

What was written goes to runs.db and the journal, a piece at a time, under a hash of what it depends on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit import rounds
from selfedit.config import BUILT_IN, Recipe
from selfedit.edits.tools import headed
from selfedit.errors import UsageError
from selfedit.graders import grader_at
from selfedit.questioning import Author
from selfedit.recipes import data_file
from selfedit.reciting import asked_by_heart
from selfedit.reinforcing.attempts import judged, of_head
from selfedit.reinforcing.kinds import Judged, Written, pieces
from selfedit.rewards import Grader, check
from selfedit.rounds import Ground, plan_for
from selfedit.samples import as_json, format_id, from_json
from selfedit.select import Bandit, Candidate, distinct, temperature
from selfedit.tasks import read_squad
from selfedit.types import (
    Failure,
    Outcome,
    Probe,
    Reward,
    SelfEdit,
    Sequence,
    Task,
    TrainingPlan,
    Trial,
    content_hash,
)
from selfedit.writing import Brief, policy_rows, probed_sentences, sequences_of, write_edits, write_probes

if TYPE_CHECKING:
    from selfedit.reinforcing.campaign import Campaign
    from selfedit.workers import Worker

WRITTEN_AT_ONCE = 5
"""Passages that are written for together: what a broken run may have to write again."""
PASSAGE = "passage"
"""The format of the edit that only repeats the passage: what an edit has to beat."""


@final
@dataclass(frozen=True)
class Passages:
    """The passages of a recipe."""

    recipe: Recipe
    tasks: tuple[Task, ...]
    data: str
    """SHA-256 of the file that they came from."""

    @property
    def formats(self) -> list[Any]:
        return [format_id(name) for name in self.recipe.write.formats]

    def grader(self, worker: Worker) -> Grader:
        """The recipe's."""
        return grader_at(self.recipe.judge.grader, self.recipe.base, worker)

    def prepared(self, work: Campaign, tasks: Items[Task]) -> tuple[Task, ...]:
        """As they are."""
        return tuple(tasks)

    def write(self, work: Campaign, number: int, tasks: Items[Task]) -> Written:
        """Self-edits for every passage, and probes where the recipe asks for the model's own."""
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

    def plan(self, task: Task, edit: SelfEdit, ground: Ground) -> TrainingPlan:
        alone = edit.format == PASSAGE
        sequences = (headed(task.title, task.passage),) if alone else sequences_of(task, edit)
        return plan_for(sequences, ground, rounds.directed(ground.training, edit))

    def judged_by(self, task: Task, written: Written, ground: Ground) -> list[Any]:
        probes = [probe.id for probe in written.probes[task.id]]
        recited = [asked_by_heart(ground.reader)] if ground.recite else []
        name = ground.grader.name if ground.grader else self.recipe.judge.grader
        own = ["of the recipe"] if name == "base" and self.recipe.base != BUILT_IN else []
        return [probes, sorted(ground.rewards.items()), ground.answer_tokens, name, *own, *recited]

    def judge(self, asked: Items[Judged], written: Written, ground: Ground) -> list[Outcome]:
        sentences = probed_sentences([task for _, task in asked], written.probes)
        pairs = [(adapter, written.probes[task.id]) for adapter, task in asked]
        return rounds.rewarded(pairs, replace(ground, sentences=sentences))

    def kept(self, trial: Trial) -> Trial:
        """All of it."""
        return trial

    def floor(
        self, name: str, work: Campaign, number: int, tasks: Items[Task], written: Written
    ) -> Mapping[str, float]:
        """`base`: the model as it was; `passage`: training on the passage alone."""
        floor = of_head if name == "base" else _of_passage
        return floor(work, number, tasks, written)

    def rows(self, author: Author, task: Task, edit: SelfEdit) -> tuple[Sequence, ...]:
        return policy_rows(author, task, edit)


def read_passages(recipe: Recipe, data: Path | None) -> Passages:
    """The recipe's passages. Raises DocumentError, or UsageError where something cannot be used."""
    check(recipe.judge.weights)
    path = data_file(recipe.data.train, data)
    tasks = tuple(task for task in read_squad(path) if _usable(recipe, task))
    if not tasks:
        raise UsageError(f"{path}: no passage with questions to judge by; choose judge.probes: own")
    return Passages(recipe, tasks, hashlib.sha256(path.read_bytes()).hexdigest())


def _usable(recipe: Recipe, task: Task) -> bool:
    return bool(task.probes) or recipe.judge.probes != "gold"


# -- writing -------------------------------------------------------------------------------------------------


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
    seed, by_heart = recipe.seed * 1000 + number, recipe.write
    return [
        Brief(name, n, recipe.write.spans, heat, seed, recite=by_heart.recite, hints=by_heart.hints)
        for name, n in counts.items()
        if n
    ]


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
    depends = [
        [b.format, b.samples, b.spans, b.temperature, b.seed, *([b.hints] if b.recite else ())]
        for b in briefs
    ]
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


# -- what has to be beaten -----------------------------------------------------------------------------------


def _of_passage(work: Campaign, number: int, tasks: Items[Task], written: Written) -> dict[str, float]:
    """The mean over the seeds."""
    edits = {task.id: SelfEdit(task.id, PASSAGE, task.passage, (task.passage,)) for task in tasks}
    work.store.record_edits(edits.values())
    asked = [(task, edits[task.id], seed) for task in tasks for seed in work.recipe.judge.seeds]
    values: dict[str, list[float]] = {task.id: [] for task in tasks}
    for trial in judged(work, number, asked, written):
        if isinstance(trial.outcome, Reward):
            values[trial.edit.task].append(trial.outcome.value)
    return {task: sum(mine) / len(mine) for task, mine in values.items() if mine}
