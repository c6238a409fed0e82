"""Augmentation tools: a task's passage in other words, orders and questions. Pure functions.

`split`, `reorder` and `cloze` need no model. `restate` and `ask_and_answer` come as a prompt and a parser:
who generates in between is not known here.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from selfedit.edits.questions import blank_question, make_question, qa_row
from selfedit.edits.sentences import sentence_offsets, sentences
from selfedit.edits.spans import Span
from selfedit.edits.words import agree, squash
from selfedit.types import Sequence, Task, rng_for

__all__ = [
    "ask_and_answer_prompt",
    "cloze",
    "cloze_row",
    "headed",
    "orders",
    "parse_ask_and_answer",
    "parse_restate",
    "reorder",
    "restate_prompt",
    "sentences",
    "split",
]

MOST_CHARACTERS = 2_000


def headed(title: str, text: str) -> str:
    """The text under its title: how every plain training sequence begins."""
    return f"{squash(title)}\n{text}" if squash(title) else text


def split(task: Task) -> tuple[str, ...]:
    """Each sentence headed by the title."""
    return tuple(headed(task.title, sentence) for sentence in sentences(task.passage))


def orders(task: Task, *, copies: int = 3, seed: int = 0) -> tuple[str, ...]:
    """The whole passage with its sentences in up to `copies` other orders; no order comes twice.

    A passage of one sentence has no other order and gives none.
    """
    lines = sentences(task.passage)
    found: dict[tuple[str, ...], None] = {}
    for attempt in range(4 * copies):
        order = list(lines)
        rng_for("reorder", task.id, seed, attempt).shuffle(order)
        if tuple(order) != lines and len(found) < copies:
            found[tuple(order)] = None
    return tuple(" ".join(order) for order in found)


def reorder(task: Task, *, copies: int = 3, seed: int = 0) -> tuple[str, ...]:
    """`orders`, each headed by the title."""
    return tuple(headed(task.title, text) for text in orders(task, copies=copies, seed=seed))


def cloze(task: Task, spans: Iterable[Span], *, reword: bool = True) -> tuple[Sequence, ...]:
    """A question-answer row for each span, made of its sentence by rule.

    With `reword`, a who/what/when question where one is safe, a gap to be filled in elsewhere; without,
    always the gap. Spans that do not lie within a sentence of the passage are left out.
    """
    rows = (cloze_row(task, span, reword=reword) for span in spans)
    return tuple(dict.fromkeys(row for row in rows if row is not None))


def cloze_row(task: Task, span: Span, *, reword: bool = True) -> Sequence | None:
    """One row of `cloze`."""
    offsets = sentence_offsets(task.passage)
    if not 0 <= span.sentence < len(offsets):
        return None
    start, end = offsets[span.sentence]
    if not start <= span.start < span.end <= end:
        return None
    ask = (task.passage[start:end], span.start - start, span.end - start)
    question = make_question(*ask, span.kind) if reword else blank_question(*ask)
    return qa_row(question, span.text, task.title)


# -- tools that a model carries out -----------------------------------------------------------------


def restate_prompt(title: str, sentence: str) -> str:
    """Asks, as a document that breaks off, for the sentence in other words."""
    about = f" about {squash(title)}" if squash(title) else ""
    return (
        f"One statement{about}, written twice. Both versions say the same and keep every name and number.\n\n"
        f"First version: {squash(sentence)}\nSecond version, in other words:"
    )


def parse_restate(sentence: str, text: str) -> str | None:
    """The first line, where it says something else than the sentence at a length that can mean the same."""
    line = squash(text.strip().partition("\n")[0])[:MOST_CHARACTERS].strip('"“” ')
    words, wanted = len(line.split()), len(sentence.split())
    if words < 3 or not wanted / 3 <= words <= 3 * wanted or agree(line, sentence, 0.95):
        return None
    return None if regex.search(r"(.{2,40}?)\1{4,}", line) else line


def ask_and_answer_prompt(title: str, sentence: str) -> str:
    """Asks, as a document that breaks off, for a question that the sentence answers, and its answer."""
    about = f"Subject: {squash(title)}\n" if squash(title) else ""
    return (
        "A quiz sheet. Below each statement stand one question that it answers, and the short answer.\n\n"
        f"{about}Statement: {squash(sentence)}\nQuestion:"
    )


def parse_ask_and_answer(title: str, sentence: str, text: str) -> Sequence | None:
    """A row, where the text is a question and a short answer that stands in the sentence; else None."""
    found = regex.match(
        r"\s*(?:Question:)?\s*([^\n]{8,300}?\?)\s*(?:\n+|\s)(?:Answer|A):\s*([^\n]{1,200})", text
    )
    if not found:
        return None
    question, answer = squash(found.group(1)), squash(found.group(2)).rstrip(".")
    if not answer or len(answer.split()) > 12 or answer.lower() in question.lower():
        return None
    return qa_row(question, answer, title) if answer.lower() in squash(sentence).lower() else None
