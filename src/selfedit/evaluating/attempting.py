"""A way on some tasks of demonstrations: what is kept is read, the rest is picked, trained, asked and kept.

A chunk of tasks is the unit: what is missing of it is computed together and kept at once, so that a run that
was broken off ends as an unbroken one. Knows nothing of figures.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, final

from selfedit import rounds, solving
from selfedit.config import Configuration
from selfedit.evaluating.contest import Contest, Line, Picked, Way
from selfedit.evaluating.notes import head_id
from selfedit.questioning import Author
from selfedit.recipes import Shown
from selfedit.rewards.solving import COUNT, LOGPROB
from selfedit.rounds import Ground
from selfedit.samples import as_json, from_json
from selfedit.solving import Picks, Solved
from selfedit.types import Failure, Head, SelfEdit, TrainingPlan
from selfedit.workers.base import Progress, Worker

if TYPE_CHECKING:
    from selfedit.engine import Adapter

AT_ONCE = 8
"""Tasks that are written on, trained and asked together: what a broken run may have to do again."""
CANDIDATES = 5
"""Answers to a test that are kept with their votes, the best first."""


# -- who picks -----------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class BySetting:
    """The same for every task."""

    setting: Configuration

    def depends(self, task: Shown) -> list[Any]:
        return ["setting", self.setting.model_dump(mode="json")]

    def pick(self, tasks: Items[Shown]) -> list[list[Picked]]:
        return [[Picked(solving.fixed(task, self.setting))] for task in tasks]


@final
@dataclass(frozen=True)
class ByPolicy:
    """The policy's likeliest configuration; of several samples, as it draws them."""

    contest: Contest
    policy: Head | None
    """Who writes; None is the base."""

    @property
    def _picks(self) -> Picks:
        recipe = self.contest.recipe
        samples = recipe.few_shot.report_samples
        heat = recipe.write.temperature[0] if samples > 1 else 0.0
        return Picks(samples, heat, recipe.seed, apart=False, cells=recipe.few_shot.cells)

    def depends(self, task: Shown) -> list[Any]:
        picks = self._picks
        how = [picks.samples, picks.temperature, picks.seed]
        return [
            "policy",
            task.id,
            solving.form_id(task.kind, paraphrases=bool(task.paraphrases), cells=picks.cells),
            head_id(self.policy),
            how,
        ]

    def pick(self, tasks: Items[Shown]) -> list[list[Picked]]:
        store = self.contest.store
        keys = {task.id: self.contest.key("sample", self.depends(task)) for task in tasks}
        found: dict[str, Any] = {task.id: store.result("sample", keys[task.id]) for task in tasks}
        if missing := [task for task in tasks if found[task.id] is None]:
            began = time.monotonic()
            author = Author(self.contest.worker, head=self.policy)
            made = solving.configurations(author, missing, self._picks)
            seconds = (time.monotonic() - began) / len(missing)
            fresh = {
                task: {"edits": [as_json(edit) for edit in mine], "seconds": seconds}
                for task, mine in made.items()
            }
            store.put_results("sample", {keys[task]: value for task, value in fresh.items()})
            found |= fresh
        return [
            [
                Picked(from_json(task, edit), keys[task.id], found[task.id]["seconds"])
                for edit in found[task.id]["edits"]
            ]
            for task in tasks
        ]


# -- chunks --------------------------------------------------------------------------------------------


def lines_of(contest: Contest, ways: Items[Way], tasks: Items[Shown]) -> list[Line]:
    """A line for each way, task, sample and seed. Chunk by chunk, each under every way."""
    chunks = [tuple(tasks[at : at + AT_ONCE]) for at in range(0, len(tasks), AT_ONCE)]
    return [
        line
        for number, chunk in enumerate(chunks)
        for way in ways
        for seed in (contest.recipe.report.seeds if way.picker else (None,))
        for line in _of_seed(Chunk(contest, way, chunk, seed, (number * AT_ONCE, len(tasks))))
    ]


