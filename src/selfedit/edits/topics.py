"""Which passage a question is about, by its words alone. Knows nothing of models or answers."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import final

import regex

from selfedit.edits.words import FUNCTION_WORDS, content, listed
from selfedit.types import Task


def about(tasks: Sequence[Task], question: str) -> Task | None:
    """The task whose title and passage share the rarest words with the question; None where none shares any.

    With a single task it is that one.
    """
    return tasks[0] if len(tasks) == 1 else Finder(tasks).about(question)


_NAME = regex.compile(r"\b[\p{Lu}\p{N}][\w'-]*")
"""What begins with a capital or a digit."""
_PROPER = regex.compile(r"\b\p{Lu}[\w'-]*")
"""What begins with a capital."""
COMMON = listed(
    """
    act add age allow appear area ask back bad become became begin began begun belong best big bring
    brought build built buy bought call called carry carried case cause caused change changed city come
    came consist contain cost country create created day describe described die died different end ended
    example fact family famous far feel felt few find first five follow followed form found four full
    general get give given gave go gone went good great group grow grew grown happen happened hear heard
    held help high hold home house important include included keep kept kind know known large last late
    later lead led leave left let life like little live lived long look lose lost lot made main major
    make man many mean meant meet met member men move moved much must name named need new next number
    old open opened order own part pass passed pay paid people person place play played point possible
    produce produced put reach reason receive received refer referred report result return right run ran
    said same saw say see seen sell sold send sent serve served set several show shown side small sold
    speak spoke spoken stand stood start started state stay still stop stopped take taken tell term
    thing think thought three time told took town try turn turned two type use used usual usually want
    way week well win won word work worked world write wrote written year yes young
    """
)
"""Words that hardly tell one text from another, in however few passages they stand: they weigh half."""

SHARED = 0.2
"""A question is about a passage only that has more than this share of its words, each at its weight."""
ALONE = 0.25
"""The same where they share but one word, neither a name nor of the title; a common one is not enough."""


class Fit(Enum):
    """How a passage that shares a word with a question fits it, by words."""

    ENOUGH = "enough"
    LITTLE = "little"
    ALIEN = "alien"
    """The question has names, and the passage none of them: most likely it asks about something else."""


@final
class Finder:
    """Passages whose words are counted once, for many questions.

    A word counts by its inverse document frequency over the tasks (Spärck Jones 1972), half of it if it is
    common everywhere, twice if the title has it.
    """

    def __init__(self, tasks: Sequence[Task]) -> None:
        self._tasks = tasks
        self._places: dict[str, list[tuple[int, int]]] = defaultdict(list)
        for place, task in enumerate(tasks):
            title = _words(task.title)
            for word in title | _words(task.passage):
                self._places[word].append((place, 1 + (word in title)))

    def about(self, question: str) -> Task | None:
        """The nearest task, of equals the first; None where none shares a word."""
        return next((task for task, _ in self.nearest(question, 1)), None)

    def nearest(self, question: str, count: int) -> tuple[tuple[Task, Fit], ...]:
        """At most so many that share a word, the nearest first; each with how it fits.

        Some words any question has in common with some text. A share is of the question's words, each at its
        weight; one that no task has weighs the most.
        """
        near, whole = self._near(question)
        places = sorted(near, key=lambda place: (-near[place].score, place))
        return tuple((self._tasks[place], near[place].fit(whole)) for place in places[:count])

    def _near(self, question: str) -> tuple[dict[int, _Near], float]:
        """Of each place that shares a word how near it is, and what the question's words weigh together."""
        rest = question.partition(" ")[2]
        names, proper = (_words(" ".join(kind.findall(rest))) for kind in (_NAME, _PROPER))
        near: dict[int, _Near] = defaultdict(lambda: _Near(alien=bool(proper)))
        whole = 0.0
        for word in sorted(_words(question)):
            held = self._places.get(word, ())
            weight = math.log(1 + len(self._tasks) / max(1, len(held))) / (1 + (word in COMMON))
            whole += weight
            for place, times in held:
                near[place].share(weight, times, names=word in names, common=word in COMMON)
                near[place].alien &= word not in proper
        return near, whole


@dataclass(slots=True)
class _Near:
    """How near a task is to a question."""

    alien: bool
    """None of the question's names is shared, and it has some."""
    score: float = 0.0
    shared: float = 0.0
    words: int = 0
    telling: bool = False
    """A name is shared, or a word of the title."""
    uncommon: bool = False

    def share(self, weight: float, times: int, *, names: bool, common: bool) -> None:
        """One more word that both have."""
        self.score += weight * times
        self.shared += weight
        self.words += 1
        self.telling |= names or times > 1
        self.uncommon |= not common

    def fit(self, whole: float) -> Fit:
        if self.alien:
            return Fit.ALIEN
        return Fit.ENOUGH if self._enough(whole) else Fit.LITTLE

    def _enough(self, whole: float) -> bool:
        if self.telling or self.words > 1:
            return self.shared > SHARED * whole
        return self.uncommon and self.shared > ALONE * whole


def _words(text: str) -> set[str]:
    return {_stem(word) for word in content(text) if word not in FUNCTION_WORDS}


def _stem(word: str) -> str:
    """Plural and singular meet."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
