"""Which commit a question points to, by the words of what was learned: BM25 (Robertson & Zaragoza 2009).

The library is `bm25s` at its own settings, with English stop words. Knows nothing of models or adapters.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence as Items
from typing import Any, Protocol, final

from selfedit.config.retention import Routing
from selfedit.retain.past import Learned


class Router(Protocol):
    """Finds the commit whose adapter is to answer."""

    def route(self, question: str) -> str | None:
        """Id of the commit that knows of it; None where none seems to."""
        ...


@final
class Bm25Router:
    """Looks through the passages of live commits. Where two are equally near, the newer commit's is taken."""

    def __init__(self, learned: Items[Learned], settings: Routing) -> None:
        self._threshold = settings.threshold
        pairs = [(each.commit, text) for each in reversed(learned) for text in each.texts]
        self._commits = [commit for commit, _ in pairs]
        self._bm25s: Any = importlib.import_module("bm25s")
        words = self._words([text for _, text in pairs])
        self._index: Any = None
        if any(words):
            self._index = self._bm25s.BM25(backend="numpy")
            self._index.index(words, show_progress=False)

    def route(self, question: str) -> str | None:
        (words,) = self._words([question])
        if not words or self._index is None:
            return None
        scores: list[float] = self._index.get_scores(words).tolist()
        best = max(scores)
        return self._commits[scores.index(best)] if best > self._threshold else None

    def _words(self, texts: list[str]) -> list[list[str]]:
        return self._bm25s.tokenize(texts, stopwords="en", return_ids=False, show_progress=False)
