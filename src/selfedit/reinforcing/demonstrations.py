"""Tasks of demonstrations as a kind of task: configurations are written, and a task's own tests judge them.

What was written goes to runs.db and the journal, a piece at a time, under a hash of what it depends on.
Trials are kept without their plans, which come again from task, configuration and seed and would fill the
journal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit import solving
from selfedit.config import Recipe
from selfedit.paraphrasing import with_paraphrases
from selfedit.questioning import Author
from selfedit.recipes import Shown, training_tasks
from selfedit.reinforcing.attempts import of_head
from selfedit.reinforcing.kinds import Judged, Written, pieces
from selfedit.rewards import solving_needs
from selfedit.rounds import Ground
from selfedit.samples import as_json, from_json
from selfedit.select import distinct, temperature
from selfedit.solving import Picks
from selfedit.types import Failure, Outcome, SelfEdit, Sequence, TrainingPlan, Trial, content_hash

if TYPE_CHECKING:
    from selfedit.reinforcing.campaign import Campaign
    from selfedit.workers import Worker

WRITTEN_AT_ONCE = 5
"""Tasks that are written for together: what a broken run may have to write again."""


@final
@dataclass(frozen=True)
class Demonstrations:
    """The tasks of demonstrations of a recipe: all of one kind, grids or texts."""

    recipe: Recipe
    tasks: tuple[Shown, ...]
    data: str
    """A hash of all of them."""

    def grader(self, worker: Worker) -> None:
        """Answers are right or wrong: none is asked."""

    @property
    def formats(self) -> list[Any]:
        kind = self.recipe.data.kind
        assert kind != "passages"
        terms = self.recipe.few_shot
        return [solving.form_id(kind, paraphrases=terms.paraphrase, cells=terms.cells)]

    def prepared(self, work: Campaign, tasks: Items[Shown]) -> tuple[Shown, ...]:
        """With their inputs in other words, where the recipe wants that."""
        if not self.recipe.few_shot.paraphrase:
            return tuple(tasks)
        return with_paraphrases(work.store, work.worker, tasks, work.watch)

    def write(self, work: Campaign, number: int, tasks: Items[Shown]) -> Written:
        """Configurations for every task, none twice as far as drawing them again helps."""
        edits: dict[str, list[SelfEdit]] = {}
        failures: Counter[str] = Counter()
        for piece in pieces(tasks, WRITTEN_AT_ONCE):
            for task, found in _edits(work, number, piece).items():
                failures.update(each.what for each in found if isinstance(each, Failure))
                edits[task] = distinct([each for each in found if isinstance(each, SelfEdit)])
        return Written(edits, failures=failures)

    def plan(self, task: Shown, edit: SelfEdit, ground: Ground) -> TrainingPlan:
        return solving.plan(task, edit, ground, self.recipe.few_shot)

    def judged_by(self, task: Shown, written: Written, ground: Ground) -> list[Any]:
        asked = solving.asked_by(self.recipe.few_shot)
        return [task.id, asked, sorted(ground.rewards.items()), ground.answer_tokens]

    def judge(self, asked: Items[Judged], written: Written, ground: Ground) -> list[Outcome]:
        return solving.rewarded(asked, self.recipe.few_shot, ground)

    def kept(self, trial: Trial) -> Trial:
        """All but the plan."""
        return replace(trial, plan=None)

    def floor(
        self, name: str, work: Campaign, number: int, tasks: Items[Shown], written: Written
    ) -> Mapping[str, float]:
        """`base`, the only one: the demonstrations in the prompt, and no training."""
        return of_head(work, number, tasks, written)

    def rows(self, author: Author, task: Shown, edit: SelfEdit) -> tuple[Sequence, ...]:
        return (solving.policy_row(author, task, edit, self.recipe.few_shot.cells),)


def read_demonstrations(recipe: Recipe, data: Path | None) -> Demonstrations:
    """The recipe's tasks. Raises DocumentError, or UsageError where something cannot be used."""
    solving_needs(recipe.judge.weights)
    tasks = training_tasks(recipe, data)
    return Demonstrations(recipe, tasks, content_hash(["tasks", [task.id for task in tasks]]))


def _edits(work: Campaign, number: int, tasks: Items[Shown]) -> dict[str, list[SelfEdit | Failure]]:
    """Task id → all that was written for it."""
    recipe = work.recipe
    picks = Picks(
        recipe.write.samples,
        temperature(recipe.write.temperature, number - 1),
        recipe.seed * 1000 + number,
        cells=recipe.few_shot.cells,
    )
    wrote = [adapter.hash for adapter in work.policy(number)]
    keys = {
        task.id: content_hash(["sample", "configurations", work.id, number, wrote, task.id]) for task in tasks
    }
    held = {task: work.store.result("sample", key) for task, key in keys.items()}
    if missing := [task for task in tasks if held[task.id] is None]:
        work.store.record_demonstrations(missing)
        made = solving.configurations(work.author(number, f"round {number}: writing"), missing, picks)
        work.store.record_edits(e for found in made.values() for e in found if isinstance(e, SelfEdit))
        fresh = {task: [as_json(each) for each in found] for task, found in made.items()}
        work.store.put_results("sample", {keys[task]: each for task, each in fresh.items()})
        held |= fresh
    return {task.id: [from_json(task, each) for each in held[task.id] or ()] for task in tasks}