@final
@dataclass(frozen=True)
class Chunk:
    """Tasks that go through a way together, with one seed."""

    contest: Contest
    way: Way
    tasks: tuple[Shown, ...]
    seed: int | None
    place: tuple[int, int]
    """How many tasks are before it, and how many there are in all."""

    def key(self, task: Shown, sample: int) -> str:
        """All that the line of a task depends on."""
        recipe, way = self.contest.recipe, self.way
        asked = self._asked(task)
        if way.picker is None:
            return self.contest.key("row", asked)
        training = recipe.report.training.model_dump(exclude={"learning_rate", "epochs"})
        if task.paraphrases:
            asked = [*asked, task.paraphrases]
        taught = [way.picker.depends(task), sample, training, recipe.few_shot.steps, self.seed]
        return self.contest.key("row", asked, taught)

    def outcome_key(self, entry: Entry) -> str:
        """All that an outcome depends on, whoever picked: the plan names head and seed."""
        return self.contest.key("outcome", self._asked(entry.task), entry.plan.id if entry.plan else None)

    def _asked(self, task: Shown) -> list[Any]:
        recipe = self.contest.recipe
        terms, tokens = solving.asked_by(recipe.few_shot), recipe.judge.answer_tokens
        return [task.id, terms, tokens, head_id(self.way.head)]

    @property
    def ground(self) -> Ground:
        recipe = self.contest.recipe
        tokens = recipe.judge.answer_tokens
        worker, seed = self.contest.worker, self.seed or 0
        return Ground(worker, self.way.head, recipe.report.training, seed, tokens)

    def progress(self, doing: str) -> Progress:
        """Announces a step of the work."""
        before, total = self.place
        span = f"{before + 1}-{before + len(self.tasks)}" if len(self.tasks) > 1 else f"{before + 1}"
        stage = f"{self.way.name}, task {span} of {total}: {doing}"
        self.contest.watch(stage, 0, 0)
        return lambda done, most: self.contest.watch(stage, done, most)


def _of_seed(chunk: Chunk) -> list[Line]:
    store, samples = chunk.contest.store, range(chunk.way.samples)
    keys = {(task.id, sample): chunk.key(task, sample) for task in chunk.tasks for sample in samples}
    found: dict[str, Any] = {key: store.result("row", key) for key in keys.values()}
    missing = [task for task in chunk.tasks if any(found[keys[task.id, n]] is None for n in samples)]
    if missing:
        computed = _computed(replace(chunk, tasks=tuple(missing)))
        fresh = {keys[place]: value for place, value in computed.items() if found[keys[place]] is None}
        store.put_results("row", fresh)
        found |= fresh
    return [
        Line(chunk.way.name, task, chunk.seed, sample, key, found[key])
        for (task, sample), key in keys.items()
    ]


@final
@dataclass(frozen=True)
class Entry:
    """A task with one of its configurations on the way through a chunk."""

    task: Shown
    sample: int
    picked: Picked | None
    """None where nothing is picked."""
    plan: TrainingPlan | None = None
    """None where nothing is trained."""


Ended = tuple["Adapter | Failure | None", list[Solved]]
"""What was trained, and how it did on the task's tests; nothing after a failure."""


def _computed(chunk: Chunk) -> dict[tuple[str, int], dict[str, Any]]:
    """Task and sample → what is kept of it."""
    picker = chunk.way.picker
    if picker is None:
        entries = [Entry(task, 0, None) for task in chunk.tasks]
    else:
        chunk.progress("picking")
        entries = [
            Entry(task, sample, picked, _plan(task, picked, chunk))
            for task, mine in zip(chunk.tasks, picker.pick(chunk.tasks), strict=True)
            for sample, picked in enumerate(mine)
        ]
    outcomes = _outcomes(chunk, entries)
    return {(e.task.id, e.sample): {**_picked(e), **outcomes[chunk.outcome_key(e)]} for e in entries}


