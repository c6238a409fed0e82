"""Tasks of demonstrations at work: configurations are written, come to plans, and their adapters to attempts.

    configurations    the policy picks how rows are made, under the format's grammar
    plan              a configuration with its task → what an adapter is trained by
    solved            tests asked in all their guises, answers taken back and voted on
    rewarded          what adapters earn on their tasks

All tasks at once. Knows nothing of rewards' weights, stores or rounds.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, final

from selfedit import rounds
from selfedit.config import FEW_SHOT, Configuration, FewShots, Training
from selfedit.edits import EditFormat, format_of
from selfedit.edits.few_shot import Cells, FewShotFormat, to_resample
from selfedit.edits.queries import INVERTIBLE, Query, grid_queries, text_queries
from selfedit.questioning import Author
from selfedit.recipes import Shown
from selfedit.rewards import Attempted, Ballot, Count, solving, solving_needs, vote
from selfedit.rewards.solving import COUNT, LOGPROB
from selfedit.rounds import Ground
from selfedit.types import (
    Completion,
    Example,
    Failure,
    FewShot,
    GenerationRequest,
    Outcome,
    Score,
    ScoreRequest,
    SelfEdit,
    Sequence,
    TrainingPlan,
    rng_for,
)

if TYPE_CHECKING:
    from selfedit.engine import Adapter

VERSION = 1
"""Raised whenever prompts, rows or queries come about in another way: what was kept before counts no more."""
Kind = Literal["arc", "text"]
Form = FewShotFormat[Any]


def form_of(task: Shown, cells: Cells) -> Form:
    """The format for grids, for texts, or for texts that there are paraphrases of."""
    return format_of(task.kind, paraphrases=bool(task.paraphrases), cells=cells)


def form_id(kind: Kind, *, paraphrases: bool = False, cells: Cells = "apart") -> list[Any]:
    """All that a configuration depends on beside its task and who writes it."""
    form: EditFormat[Shown] = format_of(kind, paraphrases=paraphrases, cells=cells)
    toy: Example[Any] = Example("a", "b") if kind == "text" else Example(((0,),), ((1,),))
    task: Shown = FewShot("", (toy,), (toy,))
    prompts = [form.prompt(task, chat=chat) for chat in (False, True)]
    return [FEW_SHOT, VERSION, form.max_tokens, form.grammar, prompts, *_unusual(cells)]


def _unusual(cells: Cells) -> list[str]:
    """Nothing for what has always been: what was kept before it could be otherwise still counts."""
    return [] if cells == "apart" else [cells]


# -- configurations ------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Picks:
    """How many configurations are written for every task, and how they are drawn."""

    samples: int
    temperature: float
    seed: int
    apart: bool = True
    """What picks the same as another of its task is drawn again, at most ten times."""
    cells: Cells = "apart"


def configurations(author: Author, tasks: Items[Shown], picks: Picks) -> dict[str, list[SelfEdit | Failure]]:
    """Task id → its samples. With a temperature of 0 all are the likeliest one."""
    found: dict[str, list[SelfEdit | Failure]] = {task.id: [] for task in tasks}
    places = [(task, sample) for task in tasks for sample in range(picks.samples)]
    for (task, _), edit in zip(places, _picked(author, places, picks, 0), strict=True):
        found[task.id].append(edit)
    attempt = 0
    while places := _again(tasks, found, picks, attempt):
        attempt += 1
        for (task, sample), edit in zip(places, _picked(author, places, picks, attempt), strict=True):
            found[task.id][sample] = edit
    return found


def _again(
    tasks: Items[Shown], found: dict[str, list[SelfEdit | Failure]], picks: Picks, attempt: int
) -> list[tuple[Shown, int]]:
    """What is to be drawn once more."""
    if not picks.apart or not picks.temperature:
        return []
    return [(task, at) for task in tasks for at in to_resample(found[task.id], attempt=attempt)]


def _picked(
    author: Author, places: Items[tuple[Shown, int]], picks: Picks, attempt: int
) -> list[SelfEdit | Failure]:
    forms = [form_of(task, picks.cells) for task, _ in places]
    requests = [
        GenerationRequest(
            form.prompt(task, chat=author.worker.chat),
            author.policy,
            author.head,
            form.max_tokens,
            picks.temperature,
            0.95 if picks.temperature else 1.0,
            seed=rng_for("configuration", picks.seed, task.id, sample, attempt).getrandbits(31),
            grammar=form.grammar,
        )
        for form, (task, sample) in zip(forms, places, strict=True)
    ]
    written = author.worker.generate(requests, author.progress)
    return [form.parse(task, each.text) for form, (task, _), each in zip(forms, places, written, strict=True)]


def fixed(task: Shown, setting: Configuration) -> SelfEdit:
    """The self-edit that picks a fixed setting."""
    form = form_of(task, "apart")
    switches = {tool: tool in setting.tools for tool in form.tools}
    text = json.dumps({**switches, **setting.model_dump(mode="json", exclude={"tools"})})
    edit = form.parse(task, text)
    assert isinstance(edit, SelfEdit)
    return edit


def policy_row(author: Author, task: Shown, edit: SelfEdit, cells: Cells) -> Sequence:
    """What the policy wrote, after the prompt that it was written to."""
    prompt = form_of(task, cells).prompt(task, chat=author.worker.chat)
    return Sequence(author.worker.rendered(prompt), edit.text)


def plan(task: Shown, edit: SelfEdit, ground: Ground, terms: FewShots) -> TrainingPlan:
    """What the edit comes to: rate and epochs are its own, rank and the like the ground's."""
    made = rows(task, edit, ground.training, ground.seed, terms)
    return rounds.plan_for(made, ground, rounds.directed(ground.training, edit))


