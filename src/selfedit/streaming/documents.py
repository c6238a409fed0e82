"""The self-edits of a stream: written once a document, for all methods, and kept as `eval` keeps its own."""

from __future__ import annotations

from selfedit.config import Judge, Recipe, Write
from selfedit.config.streaming import StreamRecipe
from selfedit.evaluating.notes import ByWriter
from selfedit.evaluating.study import Passages
from selfedit.evaluating.study import Study as Measured
from selfedit.graders import grader_at
from selfedit.rewards import Grader, RuleGrader
from selfedit.streaming.study import AT_ONCE, Document, Series, Study


def documents(study: Study, series: Series) -> tuple[Document, ...]:
    """The passages with their self-edits: those that are kept are read, the others written."""
    held = measured(study, RuleGrader())
    notes = ByWriter(held, study.recipe.write.format, study.writer)
    found: list[Document] = []
    for at in range(0, len(series.tasks), AT_ONCE):
        tasks = series.tasks[at : at + AT_ONCE]
        study.begin("self-edits", series, f"documents {at + 1}-{at + len(tasks)} of {len(series.tasks)}")
        for task, written in zip(tasks, notes.write(tasks), strict=True):
            key = held.key("sample", notes.depends(task))
            found.append(Document(task, written.sequences, key, written.unusable, written.seconds))
    return tuple(found)


def measured(study: Study, grader: Grader) -> Measured:
    """The stream's documents as a table on passages has them, for what both do alike."""
    tasks = tuple(task for series in study.series for task in series.tasks)
    passages = Passages(tasks, tasks)
    return Measured(as_recipe(study.recipe), study.store, study.worker, passages, grader, study.writer)


def as_recipe(recipe: StreamRecipe) -> Recipe:
    """What it says of writing and judging."""
    write, judge = recipe.write, Judge(grader=recipe.grader, answer_tokens=recipe.answer_tokens)
    return Recipe(
        base=recipe.base,
        seed=recipe.seed,
        write=Write(formats=(write.format,), spans=write.spans, recite=write.recite, hints=write.hints),
        judge=judge,
    )


def grader(study: Study) -> Grader:
    """The recipe's. The model at hand serves it where it would load the same one."""
    return grader_at(study.recipe.grader, study.recipe.base, study.worker)
