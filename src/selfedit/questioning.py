"""Who writes, and questions to given answers: asked for, and checked with the sentence in view.

Knows nothing of self-edits, probes or rewards.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit.edits.spans import Span
from selfedit.edits.words import agree
from selfedit.edits.writer import accepted, check_prompt, parse_question, question_prompt, sentence_of
from selfedit.types import Completion, GenerationRequest, Head, ScoreRequest, Task, rng_for
from selfedit.workers.base import silent

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Progress, Worker

QUESTION_TOKENS = 48
ANSWER_TOKENS = 24


@final
@dataclass(frozen=True)
class Author:
    """The policy at work: who computes, the adapter that asks questions, and the head that writes.

    The policy's adapter knows only how to ask for a span; the head (None: the base itself) writes in every
    format.
    """

    worker: Worker
    policy: Adapter | None = None
    progress: Progress = silent
    head: Head | None = None

    def write(self, prompts: Items[str], max_tokens: int, temperature: float, seed: int) -> list[Completion]:
        """Continue each prompt by one line; prompts that repeat are sampled apart."""
        seen: dict[str, int] = defaultdict(int)
        requests: list[GenerationRequest] = []
        for prompt in prompts:
            draw = rng_for("author", seed, prompt, seen[prompt]).getrandbits(31)
            seen[prompt] += 1
            requests.append(
                GenerationRequest(
                    prompt,
                    self.policy,
                    self.head,
                    max_tokens,
                    temperature,
                    0.95 if temperature else 1.0,
                    ("\n",),
                    draw,
                )
            )
        return self.worker.generate(requests, self.progress)


@final
@dataclass(frozen=True)
class Item:
    """A span of a task that a question is wanted for."""

    task: Task
    span: Span

    @property
    def sentence(self) -> str:
        return sentence_of(self.task, self.span)


def ask_for(author: Author, items: Items[Item], temperature: float, seed: int) -> list[str | None]:
    """A question for each item, or None where the model wrote none that asks for it without saying it."""
    prompts = [question_prompt(item.task.title, item.sentence, item.span.text) for item in items]
    written = author.write(prompts, QUESTION_TOKENS, temperature, seed)
    questions = [parse_question(completion.text) for completion in written]
    return [q if accepted(q, item.span.text) else None for q, item in zip(questions, items, strict=True)]


def checked(author: Author, items: Items[Item], questions: Items[str | None]) -> list[str | None]:
    """The questions that the model, with the sentence in view, answers with the item's own span."""
    asked = [at for at, question in enumerate(questions) if question]
    prompts = [check_prompt(items[at].sentence, questions[at] or "", items[at].task.title) for at in asked]
    answers = author.write(prompts, ANSWER_TOKENS, 0.0, 0)
    kept: list[str | None] = [None] * len(questions)
    for at, answer in zip(asked, answers, strict=True):
        if agree(items[at].span.text, answer.text):
            kept[at] = questions[at]
    return kept


def fitting(author: Author, items: Items[Item], questions: Items[str | None]) -> list[str | None]:
    """The questions that are good enough to be trained on: `checked`, or likeliest answered with their span.

    A small model that answers freely misses most answers to good questions. Among the other spans of the
    sentence it still picks the right one, and turns down questions to which another span is the answer.
    """
    kept = checked(author, items, questions)
    others = [at for at, question in enumerate(questions) if question and not kept[at]]
    rivals = {at: _rivals(items, at) for at in others}
    choices = [(at, text) for at in others if rivals[at] for text in (items[at].span.text, *rivals[at])]
    scores = author.worker.score([_choice(author, items[at], questions[at] or "", t) for at, t in choices])
    means: dict[int, list[float]] = defaultdict(list)
    for (at, _), score in zip(choices, scores, strict=True):
        means[at].append(score.mean)
    return [
        q if at in means and means[at][0] >= max(means[at]) else kept[at] for at, q in enumerate(questions)
    ]


def _rivals(items: Items[Item], at: int) -> list[str]:
    """The texts of the sentence's other spans, less those that overlap the item's own."""
    own = items[at]
    mine = (each.span for each in items if each.task is own.task and each.span.sentence == own.span.sentence)
    apart = (span for span in mine if span.end <= own.span.start or own.span.end <= span.start)
    return list(dict.fromkeys(span.text for span in apart))


def _choice(author: Author, item: Item, question: str, answer: str) -> ScoreRequest:
    prompt = check_prompt(item.sentence, question, item.task.title)
    return ScoreRequest(prompt, f" {answer}", author.policy, author.head)
