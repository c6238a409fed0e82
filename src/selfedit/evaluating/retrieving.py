"""Which of many passages answers a question, by words alone: BM25 (Robertson & Zaragoza 2009).

The library is `bm25s` at its own settings, with English stop words. Knows nothing of models.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence as Items
from typing import Any, final

from selfedit.types import Probe, Task


@final
class Retriever:
    """Looks through these passages, each with its title."""

    def __init__(self, library: Items[Task]) -> None:
        self._library = tuple(library)
        self._bm25s: Any = importlib.import_module("bm25s")
        words = self._words([f"{task.title}\n{task.passage}" for task in self._library])
        self._index: Any = None
        if any(words):
            self._index = self._bm25s.BM25(backend="numpy")
            self._index.index(words, show_progress=False)

    def best(self, probe: Probe) -> Task:
        """The passage nearest to a question and its topic; the first of those that are equally near."""
        (words,) = self._words([f"{probe.topic} {probe.question}"])
        if not words or self._index is None:
            return self._library[0]
        scores: list[float] = self._index.get_scores(words).tolist()
        return self._library[scores.index(max(scores))]

    def _words(self, texts: list[str]) -> list[list[str]]:
        return self._bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
