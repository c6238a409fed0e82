"""Question-answer: pairs in the very form in which questions are asked later.

This is the format as one text. What teaches a small model most is made step by step instead: spans first,
then a question for each (`spans`, `writer`), whose rows are the same.
"""

from __future__ import annotations

from selfedit.edits.base import Format, Parsed
from selfedit.edits.parsing import clean_pairs
from selfedit.edits.questions import qa_row
from selfedit.types import Failure, Task


def parse_pairs(task: Task, text: str, echoes: tuple[str, ...]) -> Parsed | Failure:
    """Each pair is one row, asked with the task's title as its topic."""
    pairs = clean_pairs(text, echoes=echoes)
    if isinstance(pairs, Failure):
        return pairs
    return Parsed(tuple(qa_row(question, answer, task.title) for question, answer in pairs))


FORMAT = Format(
    name="question-answer",
    instruction=(
        "Here is a passage on the subject of {title}.\n\n{passage}\n\n"
        "Write quiz questions about everything that it says, each with a short answer taken from it. Every "
        "question must make sense to somebody who has not seen the passage. Use this form and nothing else:\n"
        "Question: ...\nAnswer: ..."
    ),
    opening=(
        "Quiz on {title}\n\nThe text:\n{passage}\n\n"
        "The questions, which make sense without the text, and their short answers:\n\nQuestion:"
    ),
    parser=lambda task, text, echoes: parse_pairs(task, _opened(text), echoes),
    max_tokens=512,
)


def _opened(text: str) -> str:
    """With the label that the plain prompt ends in, where the text goes on from it."""
    first = text.lstrip().partition("\n")[0]
    return f"Question: {text.lstrip()}" if first.rstrip().endswith("?") and ":" not in first else text
