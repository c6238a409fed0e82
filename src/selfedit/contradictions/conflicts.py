"""What of new passages contradicts what was learned. The one function that a gate calls."""

from __future__ import annotations

from collections.abc import Sequence as Items
from dataclasses import dataclass
from typing import final

import regex

from selfedit.contradictions.facts import Fact, plain
from selfedit.contradictions.finding import Suspect, suspects
from selfedit.contradictions.reading import Reader, confirmed
from selfedit.types import Task

SURE, DOUBTFUL = 0.6, 0.4
"""From the first on, words alone decide; what is doubtful a model is asked about, where there is one."""
MOST_ASKED = 32
"""Doubtful sentences that a model is asked about, the surest first."""
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
    found = [each for each in suspects(facts, tasks, DOUBTFUL if read else SURE) if _named(each)]
    sure = [each for each in found if each.doubt.sure >= SURE]
    rest = sorted((each for each in found if each.doubt.sure < SURE), key=lambda each: -each.doubt.sure)
    read_so = confirmed(rest[:MOST_ASKED], read) if read else []
    told = [*(_conflict(each, BY_WORDS) for each in sure), *(_conflict(each, BY_MODEL) for each in read_so)]
    return tuple(sorted(told, key=lambda each: -each.sure))


def _named(suspect: Suspect) -> bool:
    """Whether the new passage has any of the names that the question asks about, if it asks about some."""
    _, _, rest = plain(suspect.fact.question).partition(" ")
    names = {found.casefold() for found in _NAME.findall(rest)}
    text = f"{suspect.task.title} {suspect.task.passage}".casefold()
    return not names or any(name in text for name in names)


def _conflict(each: Suspect, how: str) -> Conflict:
    return Conflict(
        each.fact, each.doubt.new, each.sentence, each.task.title, each.task.id, how, each.doubt.sure
    )
