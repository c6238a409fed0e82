"""Which learned passage a question is about: words find the nearest, and the writer says whether it fits.

A writer was trained to ask what a text answers, so that a question about a passage is far likelier after it
than after nothing; one that merely shares its words is not. Without a writer words decide alone. Knows
nothing of commits, and answers nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from collections.abc import Sequence as Items
from typing import TYPE_CHECKING, final

from selfedit.edits.topics import Finder, Fit
from selfedit.edits.writer import about_prompt
from selfedit.policies import shipped
from selfedit.types import ScoreRequest, Task

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

RULE = 3
"""Raised whenever passages are found in another way, so that what was asked of others counts no more."""
NEAREST = 2
"""Passages that words propose. With more no more questions were found (docs/results.md)."""
LIKELIER = {Fit.ENOUGH: 0.5, Fit.LITTLE: 1.0, Fit.ALIEN: 1.6}
"""A question is about a passage that makes it likelier by more than this, in nats a token. The less their
words fit, the more: any text makes questions in its own language a little likelier."""


@final
class Relevance:
    """How much likelier passages make questions, as a writer or the base sees it; no pair computed twice."""

    def __init__(self, worker: Worker, writer: Adapter | None) -> None:
        self._worker = worker
        self._writer = writer
        self._found: dict[tuple[str, str], float] = {}
        """(prompt, question) → the mean log-probability of the question's tokens."""

    def gains(self, pairs: Items[tuple[str, Task]]) -> list[float | None]:
        """For each question and passage what the question's mean log-probability gains, in nats a token.

        None where both together are longer than what the base can have in view.
        """
        fits = [self._fits(question, task) for question, task in pairs]
        wanted = [(q, task) for (q, task), whole in zip(pairs, fits, strict=True) if whole]
        self._score(pair for q, task in wanted for pair in ((_prompt(task), q), (_prompt(None), q)))
        return [
            self._found[_prompt(task), q] - self._found[_prompt(None), q] if whole else None
            for (q, task), whole in zip(pairs, fits, strict=True)
        ]

    def _fits(self, question: str, task: Task) -> bool:
        return (_prompt(task), question) in self._found or (
            self._worker.count(f"{_prompt(task)} {question}") < self._worker.context
        )

    def _score(self, pairs: Iterable[tuple[str, str]]) -> None:
        missing = [pair for pair in dict.fromkeys(pairs) if pair not in self._found]
        requests = [ScoreRequest(prompt, f" {question}", self._writer) for prompt, question in missing]
        scores = self._worker.score(requests) if requests else []
        self._found.update(zip(missing, (score.mean for score in scores), strict=True))


def relevance(worker: Worker) -> Relevance | None:
    """By the writer that ships for the worker's base; None where there is none."""
    writer = shipped(worker)
    return Relevance(worker, writer) if writer else None


@final
class Router:
    """Finds the passage that a question is about, among these."""

    def __init__(self, passages: Items[Task], fitting: Relevance | None = None) -> None:
        self._finder = Finder(passages)
        self._fitting = fitting

    def about(self, questions: Items[str]) -> list[Task | None]:
        """For each question the passage; None where it is about none of them."""
        if self._fitting is None:
            return [self._by_words(question) for question in questions]
        near = [self._finder.nearest(question, NEAREST) for question in questions]
        pairs = [(q, task) for q, tasks in zip(questions, near, strict=True) for task, _ in tasks]
        gains = iter(self._fitting.gains(pairs))
        return [
            self._best(question, [(task, fit, next(gains)) for task, fit in tasks])
            for question, tasks in zip(questions, near, strict=True)
        ]

    def may_be(self, question: str) -> tuple[tuple[Task, Fit], ...] | None:
        """The passages of which one is chosen, or none, by themselves; None where all others matter too."""
        return None if self._fitting is None else self._finder.nearest(question, NEAREST)

    def _by_words(self, question: str) -> Task | None:
        nearest = self._finder.nearest(question, 1)
        return next((task for task, fit in nearest if fit is Fit.ENOUGH), None)

    def _best(self, question: str, found: list[tuple[Task, Fit, float | None]]) -> Task | None:
        best, likeliest = None, 0.0
        for task, fit, gain in found:
            if gain is None:  # too long to be looked at
                return self._by_words(question)
            if gain > max(likeliest, LIKELIER[fit]):
                best, likeliest = task, gain
        return best


def _prompt(task: Task | None) -> str:
    return about_prompt(task.title, task.passage) if task else about_prompt("", "")
