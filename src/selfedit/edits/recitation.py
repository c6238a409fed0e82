"""Recitation: the sentence that a question asks about, learned by heart under a cue of its own.

A fact is asked for in other words than it was learned in, and a small model that learned "question, answer"
then answers at random. A sentence is asked about in many ways, and whoever has it in view finds the answer in
it. So the model learns to say the sentence first, and reads its own words for the answer
(recitation-augmented models: Sun et al., ICLR 2023, arXiv 2210.01296). Pure; generates and trains nothing.
"""

from __future__ import annotations

from typing import TypeGuard

from selfedit.edits.questions import ask_prompt
from selfedit.edits.words import squash
from selfedit.types import Sequence

CUE = "Text:"
_ANSWER = "Answer:"


def recite_prompt(question: str, topic: str = "") -> str:
    """The prompt that asks for the sentence instead of the answer; it follows after a space."""
    return ask_prompt(question, topic).removesuffix(_ANSWER) + CUE


def recited_row(question: str, sentence: str, topic: str = "") -> Sequence:
    """The training row of a question and the sentence that answers it; the loss covers the sentence alone."""
    return Sequence(recite_prompt(question, topic), " " + squash(sentence))


def is_recited(row: str | Sequence) -> TypeGuard[Sequence]:
    """Whether the row is one of `recited_row`."""
    return isinstance(row, Sequence) and row.prompt.endswith(f"\n{CUE}")
