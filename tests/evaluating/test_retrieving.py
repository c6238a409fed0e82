"""Which passage answers a question, by words."""

from __future__ import annotations

import math

from selfedit.evaluating.retrieving import Retriever
from selfedit.types import Probe, Task

LIBRARY = [
    Task("Harbour", "The lamp is kept by Tobiah Renwick."),
    Task("Library", "The stove is called Bartholomew, and the stove is old."),
    Task("Market", "The warden of weights is Perrin Osk. A lamp hangs there."),
]


def test_the_passage_that_shares_the_rarest_words_is_found() -> None:
    found = Retriever(LIBRARY)
    assert found.best(Probe("What is the stove called?", "?")).title == "Library"
    assert found.best(Probe("Who is the warden of weights?", "?")).title == "Market"
    assert found.best(Probe("Who keeps the lamp?", "?", "Market")).title == "Market", "a topic counts too"


def test_what_nothing_matches_gets_the_first() -> None:
    found = Retriever(LIBRARY)
    assert found.best(Probe("Zyx?", "?")) is LIBRARY[0]
    assert found.best(Probe("Is it?", "?")) is LIBRARY[0], "nothing but stop words"
    assert Retriever([Task("", "the")]).best(Probe("the?", "?")).passage == "the"


def test_the_best_is_the_formulas_best() -> None:
    """BM25 as Lucene has it: idf log(1 + (N - n + ½)/(n + ½)), times tf/(tf + k(1 - b + b·length/mean))."""
    docs = [["lamp", "lamp", "oil"], ["lamp", "stone"], ["stone", "bridge", "river", "oil"]]
    mean = sum(map(len, docs)) / len(docs)
    held = Retriever([Task("", " ".join(doc)) for doc in docs])

    def score(doc: list[str], word: str) -> float:
        n = sum(word in each for each in docs)
        idf = math.log(1 + (len(docs) - n + 0.5) / (n + 0.5))
        tf = doc.count(word)
        return idf * tf / (tf + 1.5 * (0.25 + 0.75 * len(doc) / mean))

    for words in (["lamp"], ["stone", "oil"], ["river", "lamp"]):
        expected = max(docs, key=lambda doc: sum(score(doc, word) for word in words))
        assert held.best(Probe(" ".join(words), "?")).passage == " ".join(expected)
