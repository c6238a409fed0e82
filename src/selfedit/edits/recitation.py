"""Recitation: the sentence that a question asks about, learned by heart under a cue of its own.

A fact is asked for in other words than it was learned in, and a small model that learned "question, answer"
then answers at random. A sentence is asked about in many ways, and whoever has it in view finds the answer in
it. So the model learns to say the sentence first, and reads its own words for the answer
(recitation-augmented models: Sun et al., ICLR 2023, arXiv 2210.01296). Pure; generates and trains nothing.
"""

from __future__ import annotations

from random import Random
from typing import TypeGuard

import regex

from selfedit.edits.questions import BLANK, ask_prompt
from selfedit.edits.words import FUNCTION_WORDS, Token, squash, tokens
from selfedit.types import Sequence

CUE = "Text:"
_ANSWER = "Answer:"
_GAPPED = regex.compile(r'Fill in the blank: "(?P<text>.*)"')
LEAST, MOST = 0.25, 0.5
"""Shares of a sentence's words that a hint has."""


def recite_prompt(question: str, topic: str = "") -> str:
    """The prompt that asks for the sentence instead of the answer; it follows after a space."""
    return ask_prompt(question, topic).removesuffix(_ANSWER) + CUE


def recited_row(question: str, sentence: str, topic: str = "") -> Sequence:
    """The training row of a question and the sentence that answers it; the loss covers the sentence alone."""
    return Sequence(recite_prompt(question, topic), " " + squash(sentence))


def hints(sentence: str, count: int, draw: Random) -> tuple[str, ...]:
    """So many handfuls of the sentence's words, in order, as if they were questions; each once.

    Whoever asks says some of a sentence's words and leaves out others. A quarter to a half of those that mean
    something are drawn, two at least; of a sentence that has fewer there is none.
    """
    words = [word.text for word in tokens(sentence) if word.is_word and _means(word)]
    if len(words) < 2:
        return ()
    found: list[str] = []
    for _ in range(count):
        size = max(2, round(len(words) * draw.uniform(LEAST, MOST)))
        places = sorted(draw.sample(range(len(words)), size))
        found.append(" ".join(words[at] for at in places) + "?")
    return tuple(dict.fromkeys(found))


def filled(question: str, sentence: str) -> str | None:
    """What stands in the sentence where the question, one of `blank_question`, has its gap; else None."""
    gapped = _GAPPED.fullmatch(squash(question))
    if gapped is None:
        return None
    before, gap, after = gapped["text"].partition(BLANK)
    said = squash(sentence).replace('"', "'")
    fits = gap and said.startswith(before) and said.endswith(after) and len(said) > len(before) + len(after)
    return said[len(before) : len(said) - len(after)].strip() or None if fits else None


def _means(word: Token) -> bool:
    return word.numeric or (word.lower not in FUNCTION_WORDS and (len(word.text) > 3 or word.capital))


def is_recited(row: str | Sequence) -> TypeGuard[Sequence]:
    """Whether the row is one of `recited_row`."""
    return isinstance(row, Sequence) and row.prompt.endswith(f"\n{CUE}")
