"""What a recipe will cost on its data, and by a short probe how long it will take here. Writes nothing.

Sizes are counted on a sample of the passages, by the model's own tokenizer. What the model has not written
yet is taken to be as long as rows that rules make of the same spans, or as half of what its format allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from selfedit.config import PAIRS, Recipe
from selfedit.edits import get_format
from selfedit.edits.questions import ask_prompt
from selfedit.edits.sentences import sentences
from selfedit.edits.spans import best_spans
from selfedit.edits.tools import cloze, headed, split
from selfedit.edits.writer import question_prompt, sentence_of
from selfedit.forecast import Pace, pace, rows_by_heart
from selfedit.recipes import Cost, Estimate, Sizes, data_file, estimate
from selfedit.reciting import SAMPLES
from selfedit.reinforcing.foreseeing import Rows, foresee
from selfedit.tasks import read_squad
from selfedit.types import Sequence, Task, rng_for

if TYPE_CHECKING:
    from selfedit.workers import Worker

SAMPLE = 16
"""Passages that are counted."""
NOTE = 0.5
"""Of what a format allows, the share that a note is taken to fill."""


@final
@dataclass(frozen=True)
class Outlook:
    """The cost of a recipe, in work and in seconds on this machine."""

    estimate: Estimate
    pace: Pace
    passages: int
    report_passages: int

    @property
    def costs(self) -> dict[str, dict[str, float]]:
        """Of each round, of the table, and of all of it."""
        rounds = {f"round {n}": self._told(cost) for n, cost in enumerate(self.estimate.rounds, start=1)}
        return {**rounds, "table": self._told(self.estimate.report), "total": self._told(self.estimate.total)}

    def as_json(self) -> dict[str, Any]:
        return {
            "passages": self.passages,
            "report_passages": self.report_passages,
            "tokens_a_second": {"train": self.pace.train, "write": self.pace.write},
            **self.costs,
        }

    def _told(self, cost: Cost) -> dict[str, float]:
        return {
            "edits": cost.edits,
            "adapters": cost.adapters,
            "trained_tokens": round(cost.trained),
            "read_tokens": round(cost.read),
            "written_tokens": round(cost.written),
            "seconds": round(cost.seconds(self.pace), 6),
        }


def foretell(worker: Worker, recipe: Recipe, data: Path | None) -> Outlook:
    """Count, and measure how fast the worker is. Raises DocumentError or UsageError as `campaign` does."""
    count = _passages if recipe.data.kind == "passages" else foresee
    found, rows, (train, report) = count(worker, recipe, data)
    return Outlook(found, pace(worker, rows), train, report)


def _passages(worker: Worker, recipe: Recipe, data: Path | None) -> tuple[Estimate, Rows, tuple[int, int]]:
    train = read_squad(data_file(recipe.data.train, data))
    report = read_squad(data_file(recipe.data.report, data))
    some = rng_for("sizes", recipe.seed).sample(train, min(SAMPLE, len(train)))
    rows = tuple(row for task in some for row in _by_rule(recipe, task))
    found = Sizes(passages=len(train), report_passages=len(report), **_sizes(worker, recipe, some))
    return estimate(recipe, found), rows, (len(train), len(report))


def _sizes(worker: Worker, recipe: Recipe, tasks: Items[Task]) -> dict[str, float]:
    """The means over passages."""
    probes = [probe for task in tasks for probe in task.probes]
    return {
        "probes": len(probes) / len(tasks),
        "passage": _mean(worker.count(headed(t.title, t.passage)) for t in tasks),
        "question": _mean(worker.count(f"{ask_prompt(p.question, p.topic)} {p.answer}") for p in probes),
        "answer": _mean(worker.count(probe.answer) + 2 for probe in probes),
        "said": (1 + SAMPLES) * _mean(worker.count(s) for t in tasks for s in sentences(t.passage)),
        **_writing(worker, recipe, tasks),
    }


def _writing(worker: Worker, recipe: Recipe, tasks: Items[Task]) -> dict[str, float]:
    """The means over formats."""
    kinds = [_pairs if name == PAIRS else _notes(name) for name in recipe.write.formats]
    each = [kind(worker, recipe, task) for kind in kinds for task in tasks]
    edit, prompt, written = (_mean(column) for column in zip(*each, strict=True))
    return {"edit": edit, "prompt": prompt, "written": written}


Counted = tuple[float, float, float]
"""Tokens of the training rows, of what is read to write them, and of what is written."""


def _pairs(worker: Worker, recipe: Recipe, task: Task) -> Counted:
    spans = best_spans(task.passage, recipe.write.spans, title=task.title)
    prompts = [question_prompt(task.title, sentence_of(task, span), span.text) for span in spans]
    rows = _by_rule(recipe, task)
    asked = [row for row in rows if not isinstance(row, str)]
    trained = sum(worker.count(r if isinstance(r, str) else r.prompt + r.completion) for r in rows)
    return trained, sum(map(worker.count, prompts)), sum(worker.count(row.prompt) for row in asked)


def _notes(name: str) -> Callable[[Worker, Recipe, Task], Counted]:
    form = get_format(name)

    def counted(worker: Worker, recipe: Recipe, task: Task) -> Counted:
        written = NOTE * form.max_tokens
        passage = worker.count(headed(task.title, task.passage))
        prompt = worker.rendered(form.prompt(task, chat=worker.chat))
        return passage + written, worker.count(prompt), written

    return counted


def _by_rule(recipe: Recipe, task: Task) -> tuple[str | Sequence, ...]:
    if recipe.write.recite:
        return rows_by_heart(task, recipe.write.spans, recipe.write.hints)
    spans = best_spans(task.passage, recipe.write.spans, title=task.title)
    return (*split(task), *cloze(task, spans))


def _mean(values: Iterable[float]) -> float:
    held = list(values)
    return sum(held) / len(held) if held else 0.0
