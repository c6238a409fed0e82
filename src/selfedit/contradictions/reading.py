"""What a model reads in a sentence, for the doubtful ones. Knows a worker's verbs as functions, no engine.

A small model answers any question from any sentence, so its word counts only with three others: it answered
the question rightly from the old sentence, it says what the words say, and the question fits the new sentence
about as well as the old.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

from selfedit.contradictions.facts import plain
from selfedit.contradictions.finding import Suspect
from selfedit.edits.writer import check_prompt
from selfedit.rewards import correct
from selfedit.types import Completion, GenerationRequest, Score, ScoreRequest

ANSWER_TOKENS = 24
LOOSEST = 0.5
"""Nats a token by which the question may fit the new sentence worse than the old."""


@final
@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, and the mean log-probability of the question's tokens after the sentence in view."""

    answer: str
    fit: float


Reader = Callable[[Items[tuple[str, str]]], Items[Reading]]
"""(Sentence, question) pairs → what is read, in order."""
Generate = Callable[[Items[GenerationRequest]], Items[Completion]]
ScoreAll = Callable[[Items[ScoreRequest]], Items[Score]]


def reader(generate: Generate, score: ScoreAll) -> Reader:
    """A reader of a worker's two verbs: asked as probes are checked, with the sentence in view."""

    def read(asked: Items[tuple[str, str]]) -> list[Reading]:
        prompts = [check_prompt(sentence, question) for sentence, question in asked]
        answers = generate([GenerationRequest(p, max_tokens=ANSWER_TOKENS, stop=("\n",)) for p in prompts])
        fits = score([ScoreRequest(f"{sentence}\nQuestion:", f" {q}") for sentence, q in asked])
        return [Reading(a.text.strip(), fit.mean) for a, fit in zip(answers, fits, strict=True)]

    return read


def confirmed(suspects: Items[Suspect], read: Reader) -> list[Suspect]:
    """Those in which the model reads the same. What has no old sentence to compare with is none of them."""
    open_ = [suspect for suspect in suspects if suspect.fact.sentence and plain(suspect.fact.question)]
    if not open_:
        return []
    asked = [(f"{each.before} {each.sentence}".strip(), each.fact.question) for each in open_]
    control = [(each.fact.sentence, each.fact.question) for each in open_]
    found = read([*asked, *control])
    pairs = zip(open_, found[: len(open_)], found[len(open_) :], strict=True)
    return [suspect for suspect, new, old in pairs if _agrees(suspect, new, old)]


def _agrees(suspect: Suspect, new: Reading, old: Reading) -> bool:
    answer = suspect.fact.answer
    reads = correct(old.answer, answer) and not correct(new.answer, answer)
    return reads and correct(new.answer, suspect.doubt.new) and new.fit >= old.fit - LOOSEST
