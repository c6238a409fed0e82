"""A race: successive halving over the edits of many tasks at once.

Every edit is tried with the first seed; the better half goes on until it was tried with 2 seeds, the better
half of those until 4, and so on; whoever stays to the end was tried with all seeds. Each rung costs about the
same, so most of the budget goes to telling the good from the best (Karnin, Koren and Somekh 2013; Jamieson
and Talwalkar 2016, arXiv 1502.07943; the rungs are a bracket of Hyperband's, Li et al. 2018).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.errors import UsageError
from selfedit.select.candidates import Candidate

Asked = tuple[str, int]
"""A trial to be made: the edit's id, and the seed."""


@final
@dataclass(frozen=True, slots=True)
class Rung:
    """So many edits at most, each tried with the first so many seeds."""

    edits: int
    seeds: int


def rungs(edits: int, seeds: int, keep: int = 1, eta: int = 2) -> tuple[Rung, ...]:
    """The rungs that so many edits climb: 1, eta, eta², ... seeds, and at last all of them.

    One in `eta` goes on, rounded up, and never fewer than `keep`. With 2 seeds, 5 edits cost 5 + 3 trials in
    place of 10.
    """
    looks = [1]
    while looks[-1] * eta < seeds:
        looks.append(looks[-1] * eta)
    looks = [*looks, seeds] if seeds > 1 else looks
    places = [max(min(keep, edits), -(-edits // eta**rung)) for rung in range(len(looks))]
    return tuple(Rung(place, look) for place, look in zip(places, looks, strict=True))


@final
class Race:
    """Says which trials to make next, is told how they went, and knows at last who is left of each task.

        while not race.done:
            for (edit, seed), reward in try_all(race.batch()):
                race.tell(edit, seed, reward)

    What it says is a function of what it was told, in whatever order: a broken run is taken up by telling the
    results that were kept, and makes the very trials that an unbroken one makes; so a rung is tried whole,
    whoever fails in it. Who failed is out, and nobody takes its place. Draws nothing, and knows no clock.
    """

    def __init__(
        self, tasks: Mapping[str, Items[str]], seeds: Items[int], keep: int = 1, eta: int = 2
    ) -> None:
        """`tasks`: the edits of each task, by their ids."""
        self._tasks = {task: tuple(edits) for task, edits in tasks.items()}
        self._seeds = tuple(seeds)
        self._keep = keep
        self._eta = eta
        self._edits = {edit for edits in self._tasks.values() for edit in edits}
        self._rewards: dict[Asked, float] = {}
        self._failures: set[Asked] = set()
        self._check()

    def _check(self) -> None:
        if len(self._edits) < sum(map(len, self._tasks.values())):
            raise UsageError("race: an edit comes twice; take the distinct ones first")
        if not self._seeds or len(set(self._seeds)) < len(self._seeds):
            raise UsageError(f"race: seeds are {list(self._seeds)}; give at least one, and none twice")
        if self._keep < 1:
            raise UsageError(f"race: keep is {self._keep}; keep at least 1")
        if self._eta < 2:
            raise UsageError(f"race: eta is {self._eta}; choose at least 2")

    def batch(self) -> list[Asked]:
        """All trials that can be made now, over all tasks; empty when the race is over."""
        return [asked for task in self._tasks for asked in self._standing(task)[1]]

    def tell(self, edit: str, seed: int, reward: float | None) -> None:
        """How a trial went; None: it failed. Telling the same again changes nothing."""
        if edit not in self._edits or seed not in self._seeds:
            raise UsageError(f"race: nobody runs as edit {edit} with seed {seed}; tell what was asked for")
        if reward is not None and not math.isfinite(reward):
            raise UsageError(f"race: edit {edit} has a reward that is no number; tell None where it failed")
        asked = (edit, seed)
        if self._is_told(asked) and (held := self._rewards.get(asked)) != reward:
            raise UsageError(f"race: edit {edit} with seed {seed} had {held}, now {reward}; tell one of them")
        if reward is None:
            self._failures.add(asked)
        else:
            self._rewards[asked] = reward

    @property
    def done(self) -> bool:
        return not self.batch()

    @property
    def spent(self) -> int:
        """Trials that were told of, failures included."""
        return len(self._rewards) + len(self._failures)

    @property
    def candidates(self) -> list[Candidate]:
        """Every edit that was tried and never failed, with all its rewards: what `shrunk` wants to see."""
        found: list[Candidate] = []
        for task, edits in self._tasks.items():
            for edit in edits:
                asked = [(edit, seed) for seed in self._seeds]
                rewards = tuple(self._rewards[each] for each in asked if each in self._rewards)
                if rewards and self._failures.isdisjoint(asked):
                    found.append(Candidate(task, edit, rewards))
        return found

    def left(self, task: str) -> list[str]:
        """Who is still in: in the given order while the race goes on, at its end best first.

        "Best" by the mean, ties to the first; `shrunk(race.candidates)` may hold another to be better.
        """
        if task not in self._tasks:
            raise UsageError(f"race: no task {task}; ask for one of those that it was made with")
        return self._standing(task)[0]

    def _standing(self, task: str) -> tuple[list[str], list[Asked]]:
        """Who is still in, and the trials that their rung lacks. Climbs from the lowest rung every time."""
        standing = list(self._tasks[task])
        ladder = rungs(len(standing), len(self._seeds), self._keep, self._eta)
        for rung, following in zip(ladder, [*ladder[1:], None], strict=True):
            seeds = self._seeds[: rung.seeds]
            asked = [(edit, seed) for edit in standing for seed in seeds]
            standing = [edit for edit in standing if not self._failed(edit, seeds)]
            if lacking := [each for each in asked if not self._is_told(each)]:
                return standing, lacking
            ranked = sorted(standing, key=lambda edit: -self._mean(edit, seeds))
            if following is None:
                return ranked[: self._keep], []
            going_on = set(ranked[: following.edits])
            standing = [edit for edit in standing if edit in going_on]
        return standing, []

    def _is_told(self, asked: Asked) -> bool:
        return asked in self._rewards or asked in self._failures

    def _failed(self, edit: str, seeds: Items[int]) -> bool:
        return any((edit, seed) in self._failures for seed in seeds)

    def _mean(self, edit: str, seeds: Items[int]) -> float:
        return math.fsum(self._rewards[edit, seed] for seed in seeds) / len(seeds)
