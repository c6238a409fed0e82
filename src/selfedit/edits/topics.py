"""Which passage a question is about, by its words alone. Knows nothing of models or answers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence

from selfedit.edits.words import FUNCTION_WORDS, content
from selfedit.types import Task


def about(tasks: Sequence[Task], question: str) -> Task | None:
    """The task whose title and passage share the rarest words with the question; None where none shares any.

    A word counts by its inverse document frequency over the tasks (Spärck Jones 1972), twice if the title
    has it. Of equals the first. With a single task it is that one.
    """
    if len(tasks) == 1:
        return tasks[0]
    titles = [_words(task.title) for task in tasks]
    texts = [title | _words(task.passage) for title, task in zip(titles, tasks, strict=True)]
    frequency = Counter(word for text in texts for word in text)
    wanted = _words(question)
    scores = [
        sum(math.log(1 + len(tasks) / frequency[word]) * (1 + (word in title)) for word in wanted & text)
        for title, text in zip(titles, texts, strict=True)
    ]
    best = max(scores, default=0.0)
    return tasks[scores.index(best)] if best > 0 else None


def _words(text: str) -> set[str]:
    return {_stem(word) for word in content(text) if word not in FUNCTION_WORDS}


def _stem(word: str) -> str:
    """Plural and singular meet."""
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith("ss") else word
