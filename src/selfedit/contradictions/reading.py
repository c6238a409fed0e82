"""What a model reads in new sentences, where words alone tell nothing.

A sentence that answers a fact's question makes the question likelier, about as much as the old sentence does.
Of those that do, the model reads the answer, and what it reads has to stand as another answer could. A small
model answers any question from any sentence, so its word counts only where it reads the old sentence rightly,
and would itself ask the question, word for word, of the new sentence for the new answer.
"""

from __future__ import annotations

from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean
from typing import TYPE_CHECKING, final

from selfedit.contradictions.comparing import another_answer
from selfedit.contradictions.facts import plain
from selfedit.contradictions.finding import Near
from selfedit.edits.writer import check_prompt, question_prompt
from selfedit.rewards import correct
from selfedit.routing import Relevance
from selfedit.types import GenerationRequest, ScoreRequest, Task

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Worker

ANSWER_TOKENS = 24
LEAST = 1.0
"""Nats a token by which a sentence that answers a question makes it likelier than nothing does."""
LOOSEST = 1.0
"""Nats a token by which the question may fit the new sentence worse than the old."""
SURE = -0.8
"""The mean log-probability of a token, in nats, that what is read has at least."""
ASKED, WORD = 1.0, 2.5
"""Nats by which the question may be less likely for the new answer than for the old: a token, any token."""
Asked = tuple[str, str]
"""A text, and a question."""


@final
@dataclass(frozen=True, slots=True)
class Read:
    """An answer, and how sure the model is of it: the mean log-probability of its tokens, in nats."""

    answer: str
    sure: float


@final
@dataclass(frozen=True)
class Reader:
    """A worker, and the adapter that reads: the writer, which was trained to."""

    worker: Worker
    writer: Adapter | None = None

    def fits(self, asked: Items[Asked]) -> list[float]:
        """How much likelier each text makes its question, in nats a token; -inf where both are too long."""
        gains = self._relevance.gains([(question, Task("", text)) for text, question in asked])
        return [float("-inf") if gain is None else gain for gain in gains]

    @cached_property
    def _relevance(self) -> Relevance:
        return Relevance(self.worker, self.writer)

    def reads(self, asked: Items[Asked]) -> list[Read]:
        """The answers with the texts in view."""
        prompts = [check_prompt(text, question) for text, question in asked]
        said = self.worker.generate(
            [GenerationRequest(p, self.writer, max_tokens=ANSWER_TOKENS, stop=("\n",)) for p in prompts]
        )
        return [Read(each.text.strip(), each.logprob / max(1, len(each.tokens))) for each in said]

    def asks(self, read: Items[tuple[str, str, str]]) -> list[tuple[float, ...]]:
        """How likely each token of the question is, of (text, answer, question), in nats."""
        requests = [
            ScoreRequest(question_prompt("", text, answer), f" {question}", self.writer)
            for text, answer, question in read
        ]
        return [score.tokens for score in self.worker.score(requests)] if requests else []


def read_otherwise(near: Items[Near], reader: Reader) -> Iterator[tuple[Near, str]]:
    """The sentences in which the model reads another answer, with that answer."""
    fitting = list(_fitting([each for each in near if _asks(each)], reader))
    read = list(_read(fitting, reader)) if fitting else []
    facts = [each.known.fact for each, _ in read]
    new = reader.asks([(_in_view(each), answer, each.known.fact.question) for each, answer in read])
    old = reader.asks([(fact.sentence, fact.answer, fact.question) for fact in facts])
    for (each, answer), here, there in zip(read, new, old, strict=True):
        lost = [before - now for now, before in zip(here, there, strict=True)]
        if fmean(lost) <= ASKED and max(lost) <= WORD:
            yield each, answer


def _read(near: Items[Near], reader: Reader) -> Iterator[tuple[Near, str]]:
    """Those in which another answer is read, where the old one is read rightly."""
    new = reader.reads([(_in_view(each), each.known.fact.question) for each in near])
    old = reader.reads([(each.known.fact.sentence, each.known.fact.question) for each in near])
    for each, here, there in zip(near, new, old, strict=True):
        gold = each.known.fact.answer
        rightly = correct(there.answer, gold) or correct(gold, there.answer)
        same = correct(here.answer, gold) or correct(gold, here.answer)
        if rightly and not same and here.sure >= SURE and another_answer(each.known, each.place, here.answer):
            yield each, here.answer


def _asks(near: Near) -> bool:
    """Whether there is an old sentence to compare with, and an answer to read that is not a further one."""
    fact, said = near.known.fact, near.place.said
    told = bool(fact.sentence and plain(fact.question)) and near.known.polar is None
    return told and (said.announces or not said.adds)


def _fitting(near: Items[Near], reader: Reader) -> Iterator[Near]:
    """Those whose sentence the question fits, about as well as the old one."""
    new = reader.fits([(each.place.said.text, each.known.fact.question) for each in near])
    open_ = [(each, fit) for each, fit in zip(near, new, strict=True) if fit >= LEAST]
    old = reader.fits([(each.known.fact.sentence, each.known.fact.question) for each, _ in open_])
    for (each, here), there in zip(open_, old, strict=True):
        if here >= there - LOOSEST:
            yield each


def _in_view(near: Near) -> str:
    """The sentence with the one before, for what `it` and `she` stand for."""
    return f"{near.place.before.text} {near.place.said.text}".strip()
