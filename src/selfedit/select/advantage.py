"""What an edit weighs in a policy gradient."""

from __future__ import annotations

from collections.abc import Sequence as Items

from selfedit.select.candidates import Candidate, by_task, standardised


def advantages(candidates: Items[Candidate]) -> dict[str, float]:
    """Edit id → (its mean reward - the task's mean) / the standard deviation of the means within the task.

    GRPO's group-relative advantage (Shao et al. 2024, arXiv 2402.03300, section 4.1), a task being the group.
    The deviation has n - 1 in its denominator, as usual trainers have it. 0 where a task's edits do not
    differ, or there is but one.
    """
    return {
        each.edit: advantage
        for mine in by_task(candidates).values()
        for each, advantage in zip(mine, standardised([each.mean for each in mine]), strict=True)
    }
