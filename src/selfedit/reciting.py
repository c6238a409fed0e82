"""Asking a model that learned its sentences by heart: it says the sentence, and reads that for the answer.

No document is in view: what is read is what the adapter itself has just said. The reader is the policy, which
was trained to answer from a sentence, on the bare base; a base without one reads as it is, in its turn of a
chat where it can chat.
"""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import TYPE_CHECKING, final

from selfedit.edits.recitation import filled, recite_prompt
from selfedit.edits.writer import check_prompt, reading_turn
from selfedit.types import Completion, GenerationRequest, Head, Message, ScoreRequest, rng_for
from selfedit.workers.base import silent

if TYPE_CHECKING:
    from selfedit.engine import Adapter
    from selfedit.workers import Progress, Worker

RECITED_TOKENS = 96
"""At most so many tokens of a sentence are said."""
SAMPLES, TEMPERATURE = 4, 0.7
"""Beside the likeliest sentence so many are sampled: where the model is unsure which it is, all are read."""
SPARE = 2
"""Tokens that a prompt may have more than its text counts."""


def asked_by_heart(reader: Adapter | None) -> list[object]:
    """What a key has of being asked so: how much is said, and who reads it."""
    return ["recited", RECITED_TOKENS, SAMPLES, TEMPERATURE, reader.hash if reader else None]


@final
@dataclass(frozen=True)
class Query:
    """A question, and who is asked: an adapter, a head, both, or neither, which is the base."""

    question: str
    topic: str = ""
    adapter: Adapter | None = None
    head: Head | None = None

    @property
    def key(self) -> tuple[str, ...]:
        """Equal for those that are answered alike."""
        adapter, head = self.adapter.hash if self.adapter else "", self.head.id if self.head else ""
        return adapter, head, self.question, self.topic


def recited(worker: Worker, queries: Items[Query], progress: Progress = silent) -> list[tuple[str, ...]]:
    """The sentences that each is answered with: the likeliest, then those sampled, each once; stripped.

    What is sampled depends on the question alone, so that the same question is answered alike. None is empty.
    """
    prompts = [recite_prompt(each.question, each.topic) for each in queries]
    room = [worker.context - worker.count(prompt) - SPARE for prompt in prompts]
    requests = [
        GenerationRequest(
            prompt,
            each.adapter,
            each.head,
            max_tokens=max(1, min(RECITED_TOKENS, free)),
            temperature=TEMPERATURE if sample else 0.0,
            stop=("\n",),
            seed=rng_for("recite", each.question, each.topic, sample).getrandbits(31),
        )
        for each, prompt, free in zip(queries, prompts, room, strict=True)
        for sample in range(1 + SAMPLES)
    ]
    texts = [completion.text.strip() for completion in worker.generate(requests, progress)]
    groups = (texts[at : at + 1 + SAMPLES] for at in range(0, len(texts), 1 + SAMPLES))
    return [tuple(dict.fromkeys(text for text in group if text)) for group in groups]


@final
@dataclass(frozen=True)
class Reader:
    """Who finds the answer in what was said."""

    worker: Worker
    policy: Adapter | None = None

    def answers(
        self, queries: Items[Query], said: Items[Items[str]], tokens: int, progress: Progress = silent
    ) -> list[Completion | None]:
        """The reader's word with these texts in view, in at most so many tokens; None where none was said.

        A gap in one of the texts is filled from it by rule: that needs no reader.
        """
        shown = [self._fitting(query, texts, tokens) for query, texts in zip(queries, said, strict=True)]
        by_rule = [_by_rule(query, texts) for query, texts in zip(queries, shown, strict=True)]
        asked = [at for at, texts in enumerate(shown) if texts and by_rule[at] is None]
        requests = [
            GenerationRequest(
                self._prompt(queries[at], shown[at]), self.policy, max_tokens=tokens, stop=("\n",)
            )
            for at in asked
        ]
        found = dict(zip(asked, self.worker.generate(requests, progress), strict=True))
        return [by_rule[at] or found.get(at) for at in range(len(said))]

    def logprobs(self, queries: Items[Query], said: Items[Items[str]], golds: Items[str]) -> list[float]:
        """The mean log-probability of each expected answer's tokens with the texts in view, in nats."""
        shown = [
            self._fitting(query, texts, self.worker.count(gold))
            for query, texts, gold in zip(queries, said, golds, strict=True)
        ]
        prompts = [self._prompt(query, texts) for query, texts in zip(queries, shown, strict=True)]
        requests = [
            ScoreRequest(prompt, gold if isinstance(prompt, list) else f" {gold}", self.policy)
            for prompt, gold in zip(prompts, golds, strict=True)
        ]
        return [score.mean for score in self.worker.score(requests)]

    def _fitting(self, query: Query, texts: Items[str], tokens: int) -> Items[str]:
        """The first of the texts, as many as the base can have in view at once."""
        room = self.worker.context - tokens - SPARE
        while texts and self.worker.count(self.worker.rendered(self._prompt(query, texts))) > room:
            texts = texts[:-1]
        return texts

    def _prompt(self, query: Query, texts: Items[str]) -> str | list[Message]:
        text = " ".join(texts)
        if self.policy is not None or not self.worker.chat:
            return check_prompt(text, query.question, query.topic)
        return [{"role": "user", "content": reading_turn(text, query.question, query.topic)}]


def _by_rule(query: Query, texts: Items[str]) -> Completion | None:
    gaps = (filled(query.question, text) for text in texts)
    text = next((gap for gap in gaps if gap), None)
    return Completion(text, (), "stop") if text else None
