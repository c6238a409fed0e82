"""A campaign: who works, on which tasks, and where it is kept. Knows nothing of how a round goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit.config import PAIRS, Recipe, Training
from selfedit.lessons import Watch, unwatched
from selfedit.policies import shipped
from selfedit.questioning import Author
from selfedit.reinforcing.demonstrations import read_demonstrations
from selfedit.reinforcing.kinds import Kind
from selfedit.reinforcing.passages import read_passages
from selfedit.rounds import Ground
from selfedit.samples import Owner
from selfedit.store import RoundRow, Store
from selfedit.types import Head, Objective, content_hash, rng_for

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.rewards import Grader
    from selfedit.workers import Progress, Worker


@final
@dataclass(frozen=True)
class Campaign:
    """A recipe at work in a store that is open for writing."""

    store: Store
    worker: Worker
    recipe: Recipe
    kind: Kind[Any]
    """The tasks that rounds draw from, and what is done with them."""
    watch: Watch = unwatched
    spent: Counter[int] = field(default_factory=Counter[int])
    """Round → tokens trained on, those of trials that were made before and are only looked up among them."""

    @cached_property
    def warm(self) -> Adapter | None:
        """The writer that ships for the base, where pairs are written: the first round begins with it."""
        return shipped(self.worker) if PAIRS in self.recipe.write.formats else None

    @cached_property
    def id(self) -> str:
        """A hash of all that the policy after any round depends on."""
        warm = self.warm.hash if self.warm else None
        depends = [
            self.recipe.id,
            self.kind.formats,
            self.kind.data,
            self.worker.base,
            self.worker.dtype,
            warm,
        ]
        return content_hash(["run", *depends])

    @property
    def ended(self) -> list[RoundRow]:
        """The rounds that have ended, in order."""
        return self.store.rounds(self.id)

    def policy(self, before: int) -> tuple[Adapter, ...]:
        """The policy that writes in a round: the shipped writer, and what earlier rounds made of it."""
        from selfedit.engine import Adapter

        found: list[Adapter] = [self.warm] if self.warm else []
        for row in self.ended:
            if row.number < before and row.adapter:
                config, path = self.store.adapter(row.adapter).config, self.store.adapter_path(row.adapter)
                found.append(Adapter.from_file(path, config, row.adapter))
        return tuple(found)

    def head(self, number: int) -> Head | None:
        """The head that the policy of a round is."""
        adapters = self.policy(number)
        return self.worker.head(adapters) if adapters else None

    @property
    def policies(self) -> dict[int, Head | None]:
        """The policy after each of the recipe's rounds that has ended, by its number; None is the base."""
        ended = [row.number for row in self.ended if row.number <= self.recipe.rounds]
        return {number: self.head(number + 1) for number in ended}

    @property
    def objective(self) -> Objective | None:
        """What every round's policy is held to: that of the first, so that small drifts do not add up."""
        weight = self.recipe.reinforce.kl
        return Objective(weight, "reverse", self.head(1) or self.worker.head(())) if weight else None

    def drawn(self, number: int) -> list[Owner]:
        """The tasks of a round."""
        wanted = min(self.recipe.data.passages, len(self.kind.tasks))
        return rng_for("round", self.recipe.seed, number).sample(self.kind.tasks, wanted)

    @cached_property
    def _grader(self) -> Grader | None:
        return self.kind.grader(self.worker)

    def begin(self, stage: str) -> Progress:
        """Announce a stage; what comes back is told of its progress."""
        self.watch(stage, 0, 0)
        return partial(self.watch, stage)

    def author(self, number: int, stage: str) -> Author:
        return Author(self.worker, None, self.begin(stage), self.head(number))

    def ground(self, number: int, seed: int, training: Training, stage: str) -> Ground:
        """Where edits are tried: on the policy of the round, or on the base as it is.

        What is recited is read by the writer that ships in all rounds, so that their rewards compare.
        """
        judge = self.recipe.judge
        head = self.head(number) if judge.on == "policy" else None
        progress, weights = self.begin(stage), judge.weights
        grader = self._grader
        recite = self.recipe.write.recite
        reader = self.warm if recite else None
        asked = (judge.answer_tokens, progress, weights, grader, recite, reader)
        return Ground(self.worker, head, training, seed, *asked)


def campaign(
    store: Store, worker: Worker, recipe: Recipe, data: Path | None, watch: Watch = unwatched
) -> Campaign:
    """Read the recipe's tasks. Raises DocumentError, or UsageError where something cannot be used."""
    return Campaign(store, worker, recipe, READ[recipe.data.kind](recipe, data), watch)


READ: Mapping[str, Callable[[Recipe, Path | None], Kind[Any]]] = {
    "passages": read_passages,
    "arc": read_demonstrations,
    "text": read_demonstrations,
}
"""Kind of task → its tasks, by the recipe and the folder of its data."""
