"""What a recipe on tasks of demonstrations costs before it is run. Pure arithmetic over counts.

It counts what the recipe asks for where nothing fails. What a self-edit will pick is not known: it is taken
to train as long as the recipe's fixed settings do on the average.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

from selfedit.config import Recipe
from selfedit.recipes.cost import Cost, Estimate, times, total, trials
from selfedit.rewards import solving_needs
from selfedit.rewards.solving import COUNT, LOGPROB


@final
@dataclass(frozen=True, slots=True)
class SolvingSizes:
    """The data in numbers: two counts, then means over tasks, in tokens where nothing else is said."""

    tasks: int
    """That rounds draw from."""
    report_tasks: int
    """That the table is measured on."""
    queries: float
    """Guises in which a task's tests are asked, all together."""
    query: float
    """A test with the demonstrations before it, and its right output."""
    answer: float
    """The right output."""
    edit: float
    """All that an adapter is trained on, all epochs, by the mean of the fixed settings."""
    prompt: float
    """What is read to write one self-edit."""
    written: float
    """What is written for one self-edit."""


def solving_estimate(recipe: Recipe, sizes: SolvingSizes) -> Estimate:
    """The cost of the recipe on data of these sizes."""
    return Estimate(
        rounds=(_round(recipe, sizes),) * recipe.rounds,
        report=total(_row(name, recipe, sizes) for name in recipe.report.rows),
    )


def _round(recipe: Recipe, sizes: SolvingSizes) -> Cost:
    tasks, needed = min(recipe.data.passages, sizes.tasks), solving_needs(recipe.judge.weights)
    tried = _asked(recipe, sizes, COUNT in needed, LOGPROB in needed)
    each = (
        times(recipe.write.samples, _writing(sizes))
        + times(trials(recipe), Cost(adapters=1, trained=sizes.edit) + tried)
        + (tried if "base" in recipe.select.beat else Cost())
    )
    edits = recipe.write.samples if recipe.reinforce.method == "grpo" else recipe.select.keep
    tokens = tasks * edits * (sizes.prompt + sizes.written)
    epochs, held = recipe.reinforce.training.epochs, recipe.reinforce.kl > 0
    return times(tasks, each) + Cost(adapters=1, trained=epochs * tokens, read=tokens * held)


def _writing(sizes: SolvingSizes) -> Cost:
    return Cost(edits=1, read=sizes.prompt, written=sizes.written)


def _asked(recipe: Recipe, sizes: SolvingSizes, answered: bool, scored: bool) -> Cost:
    """One task's tests in all their guises."""
    return Cost(
        read=sizes.queries * sizes.query * (answered + scored),
        written=sizes.queries * min(sizes.answer, recipe.judge.answer_tokens) * answered,
    )


def _row(name: str, recipe: Recipe, sizes: SolvingSizes) -> Cost:
    """One row. What `oracle` tries on the tasks that report, `fixed` need not try there again."""
    settings = len(recipe.few_shot.settings)
    asked = _asked(recipe, sizes, True, True)
    taught = times(len(recipe.report.seeds), Cost(adapters=1, trained=sizes.edit) + asked)
    match name:
        case "in-context":
            return times(sizes.report_tasks, asked)
        case "oracle":
            return times(sizes.report_tasks * settings, taught)
        case "fixed":
            alone = "oracle" not in recipe.report.rows
            return times(sizes.tasks * settings + sizes.report_tasks * alone, taught)
        case _:
            rows = recipe.few_shot.report_samples * (recipe.rounds if name == "rounds" else 1)
            return times(rows * sizes.report_tasks, _writing(sizes) + taught)
