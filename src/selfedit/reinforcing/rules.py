"""Rules of selection side by side, on the same trials: what each would have chosen, and what that is worth.

A rule sees the selecting seeds alone; the seeds that chose nothing say what its choice is worth. Decides
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Sequence as Items
from typing import Any

from selfedit.reinforcing.checking import Checked, choice
from selfedit.select import Candidate, Race, best, means
from selfedit.select.candidates import by_task

Choice = tuple[set[str], int]
"""The edits that a rule keeps, and the trials that it takes."""
Rule = Callable[[Items[Candidate], int], Choice]


def compared(found: Items[Checked], keep: int) -> dict[str, dict[str, Any]]:
    """Name of a rule → `checking.choice` of what it chooses, with its number of `trials`.

    Each rule keeps as many edits of a passage. Empty where edits have rewards of different seeds, as after a
    race: nobody knows what those that are out would have earned.
    """
    tried = [each.candidate for each in found]
    if len({len(each.rewards) for each in tried}) != 1:
        return {}
    told: dict[str, dict[str, Any]] = {}
    for name, rule in RULES.items():
        chosen, trials = rule(tried, keep)
        if (worth := choice(found, chosen)) is not None:
            told[name] = {"trials": trials, **worth}
    return told


def _mean(tried: Items[Candidate], keep: int) -> Choice:
    return _flat(best(tried, keep, means)), sum(len(each.rewards) for each in tried)


def _halving(tried: Items[Candidate], keep: int) -> Choice:
    held = {each.edit: each.rewards for each in tried}
    seeds = range(len(tried[0].rewards))
    entered = {task: [each.edit for each in mine] for task, mine in by_task(tried).items()}
    race = Race(entered, seeds, keep)
    while batch := race.batch():
        for edit, seed in batch:
            race.tell(edit, seed, held[edit][seed])
    return _flat({task: race.left(task)[:keep] for task in entered}), race.spent


def _first_seed(tried: Items[Candidate], keep: int) -> Choice:
    return _flat(best(tried, keep, {each.edit: each.rewards[0] for each in tried})), len(tried)


def _unchosen(tried: Items[Candidate], keep: int) -> Choice:
    return {each.edit for mine in by_task(tried).values() for each in mine[:keep]}, 0


def _flat(chosen: Mapping[str, Items[str]]) -> set[str]:
    return {edit for mine in chosen.values() for edit in mine}


RULES: Mapping[str, Rule] = {
    "mean of all seeds": _mean,
    "halving": _halving,
    "first seed": _first_seed,
    "as written": _unchosen,
}
"""The first is SEAL's (arXiv 2506.10943); the last keeps what was written first, without any trial."""
