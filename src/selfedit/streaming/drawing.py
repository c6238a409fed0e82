"""Which passages a stream learns in which order, and which canaries are asked."""

from __future__ import annotations

from pathlib import Path

from selfedit.canaries import canaries, demonstrated
from selfedit.config.streaming import StreamRecipe
from selfedit.edits.questions import qa_row
from selfedit.errors import UsageError
from selfedit.evaluating.passages import merged
from selfedit.recipes import data_file
from selfedit.streaming.study import Canaries, Series
from selfedit.tasks import read_squad
from selfedit.types import rng_for


def drawn(recipe: StreamRecipe, data: Path | None, sequences: int | None = None) -> tuple[Series, ...]:
    """The recipe's sequences, or the first so many of them. Each passage is in one of them at most.

    Raises UsageError or DocumentError.
    """
    every = [task for task in merged(read_squad(data_file(recipe.data, data))) if task.probes]
    count, size = recipe.sequences, recipe.documents
    if count * size > len(every):
        raise UsageError(
            f"{recipe.data}: {len(every)} passages with questions, and {count} sequences of {size} take "
            f"{count * size}; choose fewer sequences or documents"
        )
    if sequences is not None and sequences > count:
        raise UsageError(f"--sequences {sequences}: the recipe has {count}; choose at most so many")
    rng_for("stream", recipe.seed).shuffle(every)
    return tuple(
        Series(number, tuple(every[number * size : (number + 1) * size]))
        for number in range(count if sequences is None else sequences)
    )


def some_canaries(recipe: StreamRecipe) -> Canaries:
    """As many as the recipe asks for, drawn by its seed; the others may be shown, and trained on."""
    order = list(canaries())
    rng_for("canaries", recipe.seed).shuffle(order)
    asked, others = order[: recipe.canaries], order[recipe.canaries :]
    prompts = tuple(demonstrated(each, others) for each in asked)
    rows = tuple(qa_row(each.question, each.answer) for each in others)
    return Canaries(tuple(each.probe for each in asked), prompts, rows)
