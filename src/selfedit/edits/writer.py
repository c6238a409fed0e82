"""The answer-conditioned question writer: its prompts, parsers and rows. Pure; generates and trains nothing.

A small model that cannot write a question and its answer at once can write the question to a given answer.
The answer is therefore chosen first (`spans`), the question asked for, checked with the sentence in view,
and replaced by a question by rule where the model's own is no good.
"""

from __future__ import annotations

from collections.abc import Iterable

import regex

from selfedit.edits.questions import BLANK, qa_row
from selfedit.edits.sentences import sentence_offsets
from selfedit.edits.spans import Span, located
from selfedit.edits.tools import cloze_row
from selfedit.edits.words import FUNCTION_WORDS, content, recall, squash
from selfedit.types import Sequence, Task

MOST_WORDS = 40
MOST_CHARACTERS = 400
_LABEL = regex.compile(r"(?i)^\s*(?:[-*•]\s*|\(?\d{1,3}[.):]\s+)?(?:q(?:uestion)?\s*\d*\s*[:.)]\s*)?")


def question_prompt(title: str, sentence: str, answer: str) -> str:
    """What the writer is trained on and asked with; its completion is a space and the question."""
    head = f"Topic: {squash(title)}\n" if squash(title) else ""
    return f"{head}Text: {squash(sentence)}\nAnswer: {squash(answer)}\nQuestion:"


def check_prompt(context: str, question: str, topic: str = "") -> str:
    """The question with its sentence (or several) in view: a good pair is answered with its span."""
    head = f"Topic: {squash(topic)}\n" if squash(topic) else ""
    return f"{head}Text: {squash(context)}\nQuestion: {squash(question)}\nAnswer:"


def about_prompt(title: str, passage: str) -> str:
    """What a question about the passage is expected after; with neither, after nothing."""
    head = f"Topic: {squash(title)}\n" if squash(title) else ""
    text = f"Text: {squash(passage)}\n" if squash(passage) else ""
    return f"{head}{text}Question:"


def reading_turn(context: str, question: str, topic: str = "") -> str:
    """The same for a model that chats and was not trained on `check_prompt`."""
    head = f"{topic}\n\n" if topic else ""
    return f"{head}{context}\n\nAnswer the question in a few words taken from the text.\n{question}"


def parse_question(text: str) -> str | None:
    """The question on the first line that has words, up to its question mark; None where it is none.

    Three to forty words, no gap, no phrase over and over. Labels (`Q:`, `1.`) and quotes are dropped.
    """
    line = next((squash(line) for line in text.splitlines() if content(line)), "")
    question = _LABEL.sub("", line).strip("\"“”'* ")
    end = question.find("?")
    if end < 0:
        return None
    question = question[: end + 1]
    count = len(question.split())
    if (
        not 3 <= count <= MOST_WORDS
        or len(question) > MOST_CHARACTERS
        or "__" in question
        or regex.search(r"(.{3,60}?)\1{2,}", question)
    ):
        return None
    return question[0].upper() + question[1:]


def leaks(question: str, answer: str) -> bool:
    """Whether the question says its own answer, or most of what carries it."""
    wanted = [word for word in content(answer) if word not in FUNCTION_WORDS] or list(content(answer))
    return not wanted or recall(" ".join(wanted), question) > 0.5


def same_question(left: str, right: str) -> bool:
    """Whether two questions ask in the same words: nine tenths of the longer one's words, order aside."""
    return left == right or min(recall(left, right), recall(right, left)) >= 0.9


def training_rows(tasks: Iterable[Task]) -> tuple[Sequence, ...]:
    """Rows that teach the writer, from probes that people wrote.

    Skipped: an answer that stands in no one sentence, and a question that says its answer.
    """
    rows: list[Sequence] = []
    for task in tasks:
        for probe in task.probes:
            place = located(task.passage, probe.question, probe.answer)
            sentence = _sentence_around(task.passage, place) if place else None
            question = parse_question(probe.question)
            if place and sentence and question and not leaks(question, probe.answer):
                answer = task.passage[place[0] : place[1]]
                rows.append(Sequence(question_prompt(task.title, sentence, answer), f" {question}"))
    return tuple(rows)


def _sentence_around(passage: str, place: tuple[int, int]) -> str | None:
    inside = ((a, b) for a, b in sentence_offsets(passage) if a <= place[0] and place[1] <= b)
    return next((passage[a:b] for a, b in inside), None)


def sentence_of(task: Task, span: Span) -> str:
    """The sentence that the span stands in."""
    start, end = sentence_offsets(task.passage)[span.sentence]
    return task.passage[start:end]


def accepted(question: str | None, answer: str, others: Iterable[str] = ()) -> bool:
    """Whether a parsed question can stand with its answer beside the others: no leak, no duplicate."""
    if question is None or leaks(question, answer):
        return False
    return not any(same_question(question, other) for other in others)


def pairs_to_rows(
    task: Task, pairs: Iterable[tuple[Span, str | None]], *, reword: bool = True, blanks: bool = True
) -> tuple[Sequence, ...]:
    """A row for each span: with the model's question, or by rule where that is None, leaks or repeats.

    A rule gives a question or, where it finds none, the sentence with a gap. Without `blanks` there are
    no gaps, unless there would be no row at all.
    """
    rows: list[Sequence] = []
    asked: list[str] = []
    for span, question in pairs:
        if question is not None and accepted(question, span.text, asked):
            asked.append(question)
            rows.append(qa_row(question, span.text, task.title))
        elif (row := cloze_row(task, span, reword=reword)) is not None:
            rows.append(row)
    whole = [row for row in rows if blanks or BLANK not in row.prompt]
    return tuple(dict.fromkeys(whole or rows))
