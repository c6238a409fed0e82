"""New passages against many facts: which sentence contradicts which. By words alone."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator
from collections.abc import Sequence as Items
from dataclasses import dataclass
from itertools import islice
from typing import final

from selfedit.contradictions.comparing import Doubt, confirms, doubt
from selfedit.contradictions.facts import Fact, plain
from selfedit.contradictions.known import Known, Place
from selfedit.contradictions.said import Said
from selfedit.contradictions.tokens import light_keys
from selfedit.contradictions.values import Value
from selfedit.edits.sentences import sentences
from selfedit.types import Task

_AT_ONCE = 24
"""Facts that a sentence is compared with: those that share its rarest words."""
_FEW = 4
"""A fact or a sentence of so many words is compared where one is shared; others where two are."""
_COMMON = 400
"""A word that so many facts have finds none of them by itself."""


@final
@dataclass(frozen=True, slots=True)
class Suspect:
    """A fact, a sentence of a new passage, and what it seems to answer."""

    fact: Fact
    task: Task
    sentence: str
    before: str
    doubt: Doubt


@final
@dataclass(frozen=True, slots=True)
class Near:
    """A fact, and a sentence of a new passage that has words in common with it."""

    known: Known
    place: Place
    task: Task


def near(facts: Items[Fact], tasks: Items[Task], count: int) -> Iterator[Near]:
    """Each sentence with at most so many facts; none with one that its passage says again."""
    index, known = Index(facts), dict[int, Known]()
    for task in tasks:
        found = [(place, index.near(place)) for place in places(task)]
        for number in {number for _, numbers in found for number in numbers} - known.keys():
            known[number] = index.known(number)
        again = {n for place, numbers in found for n in numbers if confirms(known[n], place)}
        for place, numbers in found:
            yield from (Near(known[n], place, task) for n in numbers[:count] if n not in again)


def suspects(facts: Items[Fact], tasks: Items[Task], least: float) -> tuple[Suspect, ...]:
    """For each fact the sentence that most surely contradicts it, where one does at least so."""
    index, known = Index(facts), dict[int, Known]()
    best: dict[int, Suspect] = {}
    for task in tasks:
        for number, found in _of_passage(index, known, facts, task).items():
            if found.doubt.sure >= least and (
                number not in best or found.doubt.sure > best[number].doubt.sure
            ):
                best[number] = found
    return tuple(best[number] for number in sorted(best))


def _of_passage(index: Index, known: dict[int, Known], facts: Items[Fact], task: Task) -> dict[int, Suspect]:
    """The surest suspect for each fact; none for a fact that another sentence of the passage says again."""
    found: dict[int, Suspect] = {}
    said_again: set[int] = set()
    for place in places(task):
        for number in index.near(place):
            seen = known.get(number) or known.setdefault(number, index.known(number))
            if confirms(seen, place):
                said_again.add(number)
            elif (doubted := doubt(seen, place)) and (
                number not in found or doubted.sure > found[number].doubt.sure
            ):
                found[number] = Suspect(seen.fact, task, place.said.text, place.before.text, doubted)
    return {number: suspect for number, suspect in found.items() if number not in said_again}


def places(task: Task) -> Iterator[Place]:
    """The sentences of a passage, each with its title and the one before."""
    title, before = Said(task.title), Said("")
    for sentence in sentences(task.passage):
        said = Said(sentence)
        yield Place(said, title, before)
        before = said


@final
class Index:
    """Facts by the words of their questions and sentences."""

    def __init__(self, facts: Items[Fact]) -> None:
        self._facts: dict[str, list[int]] = defaultdict(list)
        self._all = facts
        self._titles = [(fact.commit, fact.title) for fact in facts]
        self._few: list[bool] = []
        self._same: dict[tuple[str, str], list[int]] = defaultdict(list)
        self._dates: dict[tuple[str, str], tuple[Value, ...]] = {}
        self._context: dict[tuple[str, str], set[str]] = defaultdict(set)
        for number, fact in enumerate(facts):
            keys = light_keys(f"{plain(fact.question)} {fact.sentence} {fact.title}")
            self._context[self._titles[number]] |= keys
            self._same[self._titles[number]].append(number)
            self._few.append(len(keys) <= _FEW)
            for key in keys:
                self._facts[key].append(number)
        self._size = len(facts)

    def known(self, number: int) -> Known:
        """A fact with the words and dates of all facts of the same title."""
        title = self._titles[number]
        if title not in self._dates:
            lines = {self._all[other].sentence for other in self._same[title]}
            found = (value for line in lines for value in Said(line).values if value.kind == "date")
            self._dates[title] = tuple(dict.fromkeys(found))
        return Known(self._all[number], frozenset(self._context[title]), self._dates[title])

    def near(self, place: Place) -> list[int]:
        """The facts that share most with a sentence, rare words first; none that shares only common ones."""
        scores: dict[int, float] = defaultdict(float)
        shared: Counter[int] = Counter()
        for key in place.said.light | place.title.light:
            mine = self._facts.get(key, ())
            if not mine or (len(mine) > _COMMON and len(mine) >= self._size / 50):
                continue
            shared.update(mine)
            weight = math.log(1 + self._size / len(mine))
            for number in mine:
                scores[number] += weight
        short = len(place.said.light) <= _FEW
        best = sorted(scores, key=lambda number: -scores[number])
        return list(islice((n for n in best if short or shared[n] > 1 or self._few[n]), _AT_ONCE))