def rows(
    task: Shown, edit: SelfEdit, training: Training, seed: int, terms: FewShots
) -> tuple[str | Sequence, ...]:
    """What the edit is trained on; the seed draws orders, colours, and what is left out."""
    return form_of(task, terms.cells).sequences(
        task, edit, seed=seed, batch_size=training.batch_size, most_steps=terms.steps
    )


# -- asking --------------------------------------------------------------------------------------------


@final
@dataclass(frozen=True)
class Solved:
    """One test as an adapter did on it, with what it wrote."""

    test: Attempted
    written: tuple[str, ...] = ()
    """The answers in the guises' order, as they came."""


Trying = tuple["Adapter | None", Shown]
"""A task, and the adapter that is to solve its tests."""


def queries(task: Shown, test: int, terms: FewShots) -> tuple[Query[Any], ...]:
    """The test in all guises that the terms want."""
    if task.kind == "arc":
        notation = form_of(task, terms.cells).notation
        return grid_queries(
            task, test, names=INVERTIBLE[: terms.guises], copies=terms.copies, notation=notation
        )
    return text_queries(task, test, copies=terms.copies)


def asked_by(terms: FewShots) -> list[Any]:
    """All that the queries of a task depend on beside itself."""
    return [VERSION, terms.guises, terms.copies, *_unusual(terms.cells)]


def rewarded(trying: Items[Trying], terms: FewShots, ground: Ground) -> list[Outcome]:
    """What each adapter earns on its task by the ground's rewards."""
    found = solved(trying, terms, ground, solving_needs(ground.rewards))
    return [solving([each.test for each in mine], ground.rewards) for mine in found]


def solved(
    trying: Items[Trying], terms: FewShots, ground: Ground, needed: Collection[str]
) -> list[list[Solved]]:
    """For each pair how the adapter did on the task's tests, as far as `needed` names its fields."""
    asked = [
        (adapter, queries(task, at, terms), test.output)
        for adapter, task in trying
        for at, test in enumerate(task.tests)
    ]
    said = _said(asked, ground) if COUNT in needed else [()] * len(asked)
    scores = _scores(asked, ground) if LOGPROB in needed else [()] * len(asked)
    found = iter(
        [
            Solved(
                Attempted(expected, _count(guises, answers), _mean(mine)),
                tuple(answer.text for answer in answers),
            )
            for (_, guises, expected), answers, mine in zip(asked, said, scores, strict=True)
        ]
    )
    return [[next(found) for _ in task.tests] for _, task in trying]


_Asked = tuple["Adapter | None", tuple[Query[Any], ...], Any]


def _said(asked: Items[_Asked], ground: Ground) -> list[tuple[Completion, ...]]:
    requests = [
        GenerationRequest(query.prompt, adapter, ground.head, ground.answer_tokens, stop=query.stop)
        for adapter, guises, _ in asked
        for query in guises
    ]
    found = iter(ground.worker.generate(requests, ground.progress))
    return [tuple(next(found) for _ in guises) for _, guises, _ in asked]


def _scores(asked: Items[_Asked], ground: Ground) -> list[tuple[Score, ...]]:
    requests = [
        ScoreRequest(query.prompt, query.completion(expected), adapter, ground.head)
        for adapter, guises, expected in asked
        for query in guises
    ]
    found = iter(ground.worker.score(requests))
    return [tuple(next(found) for _ in guises) for _, guises, _ in asked]


def _count(guises: Items[Query[Any]], answers: Items[Completion]) -> Count[Any] | None:
    if not answers:
        return None
    return vote(
        Ballot(query.read(each.text), each.logprob / max(1, len(each.tokens)))
        for query, each in zip(guises, answers, strict=True)
    )


def _mean(scores: Items[Score]) -> float | None:
    return sum(each.mean for each in scores) / len(scores) if scores else None
