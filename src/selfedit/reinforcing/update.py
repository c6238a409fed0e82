"""What the policy learns from a round: which edits are kept, and the plan that it is trained by.

ReST-EM (Singh et al. 2024; SEAL, arXiv 2506.10943, section 3.1): sample, filter by reward, fine-tune on what
is left. GRPO (Shao et al. 2024) weighs every edit by its advantage over its passage's others. With either,
`reinforce.kl` holds the policy to that of the first round, on the very rows that it is trained on.
"""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Sequence as Items

from selfedit.config import Recipe
from selfedit.questioning import Author
from selfedit.reinforcing.attempts import Tried
from selfedit.reinforcing.campaign import Campaign
from selfedit.reinforcing.kinds import Written
from selfedit.samples import Owner
from selfedit.select import advantages, beating, best, means, shrunk
from selfedit.types import SelfEdit, Sequence, TrainingPlan

Kept = Mapping[str, float]
"""Id of an edit → what it weighs in the policy's training."""


def keep(recipe: Recipe, tried: Tried) -> dict[str, float]:
    """The edits that the policy learns from."""
    if recipe.reinforce.method == "grpo":
        return {edit: value for edit, value in advantages(tried.candidates).items() if value}
    values = (shrunk if recipe.select.shrink else means)(tried.candidates)
    above = beating(tried.candidates, tried.floors, value=values)
    return {edit: 1.0 for mine in best(above, recipe.select.keep, value=values).values() for edit in mine}


def plan(
    work: Campaign, number: int, tasks: Items[Owner], written: Written, kept: Kept
) -> TrainingPlan | None:
    """The policy's next step, from the policy of the round; None where there is nothing to learn from."""
    author = Author(work.worker, None, head=work.head(number))
    owner = {task.id: task for task in tasks}
    edits = [edit for task in tasks for edit in written.edits.get(task.id, ()) if edit.id in kept]
    every, objective = _rows(work, author, owner, edits, kept), work.objective
    if not any(row.weight for row in every):
        return None
    rows = every if objective else tuple(row for row in every if row.weight)
    training = work.recipe.reinforce.training.hyper_parameters(len(rows))
    seed, head = work.recipe.seed + number, work.head(number)
    return TrainingPlan(rows, seed=seed, head=head, objective=objective, **training)


def _rows(
    work: Campaign, author: Author, owner: Mapping[str, Owner], edits: Items[SelfEdit], kept: Kept
) -> tuple[Sequence, ...]:
    """All that the policy wrote of the kept edits; what several of them share weighs their sum."""
    weights: dict[tuple[str, str], float] = {}
    for edit in edits:
        for row in work.kind.rows(author, owner[edit.task], edit):
            key = (row.prompt, row.completion)
            weights[key] = weights.get(key, 0.0) + kept[edit.id]
    return tuple(Sequence(*key, weight) for key, weight in weights.items())