def _outcomes(chunk: Chunk, entries: Items[Entry]) -> dict[str, Any]:
    """Key → how it ended. What another policy picked as well was tried then, and is not tried again."""
    store, once = chunk.contest.store, {chunk.outcome_key(entry): entry for entry in entries}
    found: dict[str, Any] = {key: store.result("row", key) for key in once}
    missing = [key for key, value in found.items() if value is None]
    if missing:
        began = time.monotonic()
        ended = _ended(chunk, [once[key] for key in missing])
        seconds = (time.monotonic() - began) / len(missing)
        worker = chunk.contest.worker
        fresh = {
            key: {**_outcome(once[key], result, worker), "seconds": seconds}
            for key, result in zip(missing, ended, strict=True)
        }
        store.put_results("row", fresh)
        found |= fresh
    return found


def _plan(task: Shown, picked: Picked, chunk: Chunk) -> TrainingPlan | None:
    if isinstance(picked.edit, Failure):
        return None
    return solving.plan(task, picked.edit, chunk.ground, chunk.contest.recipe.few_shot)


def _ended(chunk: Chunk, entries: Items[Entry]) -> list[Ended]:
    terms = chunk.contest.recipe.few_shot
    found: dict[int, Ended] = {}

    def solve(adapters: Mapping[int, Adapter | None]) -> None:
        asking = replace(chunk.ground, progress=chunk.progress("asking"))
        trying = [(adapter, entries[at].task) for at, adapter in adapters.items()]
        solved = solving.solved(trying, terms, asking, (COUNT, LOGPROB))
        found.update({at: (adapters[at], mine) for at, mine in zip(adapters, solved, strict=True)})

    plain = {at: None for at, entry in enumerate(entries) if entry.plan is None}
    if plain:
        solve(plain)
    places = [at for at, entry in enumerate(entries) if entry.plan is not None]
    plans = [entry.plan for entry in entries if entry.plan is not None]
    training = replace(chunk.ground, progress=chunk.progress("training")) if plans else chunk.ground
    for batch in rounds.trained(plans, training) if plans else ():
        found.update({places[at]: (each, []) for at, each in batch if isinstance(each, Failure)})
        if whole := {places[at]: each for at, each in batch if not isinstance(each, Failure)}:
            solve(whole)
    return [found[at] for at in range(len(entries))]


# -- what is kept --------------------------------------------------------------------------------------


def _picked(entry: Entry) -> dict[str, Any]:
    edit = entry.picked.edit if entry.picked else None
    return {
        "settings": dict(edit.settings) if isinstance(edit, SelfEdit) else None,
        "text": edit.text if isinstance(edit, SelfEdit) else None,
        "writing": entry.picked.seconds if entry.picked else 0.0,
        "unusable": edit.what if isinstance(edit, Failure) else None,
        "sample": entry.picked.sample if entry.picked else None,
    }


def _outcome(entry: Entry, ended: Ended, worker: Worker) -> dict[str, Any]:
    result, solved = ended
    return {
        "tests": [_test(each) for each in solved],
        "tokens": rounds.trained_tokens(worker, entry.plan) if entry.plan else 0,
        "optimiser_steps": entry.plan.steps if entry.plan else 0,
        "failure": result.what if isinstance(result, Failure) else None,
        "adapter": result.hash if result and not isinstance(result, Failure) else None,
    }


def _test(solved: Solved) -> dict[str, Any]:
    test, count = solved.test, solved.test.count
    assert count is not None
    return {
        "solved": test.solved(2),
        "first": test.solved(1),
        "logprob": test.logprob,
        "attempts": list(count.attempts()),
        "candidates": [[each.answer, each.votes, each.logprob] for each in count.candidates[:CANDIDATES]],
        "malformed": count.failures,
        "asked": count.ballots,
        "written": list(solved.written),
    }
