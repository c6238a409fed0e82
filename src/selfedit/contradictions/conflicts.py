"""What of new passages contradicts what was learned. The one function that a gate calls."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import regex

from selfedit.contradictions.facts import Fact, plain
from selfedit.contradictions.finding import Near, Suspect, near, suspects
from selfedit.contradictions.reading import Reader, read_otherwise
from selfedit.types import Task

SURE = 0.6
"""From there on words alone decide."""
NEAREST = 6
"""Facts that a model looks at for each new sentence: those that share most with it."""
_NAME = regex.compile(r"\b\p{Lu}[\p{L}\p{M}'’-]+")
BY_WORDS, BY_MODEL = "by words", "as the model reads it"


@final
@dataclass(frozen=True, slots=True)
class Conflict:
    """A fact, and the sentence of a new passage that answers its question otherwise."""

    fact: Fact
    new: str
    """The new answer; the whole sentence where it denies or takes back the old one."""
    sentence: str
    title: str
    task: str
    """Id of the new passage."""
    how: str
    sure: float
    """By words alone, in [0, 1]; no probability."""


def conflicts(facts: Items[Fact], tasks: Items[Task], read: Reader | None = None) -> tuple[Conflict, ...]:
    """For each fact at most one: the sentence that most surely contradicts it. The surest first."""
    sure = [_by_words(each) for each in suspects(facts, tasks, SURE) if _named(each.fact, each.task)]
    told = {each.fact: each for each in sorted(sure, key=lambda each: -each.sure)}
    if read:
        open_ = [each for each in near(facts, tasks, NEAREST) if _named(each.known.fact, each.task)]
        rest = [each for each in open_ if each.known.fact not in told]
        for each, answer in read_otherwise(rest, read):
            told.setdefault(each.known.fact, _by_model(each, answer))
    return tuple(told.values())


def _named(fact: Fact, task: Task) -> bool:
    """Whether the new passage has any of the names that the question asks about, if it asks about some."""
    _, _, rest = plain(fact.question).partition(" ")
    names = {found.casefold() for found in _NAME.findall(rest)}
    text = f"{task.title} {task.passage}".casefold()
    return not names or any(name in text for name in names)


def _by_words(each: Suspect) -> Conflict:
    new, sure = each.doubt.new, each.doubt.sure
    return Conflict(each.fact, new, each.sentence, each.task.title, each.task.id, BY_WORDS, sure)


def _by_model(each: Near, answer: str) -> Conflict:
    said, task = each.place.said.text, each.task
    return Conflict(each.known.fact, answer, said, task.title, task.id, BY_MODEL, 0.0)
